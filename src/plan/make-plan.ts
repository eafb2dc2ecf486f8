import type { Action, Change, Planned } from '../actions/action.ts';
import type { Outputs, OutputValue } from '../actions/outputs.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import type { HostInfo } from '../hosts/host.ts';
import { digestOf, type Json } from '../lib/json.ts';
import type { Runbook, Step } from '../runbook/runbook.ts';
import type { Look } from './fact-view.ts';
import { namesOver, SKIPPED } from './names.ts';
import type { Plan, PlanLine, Reading, Stamp } from './plan.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import { publishReading, publishValue } from './publish.ts';

export interface PlanRequest {
  readonly runbook: Runbook;
  readonly actions: ReadonlyMap<string, Action>;
  readonly inputs: ReadonlyMap<string, OutputValue>;
  /** Root role -> host. */
  readonly roles: ReadonlyMap<string, HostInfo>;
  readonly madeAt: string;
  /** Reads facts of one host in one round trip, in order. */
  read(host: string, refs: readonly FactRef<unknown>[]): Promise<Observed<unknown>[]>;
}

interface Known {
  readonly ref: FactRef<unknown>;
  readonly observed: Observed<unknown>;
}

/**
 * Makes a plan by reading and nothing else. Steps are planned in order on what was read plus what earlier steps will make
 * of it. Facts are read in waves, one batch per host and all hosts at once: the first wave has every fact whose params are
 * known at the start, the next those that hang on what the first one told.
 */
export async function makePlan(request: PlanRequest): Promise<Plan> {
  const known = new Map<string, Known>();
  for (;;) {
    const walk = walkSteps(request, known);
    if (walk.missing.size === 0) return finish(request, known, walk);
    await Promise.all(
      [...groupByHost(walk.missing.values())].map(async ([host, refs]) => {
        const observed = await request.read(host, refs);
        refs.forEach((ref, index) => {
          known.set(idOf(ref), { ref, observed: observed[index] ?? { state: 'unreadable', why: 'no answer' } });
        });
      }),
    );
  }
}

interface Walk {
  readonly lines: PlanLine[];
  readonly missing: Map<string, FactRef<unknown>>;
  readonly blockers: Diagnostic[];
  readonly alreadyDone: boolean;
}

function walkSteps(request: PlanRequest, known: ReadonlyMap<string, Known>): Walk {
  const outputs = new Map<string, Outputs | typeof SKIPPED>();
  const overlay = new Map<string, Look>();
  const opaqueOn = new Map<string, string>();
  const missing = new Map<string, FactRef<unknown>>();
  const blockers: Diagnostic[] = [];
  const hostOfRole = (role: string): HostInfo => request.roles.get(role) as HostInfo;
  const names = namesOver(request.inputs, (step) => outputs.get(step), hostOfRole);
  const look = (ref: FactRef<unknown>): Look => {
    const made = overlay.get(idOf(ref));
    if (made) return made;
    const read = known.get(idOf(ref));
    return read ? { observed: read.observed, madeBy: opaqueOn.get(ref.host) ?? null } : 'missing';
  };
  const plan = (step: Step): StepPlan => {
    const result = planStep(step, request.actions.get(step.uses) as Action, { names, hostOfRole, look, earlier: null });
    if (result.kind === 'missing') for (const ref of result.refs) missing.set(idOf(ref), ref);
    return result;
  };

  const done = request.runbook.done.map((step) => planDone(request, step, plan(step)));
  const lines = request.runbook.steps.map((step): PlanLine => {
    const result = plan(step);
    if (result.kind === 'skipped') outputs.set(step.id, SKIPPED);
    if (result.kind === 'planned') {
      const { planned } = result;
      // A fact may have been read that this step's prediction then replaces: the reading stays the proof's baseline.
      outputs.set(step.id, planned.outputs);
      if (planned.kind === 'change') applyToOverlay(overlay, planned, step.id);
      if (planned.kind === 'change' && planned.opaque) for (const host of result.hosts) opaqueOn.set(host, step.id);
      if (planned.kind === 'blocked') addBlocker(blockers, step, result.site.host.name, planned);
    }
    // What such a step would have made is not known, so what comes after it is not judged without it: one cause, one blocker.
    if (result.kind === 'later' || (result.kind === 'planned' && result.planned.kind === 'blocked'))
      for (const fact of result.touched) overlay.set(fact, { unknownAfter: step.id });
    // Which facts it will change hangs on params nobody knows yet: any fact of its hosts may be another by then.
    if (result.kind === 'later' && result.open !== 'facts' && mayChange(request.actions.get(step.uses)))
      for (const host of result.hosts) opaqueOn.set(host, step.id);
    return lineOf(step, result, hostOfRole(step.role).name);
  });
  const alreadyDone =
    done.length > 0 &&
    done.every((result) => result.kind === 'planned' && (result.planned.kind === 'check' || result.planned.kind === 'no-change'));
  return { lines, missing, blockers, alreadyDone };
}

/** Whether an action ever changes anything: those that do can be taken back or say why not. */
function mayChange(action: Action | undefined): boolean {
  return action?.rollback !== undefined || action?.irreversible !== undefined;
}

