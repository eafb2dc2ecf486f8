import type { HostInfo } from '../hosts/host.ts';
import type { RunbookChange } from '../runbook/diff-runbooks.ts';
import { rolesUsed } from '../runbook/meaning.ts';
import type { Runbook, Step } from '../runbook/runbook.ts';
import { gatherRoles } from '../runbook/spread.ts';
import type { RunState } from './state.ts';

/** Why an edited runbook cannot be taken by a run as far as it has come: a step that was begun, and what the edit does to it. */
export interface Begun {
  readonly step: string;
  readonly why: string;
}

/** The host of each role, by which the edited runbook would be gone on with. */
type Roles = ReadonlyMap<string, Pick<HostInfo, 'name'>>;

/**
 * Which steps stand in the way of going on with an edited runbook: those that were begun and are not the same in it, or would be
 * on other hosts, in the order of the run. Empty when it can be taken. Pure.
 */
export function judgeEdit(state: RunState, edited: Runbook, changes: readonly RunbookChange[], roles: Roles): Begun[] {
  const isBegun = (step: string): boolean => (state.steps.get(step)?.phase ?? 'waiting') !== 'waiting';
  const changed = new Map(changes.flatMap(({ what, name, how }) => (what === 'step' && how !== 'added' ? [[name, how]] : [])));
  const steps = new Map(edited.steps.map((step) => [step.id, step]));
  const moved = movedRoles(state, roles);
  return state.plan.lines.flatMap(({ step }): Begun[] => {
    if (!isBegun(step)) return [];
    const how = changed.get(step);
    if (how !== undefined) return [{ step, why: how }];
    const now = steps.get(step);
    const late = now?.needs.find((need) => !isBegun(need));
    if (late !== undefined) return [{ step, why: `it would come after ${late}, which was not done` }];
    const away = now && moved.find((role) => hangsOn(state, now, role));
    return away ? [{ step, why: `its role ${away.role} was ${away.was.join(', ')}, and would be ${away.now.join(', ')}` }] : [];
  });
}

interface MovedRole {
  readonly role: string;
  readonly was: readonly string[];
  readonly now: readonly string[];
}

/** Roles with other hosts than the run began with. One that the edit takes away is used by no step that is the same. */
function movedRoles({ plan }: RunState, roles: Roles): MovedRole[] {
  const after = gatherRoles(Object.fromEntries([...roles].map(([role, { name }]) => [role, name])));
  return [...gatherRoles(plan.roles)].flatMap(([role, was]): MovedRole[] => {
    const now = after.get(role);
    return now === undefined || now.join() === was.join() ? [] : [{ role, was, now }];
  });
}

/**
 * Whether a step that was begun is on a host of a role, acts there, or tells of it. Which role gave a step its second host is on no
 * record, so any that moves away from that host counts.
 */
function hangsOn({ plan, steps }: RunState, step: Step, { role, was, now }: MovedRole): boolean {
  const gone = was.filter((host) => !now.includes(host));
  const own = plan.roles[step.role];
  const [whole] = step.role.split('@', 1);
  if (whole === role && own !== undefined && gone.includes(own)) return true;
  const others = steps.get(step.id)?.hosts.filter((host) => host !== own) ?? [];
  return rolesUsed(step).has(role) || others.some((host) => gone.includes(host));
}
