import type { DiffLine } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { nearest } from '../lib/text.ts';
import { isOver, type RunState } from './state.ts';

/** What somebody answers who answers the question before a step. */
export interface GateView {
  readonly run: string;
  readonly step: string;
  readonly host: string;
  readonly question: string;
  readonly summary: string;
  readonly diff: readonly DiffLine[];
  readonly undo: string | null;
  /** Null when the run has not come to the step yet: then it is the plan that is answered. */
  readonly digest: string | null;
  readonly askedAt: string | null;
  /** The digest of the plan it stands in: a revision voids the answer. */
  readonly plan: string;
}

/** Steps that wait for an answer, in the order of the plan. One that was rejected waits for another, one that is passed for none. */
export function waitingGates({ plan, gates, steps: states }: RunState): string[] {
  const isPassed = (step: string): boolean => ['done', 'skipped'].includes(states.get(step)?.phase ?? 'waiting');
  const steps = [...new Set(plan.lines.map(({ step }) => step))].filter((step) => !isPassed(step));
  return steps.filter((step) => gates[step]?.asked && gates[step]?.answer?.verdict !== 'approved');
}

/**
 * What an answer would be an answer to: the question before the step that is named, or the one that waits.
 * @throws RUN_OVER, RUN_GOES_BACK, GATE_UNKNOWN, GATE_NOT_WAITING, APPROVAL_STALE
 */
export function gateToAnswer(state: RunState, named: string | undefined, verb: 'approve' | 'reject'): GateView {
  const { run, plan } = state;
  if (isOver(state)) throw new FerryError('RUN_OVER', { run, phase: state.phase, verb, path: state.path });
  if (state.phase === 'rolling-back') throw new FerryError('RUN_GOES_BACK', { run });
  const waiting = waitingGates(state);
  const step = named ?? onlyOne(state, waiting, verb);
  const asking = [
    ...new Set(plan.lines.filter((line) => line.question || state.gates[line.step]?.asked).map((line) => line.step)),
  ];
  const line = plan.lines.find((one) => one.step === step);
  if (!line || !asking.includes(step)) {
    const near = line ? '' : (nearest(step, asking) ?? '');
    throw new FerryError('GATE_UNKNOWN', { run, step, near, known: asking.join(', ') });
  }
  const passed = state.steps.get(step);
  if (passed?.phase === 'done' || passed?.phase === 'skipped')
    throw new FerryError('GATE_NOT_WAITING', { run, why: `${step} was passed${passed.endedAt ? ` at ${passed.endedAt}` : ''}` });
  const { asked } = state.gates[step] ?? {};
  if (asked) {
    const { question, summary, diff, undo, digest } = asked;
    return { run, step, host: line.host, question, summary, diff, undo, digest, askedAt: asked.at, plan: plan.digest };
  }
  // Its line in the plan is not what it would do any more, and what it would do is not known before it is reached.
  if (state.replanned.has(step) || passed?.undo)
    throw new FerryError('APPROVAL_STALE', { run, step, why: 'it is planned anew when it is reached, and asks then' });
  const { host, question = '', summary, diff, undo } = line;
  return { run, step, host, question, summary, diff, undo, digest: null, askedAt: null, plan: plan.digest };
}

function onlyOne({ run }: RunState, waiting: readonly string[], verb: string): string {
  const [step, ...more] = waiting;
  if (step === undefined) throw new FerryError('GATE_NOT_WAITING', { run, why: 'no step of it waits for a person now' });
  if (more.length === 0) return step;
  const problem = `Several steps of run ${run} wait for a person: ${waiting.join(', ')}. Name one.`;
  throw new FerryError('USAGE_WRONG', { problem, command: `ferry ${verb}` });
}
