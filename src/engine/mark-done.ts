import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import type { Reading } from '../plan/plan.ts';
import { publishPredictions } from '../plan/plan-line.ts';
import { holdsUnknown, sameReading, showReading } from '../plan/publish.ts';
import type { Step } from '../runbook/runbook.ts';
import { attemptOf } from './act.ts';
import { mergeOutputs } from './change.ts';
import { confirmDeadMan, isArmed, proveWayIn } from './dead-man.ts';
import { factsSeen, hostsSeen } from './evidence.ts';
import { actionOf, type FreshPlan, planFresh } from './plan-fresh.ts';
import { publishReadings, type RunContext } from './run-context.ts';

type Predicts = { readonly [host: string]: { readonly [key: string]: Reading | null } };

/**
 * Calls a step done that a person has brought to its end, once fresh readings say so: every fact it was to make is as it was to
 * be, and, where its host would put it back by itself, Ferry can log in anew. What it was to hand on and nobody knows is missing
 * from then on.
 * @throws STEP_STILL_RUNS, STEP_NOT_DONE naming the first fact that differs, STEP_UNPROVABLE where no fact tells,
 * DEAD_MAN_REVERTED
 */
export async function markDone(context: RunContext, step: Step): Promise<void> {
  const { run } = context.state;
  const state = context.stepState(step.id);
  const seen = state.attempt > 0 ? await hostsSeen(context, attemptOf(context, step.id, state.attempt), state.hosts) : [];
  for (const { host, commands } of seen) {
    const busy = commands?.find((command) => command.state === 'running');
    if (busy) throw new FerryError('STEP_STILL_RUNS', { step: step.id, host, command: busy.name, run });
  }
  // Before the facts are read: what is put back after that must not pass for what they show.
  const isGuarded = await isArmed(context, step);
  const plan = await planFresh(context, step);
  if (!plan) throw new FerryError('STEP_UNPROVABLE', { step: step.id, run, why: 'its condition does not hold' });
  const line = context.state.plan.lines.find((one) => one.step === step.id);
  const predicts = (state.change?.predicts as unknown as Predicts | undefined) ?? line?.predicts ?? {};
  const isUnchanged = plan.planned.kind === 'no-change';
  const wanted = refuseDiffering(context, step, predicts, plan.found);
  const why =
    wanted.known === 0
      ? 'it changes no fact that can be told beforehand'
      : `what becomes of ${wanted.untold} is known by itself alone`;
  if (!isUnchanged && (wanted.known === 0 || wanted.untold !== null))
    throw new FerryError('STEP_UNPROVABLE', { step: step.id, run, why });
  refuseUndone(context, step, plan);
  if (isGuarded) await confirmDeadMan(context, step, state.attempt);
  else await proveWayIn(context, step, state.attempt);
  const made = isUnchanged ? context.keepOutputs(step.id, plan.planned.outputs) : {};
  const all = mergeOutputs(state.promised, made);
  const outputs = Object.fromEntries(Object.entries(all).filter(([, value]) => !holdsUnknown(value)));
  const by = context.ports.holder;
  const host = plan.site.host.name;
  context.record('step.marked-done', {
    step: step.id,
    host,
    body: { by, outputs, facts: factsSeen(context, state, plan.found), ...publishReadings(plan.found) },
  });
  const warnings = state.undo === null ? ['The run did nothing of it, so a rollback undoes nothing of it.'] : [];
  context.emit({ type: 'failure.answered', step: step.id, host, answer: 'mark-done', by, reason: null, warnings });
}

/**
 * What an earlier attempt made, the latest one predicts nothing of; where it is not so any more, the step would do it again.
 * @throws STEP_NOT_DONE, STEP_UNPROVABLE where no fact shows what is left to do
 */
function refuseUndone(context: RunContext, step: Step, { planned, found }: FreshPlan): void {
  if (planned.kind !== 'change' || actionOf(context, step).converges === false) return;
  refuseDiffering(context, step, publishPredictions(planned), found);
  const why = `there is something left to do that no fact of it shows (${planned.summary})`;
  throw new FerryError('STEP_UNPROVABLE', { step: step.id, run: context.state.run, why });
}

/** @throws STEP_NOT_DONE */
function refuseDiffering(
  context: RunContext,
  step: Step,
  predicts: Predicts,
  found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>,
): { known: number; untold: string | null } {
  let known = 0;
  let untold: string | null = null;
  for (const [ref, observed] of found) {
    const wanted = predicts[ref.host]?.[ref.key];
    if (wanted === undefined || ref.kind.class !== 'state') continue;
    const now = context.published(ref.kind, observed);
    if (wanted === null) untold ??= `${ref.key} on ${ref.host}`;
    else if (sameReading(ref.kind, wanted, now)) known += 1;
    else
      throw new FerryError(
        'STEP_NOT_DONE',
        {
          ...{ step: step.id, host: ref.host, fact: ref.key, run: context.state.run },
          ...{ wanted: showReading(ref.kind, wanted), now: showReading(ref.kind, now) },
        },
        { left: 'Nothing was changed.' },
      );
  }
  return { known, untold };
}
