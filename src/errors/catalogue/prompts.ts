import { entry } from '../entry.ts';

/** Errors of programs that ask questions. */
export const promptErrors = {
  PROMPT_UNEXPECTED: entry<{ program: string; host: string; question: string; why: string; answered: string }>({
    title: 'A program asked something unexpected',
    message: (a) =>
      `${a.program} on ${a.host} waits for an answer that the runbook does not give (${a.why}):\n${a.question}\nAnswered before: ${a.answered}. The program was ended.`,
    hint: () => 'Give the runbook an answer to it, then:  ferry resume   puts back what the step protects and begins anew.',
    exit: 1,
    example: {
      program: 'engine-setup',
      host: 'dwh',
      question: 'Do you want to permanently disconnect this DWH from the engine? (Yes, No) [No]:',
      why: 'no pattern fits it',
      answered: '2 questions, the last "Host fully qualified DNS name of this server"',
    },
  }),
  PROMPT_NOT_ASKED: entry<{ program: string; host: string; code: number; missing: string; answered: string }>({
    title: 'A program did not ask what it should',
    message: (a) =>
      `${a.program} on ${a.host} has ended with exit code ${a.code} and never asked ${a.missing}: it did something else than the runbook thinks. Answered: ${a.answered}.`,
    hint: () =>
      'Look at what it did. Where it may leave that question out, say optional: true at the answer; then:  ferry resume',
    exit: 1,
    example: { program: 'engine-setup', host: 'dwh', code: 0, missing: '/^Engine password/', answered: 'nothing' },
  }),
  PROMPT_TIMEOUT: entry<{ program: string; host: string; limit: string; question: string; answered: string }>({
    title: 'A program that asks took too long',
    message: (a) =>
      `${a.program} on ${a.host} did not end within ${a.limit}, and was ended. Answered: ${a.answered}. Last printed: ${a.question}`,
    hint: () => 'Give it more time (timeout), then:  ferry resume   puts back what the step protects and begins anew.',
    exit: 1,
    example: {
      program: 'engine-setup',
      host: 'dwh',
      limit: '30 min',
      question: '[ INFO  ] Stage: Misc configuration',
      answered: 'nothing',
    },
  }),
  TERMINAL_UNSUPPORTED: entry<{ host: string; why: string }>({
    title: 'There is no terminal to be had',
    message: (a) => `A program that asks needs a terminal, and on ${a.host} there is none to be had: ${a.why}. Nothing was run.`,
    hint: () => 'Reach that machine by ssh instead of connection: local, or install util-linux on it.',
    exit: 1,
    example: { host: 'here', why: 'it has no `script` command' },
  }),
};