/** A check under `done` must be answered by facts alone: one that has to act would count as held although nobody looked. */
function planDone(request: PlanRequest, step: Step, result: StepPlan): StepPlan {
  const isAnswered = result.kind !== 'planned' || result.planned.kind !== 'check' || !request.actions.get(step.uses)?.apply;
  if (!isAnswered) throw new FerryError('DONE_CHECK_UNFIT', { step: step.id, uses: step.uses });
  return result;
}

function applyToOverlay(overlay: Map<string, Look>, planned: Change<Json>, step: string): void {
  for (const { host, key, to } of planned.predicts) {
    overlay.set(`${host} ${key}`, to ? { observed: to, madeBy: step } : { unknownAfter: step });
  }
}

/** Two steps that need the same thing of a host have one blocker. */
function addBlocker(blockers: Diagnostic[], step: Step, host: string, { summary, hint }: Planned & { kind: 'blocked' }): void {
  const message = `${step.id} on ${host}: ${summary}`;
  const isTold = blockers.some((other) => other.hint === hint && other.message.endsWith(` on ${host}: ${summary}`));
  if (!isTold) blockers.push({ severity: 'error', code: 'STEP_BLOCKED', message, hint, at: step.at });
}

function lineOf(step: Step, result: StepPlan, host: string): PlanLine {
  const base = {
    step: step.id,
    title: step.title ?? step.id,
    host,
    uses: step.uses,
    needs: step.needs,
    diff: [],
    undo: null,
    irreversible: null,
    writeLine: false,
    bytes: null,
    hosts: [host],
    facts: [],
    predicts: {},
  };
  if (result.kind === 'skipped')
    return { ...base, kind: 'skipped', stamp: 'exact', summary: 'left out: its condition does not hold', after: [] };
  if (result.kind !== 'planned') {
    if (result.kind === 'missing') return { ...base, kind: 'later', stamp: 'opaque', summary: '', after: [] };
    const { after, what, open, hosts } = result;
    const told = `known after ${after.join(', ')}${what.length > 0 ? ` (${what.join(', ')})` : ''}`;
    return {
      ...base,
      kind: 'later',
      stamp: 'opaque',
      summary: open === 'condition' ? `done or left out: ${told}` : told,
      after,
      hosts,
    };
  }
  const { planned, refs, hosts, on } = result;
  const changing = planned.kind === 'change' ? planned : null;
  const stamp: Stamp = changing?.opaque ? 'opaque' : on.length > 0 ? 'predicted' : 'exact';
  return {
    ...base,
    kind: planned.kind,
    stamp,
    summary: planned.summary,
    after: on,
    hosts,
    facts: refs.filter((ref) => ref.kind.class === 'state').map((ref) => [ref.host, ref.key] as const),
    diff: changing?.diff ?? [],
    undo: changing?.undoSummary ?? null,
    irreversible: changing?.irreversible ?? null,
    writeLine: planned.kind === 'check' && planned.writeLine,
    bytes: changing?.bytes ?? null,
    predicts: changing ? publishPredictions(changing) : {},
  };
}

/** Predictions in published form, by host and key; null where only apply will tell. */
export function publishPredictions(planned: Pick<Change<Json>, 'predicts'>): {
  [host: string]: { [key: string]: Reading | null };
} {
  const published: { [host: string]: { [key: string]: Reading | null } } = {};
  for (const { host, key, kind, to } of planned.predicts) {
    (published[host] ??= {})[key] = to ? publishReading(kind, to) : null;
  }
  return published;
}

function finish(request: PlanRequest, known: ReadonlyMap<string, Known>, walk: Walk): Plan {
  const readings: { [host: string]: { [key: string]: Reading } } = {};
  const stateRefs: { [host: string]: { [key: string]: { kind: string; args: readonly Json[] } } } = {};
  for (const { ref, observed } of known.values()) {
    (readings[ref.host] ??= {})[ref.key] = publishReading(ref.kind, observed);
    if (ref.kind.class === 'state') (stateRefs[ref.host] ??= {})[ref.key] = { kind: ref.kind.kind, args: ref.args };
  }
  const { runbook } = request;
  const plan = {
    version: 1 as const,
    runbook: { name: runbook.name, title: runbook.title ?? runbook.name, digest: runbook.digest },
    roles: Object.fromEntries([...request.roles].map(([role, host]) => [role, host.name])),
    inputs: publishValue(Object.fromEntries(request.inputs)) as { [name: string]: Json },
    madeAt: request.madeAt,
    alreadyDone: walk.alreadyDone,
    lines: walk.lines,
    checkpoints: runbook.checkpoints.map(({ name, afterStep }) => ({ name, afterStep })),
    readings,
    stateRefs,
    blockers: walk.alreadyDone ? [] : walk.blockers,
    warnings: [],
  };
  return { ...plan, digest: digestOf(plan) };
}

function idOf(ref: FactRef<unknown>): string {
  return `${ref.host} ${ref.key}`;
}

function groupByHost(refs: Iterable<FactRef<unknown>>): Map<string, FactRef<unknown>[]> {
  const groups = new Map<string, FactRef<unknown>[]>();
  for (const ref of refs) groups.set(ref.host, [...(groups.get(ref.host) ?? []), ref]);
  return groups;
}
