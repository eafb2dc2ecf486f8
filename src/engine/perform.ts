import type { Action, Change, Planned } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import { nowMs } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { PlanLine } from '../plan/plan.ts';
import { publishPredictions } from '../plan/plan-line.ts';
import { planStep, type StepPlan } from '../plan/plan-step.ts';
import { holdsUnknown } from '../plan/publish.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyChange, applyCheck, attemptOf } from './act.ts';
import { refuseDrift } from './drift.ts';
import { publishReadings, type RunContext, titleOf } from './run-context.ts';
import { verify } from './verify.ts';

export type FreshPlan = Extract<StepPlan, { kind: 'planned' }> & {
  readonly found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>;
};

export function actionOf(context: RunContext, step: Step): Action {
  const action = context.ports.actions.get(step.uses);
  if (!action) throw new FerryError('INTERNAL', { what: `no action ${step.uses}` });
  return action;
}

/** Plans a step on facts read just now; null when its condition does not hold. */
export async function planFresh(context: RunContext, step: Step): Promise<FreshPlan | null> {
  const action = actionOf(context, step);
  const found = new Map<FactRef<unknown>, Observed<unknown>>();
  const byId = new Map<string, Observed<unknown>>();
  const begun = context.stepState(step.id).undo;
  const plan = (): StepPlan =>
    planStep(step, action, {
      names: context.names,
      hostOfRole: (role) => context.hostOfRole(role),
      earlier: begun ? { undo: begun.undo } : null,
      look(ref) {
        const observed = byId.get(`${ref.host} ${ref.key}`);
        return observed ? { observed, madeBy: null } : 'missing';
      },
    });
  let result = plan();
  if (result.kind === 'missing') {
    for (const [ref, observed] of await context.observe(result.refs)) {
      found.set(ref, observed);
      byId.set(`${ref.host} ${ref.key}`, observed);
    }
    result = plan();
  }
  if (result.kind === 'skipped') return null;
  if (result.kind !== 'planned')
    throw new FerryError('INTERNAL', { what: `step ${step.id} still waits for what was done before it` });
  return { ...result, found };
}

/** Does a step that was not begun before, or only taken back: fresh facts, drift, plan, and what the plan says. */
export async function performStep(context: RunContext, step: Step): Promise<void> {
  const startedMs = nowMs();
  let plan = await planHeld(context, step);
  if (plan && (await askFirst(context, step, plan.planned))) plan = await planHeld(context, step);
  const host = context.hostOfRole(step.role).name;
  if (!plan) {
    context.record('step.skipped', { step: step.id, host });
    return ended(context, step, host, 'skipped', 'left out: its condition does not hold', startedMs);
  }
  const { planned } = plan;
  if (planned.kind === 'change') await doChange(context, step, plan, planned, startedMs);
  else if (planned.kind === 'check') await doCheck(context, step, plan, planned, startedMs);
  else if (planned.kind === 'gate') await doGate(context, step, plan, planned.question, startedMs);
  else {
    context.record('step.unchanged', { step: step.id, host, body: done(context, step, planned, plan) });
    ended(context, step, host, 'no-change', planned.summary, startedMs);
  }
}

/** Plans a step on facts read just now, held to the run's plan. @throws FACT_DRIFTED, STEP_BLOCKED, PLAN_CHANGED */
async function planHeld(context: RunContext, step: Step): Promise<FreshPlan | null> {
  const plan = await planFresh(context, step);
  if (!plan) return null;
  await refuseDrift(context, step.id, plan.found);
  const { planned } = plan;
  const host = plan.site.host.name;
  if (planned.kind === 'blocked')
    throw new FerryError('STEP_BLOCKED', { step: step.id, host, why: planned.summary, todo: planned.hint });
  const line = context.state.plan.lines.find((one) => one.step === step.id);
  if (line && !context.state.replanned.has(step.id) && !refines(line, planned.kind)) {
    throw new FerryError('PLAN_CHANGED', { step: step.id, host, planned: line.summary, now: planned.summary });
  }
  return plan;
}

/**
 * Asks what is to be asked before a change. True when a person was asked: they may have thought for hours, and what was read
 * before the question is to be read again after it.
 * @throws GATE_WAITS
 */
export async function askFirst(context: RunContext, step: Step, planned: Planned): Promise<boolean> {
  if (planned.kind !== 'change') return false;
  const lasting = planned.irreversible && `${titleOf(step)} cannot be taken back: ${planned.irreversible}. Go on?`;
  const question = step.confirm ?? lasting;
  if (question) await confirm(context, step, question);
  return Boolean(question);
}

/**
 * Whether what a step would do now is the plan's line filled in. A predicted change may turn out to be done already: what it
 * was planned on did more than it said, as a package that starts its own service.
 */
function refines(line: PlanLine, now: Planned['kind']): boolean {
  return line.kind === 'later' || line.kind === now || (line.kind === 'change' && now === 'no-change' && line.stamp !== 'exact');
}

