import { entry } from '../entry.ts';

/** Errors of the command line and its surroundings. */
export const usageErrors = {
  USAGE_WRONG: entry<{ problem: string; command: string }>({
    title: 'The command line is wrong',
    message: (a) => `${a.problem} Nothing was done.`,
    hint: (a) => `${a.command} --help`,
    exit: 64,
    example: { problem: 'There is no option --untill; did you mean --until?', command: 'ferry run' },
  }),
  ACTION_NAME_WRONG: entry<{ name: string; nearest: string }>({
    title: 'There is no such action',
    message: (a) => `There is no action "${a.name}"${a.nearest === '' ? '.' : `; did you mean ${a.nearest}?`} Nothing was done.`,
    hint: (a) => (a.nearest === '' ? 'ferry actions   lists them.' : `ferry actions ${a.nearest}`),
    exit: 64,
    example: { name: 'postgres.restor', nearest: 'postgres.restore' },
  }),
  FILE_UNREADABLE: entry<{ file: string; why: string }>({
    title: 'A file cannot be read',
    message: (a) => `${a.file} cannot be read: ${a.why}.`,
    exit: 64,
    example: { file: 'move.yaml', why: 'no such file' },
  }),
  FILE_UNWRITABLE: entry<{ file: string; why: string }>({
    title: 'A file cannot be written',
    message: (a) => `${a.file} cannot be written: ${a.why}.`,
    exit: 64,
    example: { file: 'plan.json', why: 'permission denied' },
  }),
  SECRET_SOURCE_WRONG: entry<{ name: string; got: string }>({
    title: 'The source of a secret is not understood',
    message: (a) => `The secret ${a.name} needs a source, and got ${a.got}. A source is env:VARIABLE, file:PATH or cmd:COMMAND.`,
    hint: (a) => `--secret ${a.name}=file:/root/${a.name}`,
    exit: 64,
    example: { name: 'password', got: 'a word without a source' },
  }),
  SECRET_UNAVAILABLE: entry<{ name: string; source: string; why: string }>({
    title: 'A secret cannot be read',
    message: (a) => `The secret ${a.name} cannot be read from ${a.source}: ${a.why}.`,
    exit: 64,
    example: { name: 'password', source: 'env:DB_PASSWORD', why: 'the variable is not set' },
  }),
  SECRET_FILE_OPEN: entry<{ name: string; file: string; mode: string }>({
    title: 'A secret file is open to others',
    message: (a) => `The secret ${a.name} was not read: others than its owner can read or change ${a.file} (mode ${a.mode}).`,
    hint: (a) => `chmod 600 ${a.file}`,
    exit: 64,
    example: { name: 'password', file: '/root/password', mode: '0644' },
  }),
  LAB_FAILED: entry<{ what: string; todo: string }>({
    title: 'The lab cannot do that',
    message: (a) => `${a.what.replace(/[.]$/, '')}.`,
    hint: (a) => a.todo,
    exit: 1,
    example: { what: 'this machine has no systemd-nspawn', todo: 'apt-get install systemd-container' },
  }),
  INTERNAL: entry<{ what: string }>({
    title: 'Ferry made a mistake',
    message: (a) => `This is a defect of Ferry: ${a.what}. What was journaled is safe.`,
    hint: () => 'ferry status   tells where the run stands; please report this with the output of  ferry log.',
    exit: 1,
    example: { what: 'no such record' },
  }),
};
