import { isFerryError } from '../errors/ferry-error.ts';
import { estimatePlan, rollbackMs } from '../plan/estimate.ts';
import type { Step } from '../runbook/runbook.ts';
import { warningsOfSkip, whyNotSkipped } from './by-hand.ts';
import type { ErrorReport } from './events.ts';
import { isInDoubt } from './evidence.ts';
import type { FailureAnswer, FailureQuestion } from './failure-question.ts';
import { lookBack } from './look-back.ts';
import { markDone } from './mark-done.ts';
import { rollBack } from './rollback.ts';
import type { Ending } from './run.ts';
import { type RunContext, titleOf } from './run-context.ts';
import { skipStep } from './skip-step.ts';
import { timingsOf } from './timings.ts';
import { usersOf } from './users-of.ts';
import { standingCheckpoints } from './way-back.ts';

/**
 * Asks a person what becomes of a step that failed, until an answer can be carried out, and carries it out. Each answer is on
 * record. Answers with how the run ended, with null when it goes on, and with `pause` when it is to wait, as where nobody is there.
 */
export async function answerFailure(context: RunContext, step: Step, error: ErrorReport): Promise<Ending | 'pause' | null> {
  const { askFailure } = context.ports;
  if (!askFailure) return 'pause';
  context.emit({ type: 'failure.asked', step: step.id, host: context.hostOfRole(step.role).name, error });
  let refusal: ErrorReport | null = null;
  for (;;) {
    const answer = await askFailure(await questionOf(context, step, error, refusal));
    if (!answer || answer.answer === 'pause') return 'pause';
    try {
      return await carryOut(context, step, answer);
    } catch (thrown) {
      // Then nothing more can be recorded, whatever is answered.
      if (!isFerryError(thrown) || ['JOURNAL_UNWRITABLE', 'JOURNAL_FENCED'].includes(thrown.code)) throw thrown;
      // A run that goes back goes on no other way: what was undone would pass for done.
      if (context.state.phase === 'rolling-back') throw thrown;
      refusal = context.report(thrown, '');
    }
  }
}

async function carryOut(context: RunContext, step: Step, answer: FailureAnswer): Promise<Ending | null> {
  switch (answer.answer) {
    case 'skip':
      await skipStep(context, step, answer.reason);
      return null;
    case 'mark-done':
      await markDone(context, step);
      return null;
    case 'back':
      return rollBack(context, { to: answer.to ?? undefined, discardWrites: false });
    default: {
      const by = context.ports.holder;
      const host = context.hostOfRole(step.role).name;
      context.record('step.retried', { step: step.id, host, body: { by } });
      context.emit({
        ...{ type: 'failure.answered', step: step.id, host, answer: 'retry', by, reason: null },
        warnings: [],
      });
      return null;
    }
  }
}

async function questionOf(
  context: RunContext,
  step: Step,
  error: ErrorReport,
  refusal: ErrorReport | null,
): Promise<FailureQuestion> {
  const state = context.stepState(step.id);
  const line = context.state.plan.lines.find((one) => one.step === step.id);
  const lacking = usersOf(context, step);
  const refused = await whyNotSkipped(context, step);
  const reached = standingCheckpoints(context).map(({ name }) => name);
  const msOf = (steps: readonly string[]) =>
    rollbackMs(estimatePlan(context.state.plan, timingsOf(context.ports.journal.read(context.state.run))), steps);
  return {
    step: step.id,
    host: context.hostOfRole(step.role).name,
    title: titleOf(step),
    error,
    refusal,
    outcome: isInDoubt(state.phase) && state.phase !== 'failed' ? 'unknown' : 'failed',
    canMarkDone: Object.keys(state.change?.predicts ?? line?.predicts ?? {}).length > 0,
    skip: { refused: refused?.why ?? null, lacking, warnings: warningsOfSkip(context, step, lacking) },
    back: [...reached.reverse(), null],
    preview: (to) => lookBack(context, to === null ? {} : { to }, msOf),
  };
}
