import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Step } from '../runbook/runbook.ts';
import { settleDeadMan } from './dead-man.ts';
import { isInDoubt } from './evidence.ts';
import type { RunContext } from './run-context.ts';
import { endEffects } from './settle.ts';

/**
 * What a step under way ended with, when a person has cancelled it: its long commands are ended on their hosts, with all they
 * started, and its short ones have come to their end, when this returns STEP_CANCELLED. A step that failed for a reason of its
 * own, or whose host cannot be reached, keeps that: there nothing is known to be ended.
 */
export async function cancelledStep(context: RunContext, step: Step, thrown: unknown): Promise<unknown> {
  if (!context.ports.cancel.aborted || isFerryError(thrown)) return thrown;
  const { phase, attempt, hosts } = context.stepState(step.id);
  try {
    if (isInDoubt(phase)) {
      await endEffects(context, step.id, attempt, hosts);
      await settleDeadMan(context, step, true);
    }
  } catch (failure) {
    return failure;
  }
  return new FerryError('STEP_CANCELLED', { step: step.id, hosts: hosts.join(' and '), run: context.state.run });
}
