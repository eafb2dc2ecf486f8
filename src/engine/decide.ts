import type { Runbook, Step } from '../runbook/runbook.ts';
import type { RunState } from './state.ts';
import { inTurn } from './turns.ts';

/** What may happen next, from the state alone. */
export interface Decision {
  /** Steps whose needs are met, which are not done, and whose turn it is among the parts of a whole; in file order. */
  readonly ready: readonly Step[];
  /** Checkpoints not on record whose steps are all done, and behind which nothing was begun: what is there is how they stand. */
  readonly reached: readonly string[];
  /** Every step is done. */
  readonly finished: boolean;
  /** Every step before the asked checkpoint is done. */
  readonly atUntil: boolean;
}

/** Decides what happens next. Pure. Steps behind the checkpoint `until` are not ready. */
export function decide(state: RunState, runbook: Runbook, until: string | undefined): Decision {
  const isDone = (id: string): boolean => ['done', 'skipped'].includes(state.steps.get(id)?.phase ?? 'waiting');
  const stop = until === undefined ? undefined : runbook.checkpoints.find((checkpoint) => checkpoint.name === until)?.afterStep;
  const within = stop === undefined ? runbook.steps : runbook.steps.slice(0, stop);
  const doneBefore = (count: number): boolean => runbook.steps.slice(0, count).every((step) => isDone(step.id));
  const isBegun = (step: Step): boolean => state.steps.get(step.id)?.phase !== 'waiting';
  const isBegunAfter = (count: number): boolean => runbook.steps.slice(count).some(isBegun);
  const ready = within.filter((step) => !isDone(step.id) && step.needs.every(isDone));
  return {
    ready: inTurn(ready, isBegun),
    reached: runbook.checkpoints
      .filter(({ name, afterStep }) => !state.checkpoints.includes(name) && doneBefore(afterStep) && !isBegunAfter(afterStep))
      .map(({ name }) => name),
    finished: runbook.steps.every((step) => isDone(step.id)),
    atUntil: stop !== undefined && doneBefore(stop),
  };
}
