import { foldRun } from '../engine/fold.ts';
import { type GateView, gateToAnswer } from '../engine/gate-view.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Journal } from '../journal/journal.ts';
import type { GateVerdict } from './contract.ts';
import { holderName } from './places.ts';

/** As much of a digest as tells one from another; a notification names more of it. */
const DIGEST = /^[0-9a-f]{8,64}$/i;

/**
 * What an answer for a step would be an answer to; with a `digest`, only when that begins the digest of what is asked.
 * @throws USAGE_WRONG, APPROVAL_STALE, and what `gateToAnswer` throws
 */
export function readGate(
  journal: Journal,
  run: string,
  step: string | undefined,
  verdict: GateVerdict,
  digest: string | undefined,
): GateView {
  const verb = verdict === 'approved' ? 'approve' : 'reject';
  if (digest !== undefined && !DIGEST.test(digest))
    throw new FerryError('USAGE_WRONG', { problem: '--digest must be at least 8 hex digits.', command: `ferry ${verb}` });
  const found = gateToAnswer(foldRun(run, journal.read(run)), step, verb);
  if (digest === undefined || found.digest?.startsWith(digest.toLowerCase())) return found;
  const why = `${found.digest ? 'something else is asked now than what' : 'it is not asked now;'} ${digest} names`;
  throw new FerryError('APPROVAL_STALE', { run: found.run, step: found.step, why });
}

/**
 * Puts an answer on record, for what was shown and nothing else. The run's lock is not taken: whoever waits for the answer
 * holds it, and reads the record.
 * @throws APPROVAL_STALE when another thing is asked by now
 */
export function recordAnswer(journal: Journal, shown: GateView, verdict: GateVerdict, comment: string | undefined): void {
  const state = foldRun(shown.run, journal.read(shown.run));
  const now = gateToAnswer(state, shown.step, verdict === 'approved' ? 'approve' : 'reject');
  if (now.digest !== shown.digest || now.plan !== shown.plan)
    throw new FerryError('APPROVAL_STALE', { run: now.run, step: now.step, why: 'something else is asked by now' });
  journal.append(shown.run, {
    type: `gate.${verdict}`,
    epoch: state.epoch,
    step: shown.step,
    host: shown.host,
    body: {
      by: holderName(),
      question: shown.question,
      plan: shown.plan,
      digest: shown.digest,
      comment: comment ?? null,
    },
  });
}
