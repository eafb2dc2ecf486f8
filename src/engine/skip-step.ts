import { FerryError } from '../errors/ferry-error.ts';
import type { Step } from '../runbook/runbook.ts';
import { plannedOn, warningsOfSkip, whyNotSkipped } from './by-hand.ts';
import { settleDeadMan } from './dead-man.ts';
import { isInDoubt, recordedRefs } from './evidence.ts';
import { publishReadings, type RunContext } from './run-context.ts';
import { endEffects } from './settle.ts';
import { usersOf } from './users-of.ts';

/**
 * Goes on without a step, because a person says so and why. What it half did stays and is undone by a rollback; nothing of it
 * runs any more when this returns. Steps planned on what it was to make are planned anew, and what needs its outputs is refused
 * when its turn comes.
 * @throws STEP_NOT_SKIPPABLE for a gate and for the write line
 */
export async function skipStep(context: RunContext, step: Step, reason: string): Promise<void> {
  const refusal = await whyNotSkipped(context, step);
  if (refusal) throw new FerryError('STEP_NOT_SKIPPABLE', { step: step.id, ...refusal }, { left: 'Nothing was changed.' });
  const host = context.hostOfRole(step.role).name;
  const state = context.stepState(step.id);
  const begun = isInDoubt(state.phase);
  const lacking = usersOf(context, step);
  if (begun) {
    // What nobody confirms goes back now, not behind the back of the steps to come.
    await settleDeadMan(context, step, true);
    await endEffects(context, step.id, state.attempt, state.hosts);
  }
  // What it left is from now on what is there: nobody else has moved it.
  const found = begun ? await context.observe(await recordedRefs(context, state)) : new Map();
  const by = context.ports.holder;
  const warnings = warningsOfSkip(context, step, lacking);
  context.record('step.skipped', {
    step: step.id,
    host,
    body: { by, reason, lacking, replan: plannedOn(context, step.id), ...publishReadings(found) },
  });
  context.emit({ type: 'failure.answered', step: step.id, host, answer: 'skip', by, reason, warnings });
}
