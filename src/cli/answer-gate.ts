import { foldRun } from '../engine/fold.ts';
import { type GateView, gateToAnswer } from '../engine/gate-view.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Journal } from '../journal/journal.ts';
import type { GateVerdict } from './contract.ts';
import { holderName } from './places.ts';

/** What an answer for a step would be an answer to. */
export function readGate(journal: Journal, run: string, step: string | undefined, verdict: GateVerdict): GateView {
  return gateToAnswer(foldRun(run, journal.read(run)), step, verdict === 'approved' ? 'approve' : 'reject');
}

/**
 * Puts an answer on record, for what was shown and nothing else. The run's lock is not taken: whoever waits for the answer
 * holds it, and reads the record.
 * @throws APPROVAL_STALE when another thing is asked by now
 */
export function recordAnswer(journal: Journal, shown: GateView, verdict: GateVerdict, comment: string | undefined): void {
  const state = foldRun(shown.run, journal.read(shown.run));
  const now = gateToAnswer(state, shown.step, verdict === 'approved' ? 'approve' : 'reject');
  if (now.digest !== shown.digest)
    throw new FerryError('APPROVAL_STALE', { run: now.run, step: now.step, why: 'something else is asked by now' });
  journal.append(shown.run, {
    type: `gate.${verdict}`,
    epoch: state.epoch,
    step: shown.step,
    host: shown.host,
    body: {
      by: holderName(),
      question: shown.question,
      plan: state.plan.digest,
      digest: shown.digest,
      comment: comment ?? null,
    },
  });
}
