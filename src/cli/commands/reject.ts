import { answersGate } from '../gate-verb.ts';
import type { Verb } from '../verb.ts';

/** `ferry reject [RUN] [STEP]`: says no to the question before a step. */
export const reject: Verb = answersGate({
  name: 'reject',
  verdict: 'rejected',
  summary: 'say no to the question before a step',
  description:
    'Show what a step asks and what it would do, and put a no on record, with your name. The run pauses before the step; ferry resume asks ' +
    'again. Touches no host.',
  words: ['--reason <text>', 'goes on record with it'],
  examples: ['ferry reject', 'ferry reject r-20260101-020000-ab12 start-services --reason later'],
});
