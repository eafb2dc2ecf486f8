import type { Condition, Runbook, Scope, Step } from './runbook.ts';

/** The id of one host's part of a step on many, and the role that host alone plays: no id or role has an `@` in it. */
export function partOf(whole: string, host: string): string {
  return `${whole}@${host}`;
}

/**
 * Makes of each step on a role of many a step for each of its hosts, every one on a role of its own: from there on a part is a
 * step like any other. Who needs the whole needs all parts. The same hosts in the same order give the same steps, so a run
 * that goes on or back has those it began with. `roles` has the host of every role, those of parts too.
 */
export function spreadRunbook(
  runbook: Runbook,
  hosts: ReadonlyMap<string, readonly string[]>,
): { readonly runbook: Runbook; readonly roles: ReadonlyMap<string, string> } {
  const many = new Map(
    runbook.roles.flatMap(({ name, many: isMany }) => (isMany ? [[name, hosts.get(name) ?? []] as const] : [])),
  );
  const roles = new Map(
    [...hosts].flatMap(([role, on]) =>
      many.has(role) ? on.map((host) => [partOf(role, host), host] as const) : [[role, on[0] ?? '']],
    ),
  );
  if (many.size === 0) return { runbook, roles };
  const whole = new Map([...runbook.done, ...runbook.steps].flatMap((step) => (step.fanOut ? [[step.id, step] as const] : [])));
  const on = new Map([...whole].map(([id, { role }]) => [id, many.get(role) ?? []]));
  const spread = (step: Step): Step[] => {
    const { fanOut, ...rest } = step;
    const partsOf = (id: string) => on.get(id)?.map((host) => partOf(id, host)) ?? [id];
    const needs = step.needs.flatMap(partsOf);
    // What is asked once has the first of them for its host.
    const [first] = many.get(step.role) ?? [];
    if (!fanOut) return [{ ...rest, needs, ...(first === undefined ? {} : { role: partOf(step.role, first) }) }];
    return (on.get(step.id) ?? []).map((host) => {
      // On the way back its own host's part of what it needs is enough, where the runbook says so.
      const own = (id: string) => (whole.get(id)?.role === step.role ? [partOf(id, host)] : partsOf(id));
      return {
        ...onHost(rest, partOf(step.role, host)),
        id: partOf(step.id, host),
        role: partOf(step.role, host),
        needs,
        part: { of: step.id, concurrency: fanOut.concurrency },
        ...(fanOut.undo === 'host' ? { undoNeeds: step.needs.flatMap(own) } : {}),
      };
    });
  };
  const steps = runbook.steps.map(spread);
  return {
    roles,
    runbook: {
      ...runbook,
      done: runbook.done.flatMap(spread),
      steps: steps.flat(),
      checkpoints: runbook.checkpoints.map((one) => ({ ...one, afterStep: steps.slice(0, one.afterStep).flat().length })),
      spread: { roles: many, steps: on },
    },
  };
}

/** Lets `host` in a step's expressions be the host of a role. */
function onHost<S extends Pick<Step, 'scope' | 'when'>>(step: S, role: string): S {
  const at = (scope: Scope): Scope => ({ ...scope, host: role });
  const when = step.when?.map((condition): Condition => ({ ...condition, scope: at(condition.scope) }));
  return { ...step, scope: at(step.scope), ...(when ? { when } : {}) };
}

/** The hosts of each role as the inventory gave them, from the roles of a plan. */
export function gatherRoles(roles: { readonly [role: string]: string }): ReadonlyMap<string, readonly string[]> {
  const gathered = new Map<string, string[]>();
  for (const [role, host] of Object.entries(roles)) {
    const [whole = role] = role.split('@', 1);
    gathered.set(whole, [...(gathered.get(whole) ?? []), host]);
  }
  return gathered;
}
