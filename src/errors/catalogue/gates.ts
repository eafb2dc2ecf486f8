import { entry } from '../entry.ts';

/** Errors of the questions before steps, and of those who answer them. */
export const gateErrors = {
  GATE_WAITS: entry<{ step: string; question: string; run: string }>({
    title: 'A step waits for a person',
    message: (a) => `Step ${a.step} waits for a person: ${a.question}`,
    hint: (a) => `ferry approve ${a.run} ${a.step}   and   ferry resume ${a.run}   go on;  ferry rollback ${a.run}   goes back.`,
    exit: 3,
    example: { step: 'go', question: 'Start the engine on the new database?', run: 'r-1' },
  }),
  GATE_REJECTED: entry<{ step: string; question: string; by: string; at: string; why: string; run: string }>({
    title: 'A person said no to a step',
    message: (a) => `${a.by} said no to step ${a.step} at ${a.at}${a.why ? `: ${a.why}` : '.'} (${a.question})`,
    hint: (a) =>
      `ferry rollback ${a.run}   goes back;  ferry approve ${a.run} ${a.step}   and   ferry resume ${a.run}   go on all the same.`,
    exit: 3,
    example: {
      ...{ step: 'go', question: 'Start the engine on the new database?', by: 'anna@admin2', run: 'r-1' },
      ...{ at: '2026-01-01T02:20:00.000Z', why: 'the counts do not agree' },
    },
  }),
  GATE_UNKNOWN: entry<{ run: string; step: string; near: string; known: string }>({
    title: 'There is no question before that step',
    message: (a) =>
      `Run ${a.run} asks nobody before a step ${a.step}${a.near ? `; did you mean ${a.near}?` : '.'} ${a.known ? `It asks before: ${a.known}.` : 'It asks before none.'} Nothing was recorded.`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 64,
    example: { run: 'r-1', step: 'og', near: 'go', known: 'go, start-services' },
  }),
  GATE_NOT_WAITING: entry<{ run: string; why: string }>({
    title: 'Nothing waits for that answer',
    message: (a) => `Run ${a.run} does not wait for this answer: ${a.why}. Nothing was recorded.`,
    hint: (a) => `ferry status ${a.run}`,
    exit: 64,
    example: { run: 'r-1', why: 'go was passed at 2026-01-01T02:20:00.000Z' },
  }),
  APPROVAL_STALE: entry<{ run: string; step: string; why: string }>({
    title: 'What was to be approved is not what the step would do',
    message: (a) => `The answer for step ${a.step} was not recorded: ${a.why}.`,
    hint: (a) => `ferry status ${a.run}   shows what is asked now.`,
    exit: 5,
    example: { run: 'r-1', step: 'go', why: 'something else is asked now than what 1f2e3d4c names' },
  }),
};
