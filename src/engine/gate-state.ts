import type { DiffLine } from '../actions/action.ts';

/** The question before a step as it was asked: what a yes to it is a yes to. */
export interface AskedGate {
  readonly question: string;
  /** What the step would do, as the plan made right before says it. */
  readonly summary: string;
  readonly diff: readonly DiffLine[];
  readonly undo: string | null;
  /** Over the plan's digest and all of the above: an answer holds for this and for nothing else. */
  readonly digest: string;
}

/** What somebody said to the question before a step. */
export interface GateAnswer {
  readonly verdict: 'approved' | 'rejected';
  /** `user@machine`. */
  readonly by: string;
  readonly at: string;
  readonly comment: string | null;
  readonly question: string;
  /** Digest of the run's plan. */
  readonly plan: string;
  /** Of the question as it was asked; null when the answer came before the gate was reached. */
  readonly digest: string | null;
  /** Whether it was given by a command of its own, not in the terminal of the run. */
  readonly isFromElsewhere: boolean;
}

/** What is on record of the question before a step. */
export interface GateState {
  readonly asked: (AskedGate & { readonly at: string }) | null;
  readonly answer: GateAnswer | null;
  /** An answer that was given and does not count: what it was given for is not what the step would do. */
  readonly stale: GateAnswer | null;
  /** True once the step was begun on that answer; it then holds for no other attempt. */
  readonly used: boolean;
}

export const noGate: GateState = { asked: null, answer: null, stale: null, used: false };
