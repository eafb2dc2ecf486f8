import type { Change } from '../actions/action.ts';
import type { Outputs } from '../actions/outputs.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Json } from '../lib/json.ts';
import { publishPredictions } from '../plan/plan-line.ts';
import { holdsUnknown } from '../plan/publish.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyChange, attemptOf } from './act.ts';
import { afterGuardedFailure, armDeadMan, confirmDeadMan } from './dead-man.ts';
import { actionOf, type FreshPlan } from './plan-fresh.ts';
import { publishReadings, type RunContext } from './run-context.ts';
import { ended, started } from './tell.ts';
import { verify } from './verify.ts';

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
  await armDeadMan(context, step, attempt);
  try {
    context.ports.crash('before-apply', step.id);
    const outputs = await applyChange(context, step, plan, change, attempt);
    context.ports.crash('after-apply', step.id);
    await conclude(context, step, plan, change, handedOn(context, step, attempt, outputs), startedMs);
  } catch (thrown) {
    throw await afterGuardedFailure(context, step, attempt, thrown);
  }
}

/** What a step hands on after an attempt: of the first one what it told at its end; a later one only fills in what that promised. */
export function handedOn(context: RunContext, step: Step, attempt: number, outputs: Outputs): { [name: string]: Json } {
  const written = context.keepOutputs(step.id, outputs);
  const { promised, firstAttempt } = context.stepState(step.id);
  return attempt === firstAttempt ? written : mergeOutputs(promised, written);
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
  await Promise.all(plan.hosts.map((host) => fleet.openAttempt(host, id, text, context.recordsAfter)));
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
    { step: step.id, host, limitMs: actionOf(context, step).verifyTimeoutMs, withinMs: step.deadMan?.afterMs },
    plan.refs,
    change.predicts,
  );
  await confirmDeadMan(context, step, context.stepState(step.id).attempt);
  context.record('step.verified', { step: step.id, host, body: { ...publishReadings(found), opaque: change.opaque } });
  ended(context, step, host, 'ok', change.summary, startedMs);
}
