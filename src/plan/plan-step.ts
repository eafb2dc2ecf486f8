import type { Action, Planned, Site } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef } from '../facts/fact.ts';
import type { HostInfo } from '../hosts/host.ts';
import { reveal, Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { evaluate, evaluateWhen, type Names, type Waiting } from '../runbook/evaluate.ts';
import type { Step, Template } from '../runbook/runbook.ts';
import { factsOf, type Look, refsOf } from './fact-view.ts';

/** What a step would do, on what a view knows. */
export type StepPlan =
  | { readonly kind: 'skipped' }
  | {
      readonly kind: 'later';
      readonly after: readonly string[];
      /** Whether it is done at all, what it is given, or what it acts on is what nobody knows yet. */
      readonly open: 'condition' | 'params' | 'facts';
      /** What it waits for, in words: `exit code`, `size of the dump`. */
      readonly what: readonly string[];
      readonly refs: readonly FactRef<unknown>[];
      /** Every host the step may act on. */
      readonly hosts: readonly string[];
      /** Facts the step is going to change, as `host key`; none while its params are unknown. */
      readonly touched: readonly string[];
    }
  | { readonly kind: 'missing'; readonly refs: readonly FactRef<unknown>[] }
  | {
      readonly kind: 'planned';
      readonly planned: Planned;
      readonly params: unknown;
      readonly site: Site;
      readonly refs: readonly FactRef<unknown>[];
      /** Every host the step acts on, its own first. */
      readonly hosts: readonly string[];
      /** Steps whose predicted effects this one was planned on. */
      readonly on: readonly string[];
      readonly touched: readonly string[];
    };

export interface StepView {
  readonly names: Names;
  hostOfRole(rootRole: string): HostInfo;
  look(ref: FactRef<unknown>): Look;
  /** The first attempt's undo, when the step was begun before. */
  readonly earlier: { readonly undo: Json } | null;
}

/** Where a step acts. Role names in params are those of the step's own file. */
export function siteOf(step: Step, view: Pick<StepView, 'hostOfRole'>): Site {
  return {
    host: view.hostOfRole(step.role),
    hostOf: (role) => view.hostOfRole(step.scope.roles.get(role) ?? role),
  };
}

/**
 * Plans one step: evaluates its params, finds its facts in the view, and asks the action. Pure but for what `look` does.
 * @throws PARAM_INVALID when the params, evaluated, are not what the action takes
 */
export function planStep(step: Step, action: Action, view: StepView): StepPlan {
  if (step.when) {
    const when = evaluateWhen(step.when, view.names);
    if (when.known && !when.value) return { kind: 'skipped' };
    if (!when.known) return { ...later(step, view, when), open: 'condition' };
  }
  const evaluated = evaluate(step.with, step.scope, view.names);
  if (!evaluated.known) return { ...later(step, view, evaluated), open: 'params' };
  const params = parseParams(step, action, evaluated.value);
  const site = siteOf(step, view);
  const refs = refsOf(action.facts(site, params));
  const looks = new Map(refs.map((ref) => [ref, view.look(ref)] as const));
  const missing = refs.filter((ref) => looks.get(ref) === 'missing');
  if (missing.length > 0) return { kind: 'missing', refs: missing };
  const unknown = [...looks.values()].flatMap((look) =>
    typeof look === 'object' && 'unknownAfter' in look ? [look.unknownAfter] : [],
  );
  const touched = touchedBy(action, params, site);
  if (unknown.length > 0) {
    const waiting = { known: false as const, after: [...new Set(unknown)], what: [] };
    return { ...later(step, view, waiting), open: 'facts', refs, touched };
  }
  const hosts = [...new Set([site.host.name, ...(action.roles?.(params) ?? []).map((role) => site.hostOf(role).name)])];
  const doubtedBy = new Set<string>();
  const used = (look: Look) => {
    if (typeof look === 'object' && 'doubtedBy' in look && look.doubtedBy) doubtedBy.add(look.doubtedBy);
  };
  const facts = factsFor(action, site, params, looks, used);
  const planned =
    unreadable(step, refs, looks, used) ??
    guarded(step, action, action.plan(params, facts as never, { ...site, earlier: view.earlier }));
  if (planned.kind === 'blocked' && doubtedBy.size > 0) {
    // What stands in its way may be out of it by then; the run looks again before it does the step.
    const waiting = { known: false as const, after: [...doubtedBy], what: [`now: ${planned.summary}`] };
    return { ...later(step, view, waiting), open: 'facts', refs, touched };
  }
  const on = [...looks.values()].flatMap((look) =>
    typeof look === 'object' && 'madeBy' in look && look.madeBy ? [look.madeBy] : [],
  );
  return { kind: 'planned', planned, params, site, refs, hosts, on: [...new Set(on)], touched };
}

function later(step: Step, view: Pick<StepView, 'hostOfRole'>, { after, what }: Waiting) {
  return { kind: 'later' as const, after, what, refs: [], hosts: hostsNamed(step, view), touched: [] };
}

/** The hosts a step names while its params are not all known: its own, and those behind `host:` in the params. */
function hostsNamed(step: Step, view: Pick<StepView, 'hostOfRole'>): string[] {
  const named = (template: Template): string[] => {
    if (template.kind === 'list') return template.items.flatMap(named);
    if (template.kind !== 'map') return [];
    return template.entries.flatMap(([key, value]) => {
      const role = key === 'host' && value.kind === 'literal' ? step.scope.roles.get(String(value.value)) : undefined;
      return role === undefined ? named(value) : [view.hostOfRole(role).name];
    });
  };
  return [...new Set([view.hostOfRole(step.role).name, ...named(step.with)])];
}

/** What a step changes, from its params alone, as `host key`. */
function touchedBy(action: Action, params: unknown, site: Site): string[] {
  // No role has an empty name, so it can stand for the step's own.
  const { changes = [] } = action.touches?.(params, '') ?? {};
  return changes.map(([role, key]) => `${role === '' ? site.host.name : site.hostOf(role).name} ${key}`);
}

function factsFor(
  action: Action,
  site: Site,
  params: unknown,
  looks: ReadonlyMap<FactRef<unknown>, Look>,
  used: (look: Look) => void,
): unknown {
  const byKey = new Map([...looks].map(([ref, look]) => [`${ref.host} ${ref.key}`, look]));
  return factsOf(action.facts(site, params), (ref) => byKey.get(`${ref.host} ${ref.key}`) ?? 'missing', used);
}

function unreadable(
  step: Step,
  refs: readonly FactRef<unknown>[],
  looks: ReadonlyMap<FactRef<unknown>, Look>,
  used: (look: Look) => void,
): Planned | null {
  for (const ref of refs) {
    const look = looks.get(ref);
    if (typeof look !== 'object' || !('observed' in look) || look.observed.state !== 'unreadable' || ref.kind.class === 'measure')
      continue;
    used(look);
    return {
      kind: 'blocked',
      summary: `${ref.key} on ${ref.host} cannot be read: ${look.observed.why}`,
      hint: `Make it readable for root on ${ref.host}, then plan again; step ${step.id} needs it.`,
      outputs: {},
    };
  }
  return null;
}

/** A step with a dead-man switch must keep what that puts back. */
function guarded(step: Step, action: Action, planned: Planned): Planned {
  if (!step.deadMan || planned.kind !== 'change' || action.putBack?.(planned.undo, (name) => name)) return planned;
  const summary = 'deadMan has nothing to put back: this change keeps no file';
  return { kind: 'blocked', summary, hint: 'Name the files it changes (protects), or leave out deadMan.', outputs: {} };
}

/** @throws PARAM_INVALID */
export function parseParams(step: Step, action: Action, value: unknown): unknown {
  const parsed = action.params.safeParse(value);
  if (parsed.success && !holdsNul(parsed.data)) return parsed.data;
  // Neither an argument of a program nor a text of PostgreSQL can hold it; what came after it would be lost.
  const issue = parsed.error?.issues[0] ?? { path: [], message: 'a text in it holds a NUL character' };
  throw new FerryError(
    'PARAM_INVALID',
    { step: step.id, uses: step.uses, param: issue?.path.join('.') || 'with', why: issue?.message ?? 'not valid' },
    { at: `${step.at.file}:${step.at.line}:${step.at.column}` },
  );
}

function holdsNul(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof Secret) return reveal(value).includes('\0');
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([name, member]) => name.includes('\0') || holdsNul(member));
}
