import { entry } from '../entry.ts';

/** Errors of commands that last long, and of what is left on hosts when a run is over. */
export const longCommandErrors = {
  STEP_CANCELLED: entry<{ step: string; hosts: string; run: string }>({
    title: 'A step was cancelled',
    message: (a) => `Step ${a.step} was cancelled. Nothing of it runs on ${a.hosts} any more.`,
    hint: (a) => `ferry resume ${a.run}   looks at what is there and does the rest in a new attempt.`,
    exit: 3,
    example: { step: 'restore', hosts: 'newdb', run: 'r-20260101-020000-ab12' },
  }),
};
