import { entry } from '../entry.ts';

/** Errors of values given to a run from outside. */
export const inputErrors = {
  INPUT_MISSING: entry<{ input: string; description: string; flag: string }>({
    title: 'A required input was not given',
    message: (a) => `The input "${a.input}" was not given${a.description ? ` (${a.description})` : ''}.`,
    hint: (a) => `Add:  ${a.flag}`,
    exit: 64,
    example: { input: 'password', description: 'Password of the role', flag: '--secret password=file:PATH' },
  }),
  INPUT_INVALID: entry<{ input: string; expected: string; got: string }>({
    title: 'An input has a value of the wrong type',
    message: (a) => `The input "${a.input}" must be ${a.expected}, got ${a.got}.`,
    exit: 64,
    example: { input: 'port', expected: 'a whole number', got: '"five"' },
  }),
  INPUT_SECRET_EXPOSED: entry<{ input: string }>({
    title: 'A secret was given in the open',
    message: (a) => `The input "${a.input}" is a secret; a value on the command line or in a plain file can be seen by others.`,
    hint: (a) => `Use:  --secret ${a.input}=file:PATH   (or env:VAR, or cmd:COMMAND)`,
    exit: 64,
    example: { input: 'password' },
  }),
  INPUT_UNDECLARED: entry<{ input: string; nearest: string; known: string }>({
    title: 'The runbook has no such input',
    message: (a) => `The runbook has no input "${a.input}".`,
    hint: (a) => (a.nearest ? `Did you mean "${a.nearest}"?` : a.known ? `It has: ${a.known}.` : 'It has no inputs.'),
    exit: 64,
    example: { input: 'databse', nearest: 'database', known: 'database, password' },
  }),
};
