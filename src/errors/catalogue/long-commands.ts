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
  LOG_TOO_LONG: entry<{ host: string; what: string; log: string; run: string }>({
    title: 'A long command printed without end',
    message: (a) =>
      `${a.what} on ${a.host} had printed more than 256 MiB, which would have filled the disk under /var/lib. It was ended, with all it had started; what it had done by then stays.`,
    hint: (a) =>
      `ferry resume ${a.run}   begins a new attempt;  ferry rollback ${a.run}   goes back;  on ${a.host}, tail ${a.log}   shows what it printed, and the file goes with  ferry clean`,
    exit: 1,
    example: {
      ...{ host: 'newdb', what: 'load (command)', run: 'r-20260101-020000-ab12' },
      log: '/var/lib/ferry/r-20260101-020000-ab12/load.1/command/out',
    },
  }),
  RUN_CLEANED: entry<{ run: string; at: string }>({
    title: 'What the run kept was removed',
    message: (a) =>
      `What run ${a.run} kept on its hosts was removed by ferry clean (${a.at}); it cannot be rolled back any more.`,
    exit: 5,
    example: { run: 'r-20260101-020000-ab12', at: '2026-02-01T02:00:00Z' },
  }),
  CLEAN_REFUSED: entry<{ run: string; phase: string }>({
    title: 'The run is not over',
    message: (a) => `Run ${a.run} is not over (${a.phase}): what it has on its hosts is what leads on and back.`,
    hint: (a) => `ferry status ${a.run}   tells what leads on; once it is over:  ferry clean ${a.run}`,
    exit: 5,
    example: { run: 'r-20260101-020000-ab12', phase: 'paused' },
  }),
  CLEAN_UNCONFIRMED: entry<{ run: string }>({
    title: 'Nobody could be asked',
    message: () => 'Nobody could be asked whether it may be removed for good. Nothing was removed.',
    hint: (a) => `ferry clean ${a.run}${a.run ? ' ' : ''}--plan   shows what would go;  --yes   removes it without asking.`,
    exit: 5,
    example: { run: 'r-20260101-020000-ab12' },
  }),
  CLEAN_LEFT: entry<{ what: string; why: string; command: string; gone: string }>({
    title: 'Not all could be removed',
    message: (a) => `Something of ${a.what} stays on hosts: ${a.why}.`,
    hint: (a) => `Once that is mended:  ${a.command}${a.gone ? `;  where it is gone for good:  ${a.gone}` : ''}`,
    exit: 3,
    example: {
      ...{ what: '1 run', why: 'newdb: it is not in inventory.yaml', command: 'ferry clean r-20260101-020000-ab12' },
      gone: 'ferry clean r-20260101-020000-ab12 --without newdb',
    },
  }),
};
