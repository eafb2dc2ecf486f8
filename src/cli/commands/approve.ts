import { answersGate } from '../gate-verb.ts';
import type { Verb } from '../verb.ts';

/** `ferry approve [RUN] [STEP]`: says yes to the question before a step. */
export const approve: Verb = answersGate({
  name: 'approve',
  verdict: 'approved',
  summary: 'say yes to the question before a step',
  description:
    'Show what a step asks and what it would do, and put a yes on record, with your name. A Ferry that waits for it goes on at once; a run that ' +
    'is paused goes on with ferry resume, which does not ask again. Before the run has come to the step the yes is for its line in the plan. ' +
    'It holds for what was shown: when the step would do something else by then, it is asked again. Touches no host.',
  words: ['--comment <text>', 'goes on record with it'],
  examples: ['ferry approve', 'ferry approve r-20260101-020000-ab12 start-services --comment counted'],
});