/** Intent, keep, apply, verify: each on record before the next. */
export async function doChange(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  change: Change<Json>,
  startedMs: number,
): Promise<void> {
  const host = plan.site.host.name;
  const before = context.stepState(step.id);
  const attempt = before.attempt + 1;
  const intent = {
    attempt,
    generation: before.undo === null ? before.undoAttempt : before.generation,
    epoch: context.state.epoch,
    summary: change.summary,
    hosts: plan.hosts,
    outputs: context.keepOutputs(step.id, change.outputs),
    undo: change.undo,
    undoSummary: change.undoSummary,
    irreversible: change.irreversible ?? null,
    keep: change.keep.map(({ name, host: on }) => ({ name, host: on })),
    change: { summary: change.summary, data: change.data, predicts: publishPredictions(change), opaque: change.opaque },
    ...publishReadings(plan.found),
  };
  context.record('step.intended', { step: step.id, host, body: intent });
  started(context, step, host, attempt, change.summary, false);
  await keepAndOpen(context, step, plan, change, attempt, intent);
  context.ports.crash('before-apply', step.id);
  const outputs = await applyChange(context, step, plan, change, attempt);
  context.ports.crash('after-apply', step.id);
  const written = context.keepOutputs(step.id, outputs);
  const { promised } = context.stepState(step.id);
  await conclude(context, step, plan, change, attempt === 1 ? written : mergeOutputs(promised, written), startedMs);
}

/** The first intent's promises win, because later plans see a state this step had already changed; unknowns are filled in. */
export function mergeOutputs(
  promised: { readonly [name: string]: Json },
  found: { [name: string]: Json },
): { [name: string]: Json } {
  const known = Object.entries(promised).filter(([, value]) => !holdsUnknown(value));
  return { ...found, ...Object.fromEntries(known) };
}

async function keepAndOpen(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  change: Change<Json>,
  attempt: number,
  intent: { [name: string]: unknown },
): Promise<void> {
  const { fleet } = context.ports;
  const id = attemptOf(context, step.id, attempt);
  const text = JSON.stringify(context.ports.redact(intent));
  await Promise.all(plan.hosts.map((host) => fleet.openAttempt(host, id, text)));
  if (change.keep.length === 0) {
    // An attempt before this one died before its bytes were kept; this one has none to keep, and its undo may run.
    if (context.stepState(step.id).keepOwed)
      context.record('step.kept', { step: step.id, host: plan.site.host.name, body: { kept: [] } });
    return;
  }
  context.ports.crash('before-keep', step.id);
  const kept = await Promise.all(
    plan.hosts.map(async (host) => {
      const requests = change.keep.filter((keep) => keep.host === host);
      const made = requests.length === 0 ? [] : await fleet.keep(host, id, requests, context.stepState(step.id).generation);
      if (made.length !== requests.length)
        throw new FerryError('INTERNAL', {
          what: `${requests.length - made.length} of the files to keep on ${host} were not kept`,
        });
      return made.map((one) => ({ host, ...one }));
    }),
  );
  context.record('step.kept', { step: step.id, host: plan.site.host.name, body: { kept: kept.flat() } });
}

/** Records what apply did, waits for the facts to show it, and records that. */
export async function conclude(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  change: Pick<Change<Json>, 'opaque' | 'summary'> & { readonly predicts: Parameters<typeof verify>[3] },
  outputs: { [name: string]: Json },
  startedMs: number,
): Promise<void> {
  const host = plan.site.host.name;
  context.record('step.applied', { step: step.id, host, body: { outputs } });
  const found = await verify(
    context,
    { step: step.id, host, limitMs: actionOf(context, step).verifyTimeoutMs },
    plan.refs,
    change.predicts,
  );
  context.record('step.verified', { step: step.id, host, body: { ...publishReadings(found), opaque: change.opaque } });
  ended(context, step, host, 'ok', change.summary, startedMs);
}

async function doCheck(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  planned: Planned & { kind: 'check' },
  startedMs: number,
): Promise<void> {
  const host = plan.site.host.name;
  started(context, step, host, 1, planned.summary, false);
  const outputs = { ...planned.outputs, ...(await applyCheck(context, step, plan)) };
  context.record('step.checked', {
    step: step.id,
    host,
    body: { ...done(context, step, { ...planned, outputs }, plan), writeLine: actionOf(context, step).written !== undefined },
  });
  ended(context, step, host, 'ok', planned.summary, startedMs);
}

async function doGate(context: RunContext, step: Step, plan: FreshPlan, question: string, startedMs: number): Promise<void> {
  const host = plan.site.host.name;
  await confirm(context, step, question);
  context.record('step.confirmed', {
    step: step.id,
    host,
    body: { question, by: context.ports.holder, plan: context.state.plan.digest },
  });
  ended(context, step, host, 'ok', 'confirmed', startedMs);
}

/** @throws GATE_WAITS when the answer is no, or nobody can be asked */
async function confirm(context: RunContext, step: Step, question: string): Promise<void> {
  if ((await context.ports.ask(question)) === true) {
    context.record('gate.confirmed', {
      step: step.id,
      body: { question, by: context.ports.holder, plan: context.state.plan.digest },
    });
    return;
  }
  throw new FerryError('GATE_WAITS', { step: step.id, question, run: context.state.run });
}

function done(
  context: RunContext,
  step: Step,
  planned: Pick<Planned, 'outputs' | 'summary'>,
  plan: FreshPlan,
): { [name: string]: unknown } {
  return { summary: planned.summary, outputs: context.keepOutputs(step.id, planned.outputs), ...publishReadings(plan.found) };
}

export function started(
  context: RunContext,
  step: Step,
  host: string,
  attempt: number,
  summary: string,
  reattached: boolean,
): void {
  context.emit({ type: 'step.started', step: step.id, host, attempt, title: titleOf(step), summary, reattached });
}

export function ended(
  context: RunContext,
  step: Step,
  host: string,
  outcome: 'ok' | 'no-change' | 'skipped',
  summary: string,
  startedMs: number,
): void {
  const { outputs } = context.stepState(step.id);
  context.emit({ type: 'step.ended', step: step.id, host, outcome, summary, ms: nowMs() - startedMs, outputs, error: null });
}
