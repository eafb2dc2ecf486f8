import { entry } from '../entry.ts';

/** Errors of what a person decides about a step: skipping it, calling it done, and what that leaves open. */
export const byHandErrors = {
  RUN_STEP_UNKNOWN: entry<{ step: string; run: string; near: string }>({
    title: 'The run has no such step',
    message: (a) => `Run ${a.run} has no step ${a.step}${a.near ? `; did you mean ${a.near}?` : '.'}`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 64,
    example: { step: 'restor', run: 'r-1', near: 'restore' },
  }),
  STEP_NOT_AT_TURN: entry<{ step: string; run: string; why: string }>({
    title: 'The run does not stand at that step',
    message: (a) => `Nothing can be decided about step ${a.step} now: ${a.why}.`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 5,
    example: { step: 'compare', run: 'r-1', why: 'restore comes first' },
  }),
  STEP_NOT_SKIPPABLE: entry<{ step: string; why: string; todo: string }>({
    title: 'A step cannot be skipped',
    message: (a) => `Step ${a.step} cannot be skipped: ${a.why}.`,
    hint: (a) => a.todo,
    exit: 5,
    example: { step: 'agree', why: 'it is a question, and only an answer lets the run past it', todo: 'ferry resume r-1' },
  }),
  STEP_NOT_DONE: entry<{ step: string; host: string; fact: string; wanted: string; now: string; run: string }>({
    title: 'A step cannot be marked done: its facts do not agree',
    message: (a) =>
      `Step ${a.step} cannot be marked done: ${a.fact} on ${a.host} is ${a.now}, and the step was to make it ${a.wanted}.`,
    hint: (a) =>
      `Bring it there by hand, then  ferry resume ${a.run} --mark-done ${a.step};  or  ferry resume ${a.run}   lets the step try again.`,
    exit: 5,
    example: {
      ...{ step: 'stop', host: 'engine', fact: 'unitState(x.service)', wanted: 'inactive', now: 'active' },
      run: 'r-1',
    },
  }),
  STEP_UNPROVABLE: entry<{ step: string; run: string; why: string }>({
    title: 'A step cannot be marked done: no fact tells whether it is',
    message: (a) => `Step ${a.step} cannot be marked done: ${a.why}, so nobody can see that it is done.`,
    hint: (a) => `To go on without it:  ferry resume ${a.run} --skip ${a.step} --reason "WHY"`,
    exit: 5,
    example: { step: 'mail', run: 'r-1', why: 'it changes no fact that Ferry can read' },
  }),
  STEP_STILL_RUNS: entry<{ step: string; host: string; command: string; run: string }>({
    title: 'A command of the step still runs',
    message: (a) => `Step ${a.step} cannot be marked done: its command ${a.command} still runs on ${a.host}.`,
    hint: (a) => `ferry resume ${a.run}   waits for its end;  ferry rollback ${a.run}   ends it.`,
    exit: 5,
    example: { step: 'restore', host: 'newdb', command: 'restore', run: 'r-1' },
  }),
  EDIT_TOO_LATE: entry<{ run: string; steps: string; to: string }>({
    title: 'An edit of the runbook comes too late for a run',
    message: (a) =>
      `Run ${a.run} cannot go on with the edited runbook: steps that were begun are not the same in it: ${a.steps}.`,
    hint: (a) =>
      a.to
        ? `ferry rollback ${a.run} --to ${a.to}   then   ferry resume ${a.run} --runbook redo;  or go on with the text the run began with:  --runbook keep`
        : `ferry rollback ${a.run}   and run the edited one anew;  or go on with the text the run began with:  ferry resume ${a.run} --runbook keep`,
    exit: 5,
    example: { run: 'r-1', steps: 'dump (changed)', to: 'quiesced' },
  }),
  OUTPUT_MISSING: entry<{ step: string; output: string; how: string; run: string }>({
    title: 'A step needs what a skipped one would have handed on',
    message: (a) => `The output ${a.output} of step ${a.step} is needed here, and there is none: ${a.step} was ${a.how}.`,
    hint: (a) =>
      `Go on without this step too:  ferry resume ${a.run} --skip STEP --reason "WHY";  or go back to before ${a.step}:  ferry rollback ${a.run} --to CHECKPOINT`,
    exit: 5,
    example: { step: 'dump', output: 'path', how: 'skipped by root@admin1 (disk full)', run: 'r-1' },
  }),
};
