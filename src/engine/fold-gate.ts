import type { JournalRecord } from '../journal/journal.ts';
import { type AskedGate, type GateAnswer, noGate } from './gate-state.ts';
import type { RunState } from './state.ts';

/** Brings the question before a step on by one record. */
export function applyGateRecord(state: RunState, step: string, { type, at, body }: JournalRecord): void {
  const gate = state.gates[step] ?? noGate;
  switch (type) {
    case 'gate.asked':
      // Asked again, because what was answered is not what is asked now.
      state.gates[step] = {
        asked: { ...(body as unknown as AskedGate), at },
        answer: null,
        stale: gate.used ? null : (gate.answer ?? gate.stale),
        used: false,
      };
      break;
    case 'gate.approved':
    case 'gate.rejected':
    case 'gate.confirmed':
      state.gates[step] = {
        ...gate,
        answer: {
          verdict: type === 'gate.rejected' ? 'rejected' : 'approved',
          by: String(body.by),
          at,
          comment: typeof body.comment === 'string' ? body.comment : null,
          question: String(body.question),
          plan: String(body.plan),
          digest: typeof body.digest === 'string' ? body.digest : null,
          isFromElsewhere: type !== 'gate.confirmed',
        } satisfies GateAnswer,
        stale: null,
        used: false,
      };
      break;
    case 'step.intended':
    case 'step.confirmed':
      if (gate.answer) state.gates[step] = { ...gate, used: true };
      break;
  }
}

/** What was answered so far holds no more: what the steps would do was planned anew, or is taken back. */
export function voidAnswers(state: RunState): void {
  for (const [step, gate] of Object.entries(state.gates))
    state.gates[step] = { ...noGate, stale: gate.used ? null : (gate.answer ?? gate.stale) };
}

/** A run that goes on asks again what was answered with no. */
export function forgetRejections(state: RunState): void {
  for (const [step, gate] of Object.entries(state.gates))
    if (gate.answer?.verdict === 'rejected') state.gates[step] = { ...noGate, stale: gate.answer };
}
