import { entry } from '../entry.ts';
import { documentErrors } from './documents.ts';
import { expressionErrors } from './expressions.ts';
import { inputErrors } from './inputs.ts';
import { inventoryErrors } from './inventory.ts';
import { lintErrors } from './lint.ts';

const suggest = (nearest: string, known: string) =>
  nearest ? `Did you mean "${nearest}"?` : known ? `Known here: ${known}.` : '';

const ownErrors = {
  RUNBOOK_INVALID: entry<{ file: string; count: number }>({
    title: 'The runbook has errors',
    message: (a) => `${a.file} has ${a.count === 1 ? 'an error' : `${a.count} errors`}. No host was touched.`,
    exit: 65,
    example: { file: 'move.yaml', count: 2 },
  }),
  ACTION_UNKNOWN: entry<{ action: string; nearest: string }>({
    title: 'A step uses an unknown action',
    message: (a) => `There is no action "${a.action}".`,
    hint: (a) => (a.nearest ? `Did you mean "${a.nearest}"?` : 'ferry actions   lists them all.'),
    exit: 65,
    example: { action: 'service.halt', nearest: 'service.start' },
  }),
  ROLE_UNKNOWN: entry<{ role: string; nearest: string; known: string }>({
    title: 'A role is not declared',
    message: (a) => `The runbook declares no role "${a.role}".`,
    hint: (a) => suggest(a.nearest, a.known) || 'Declare it under "roles".',
    exit: 65,
    example: { role: 'enginee', nearest: 'engine', known: 'engine, new_db' },
  }),
  ROLE_DEFAULT_CIRCULAR: entry<{ role: string }>({
    title: 'The defaults of roles form a circle',
    message: (a) => `The default of role "${a.role}" leads back to itself.`,
    exit: 65,
    example: { role: 'old_db' },
  }),
  ROLE_UNMAPPED: entry<{ role: string; file: string }>({
    title: 'A role of an included runbook has no counterpart',
    message: (a) => `${a.file} needs the role "${a.role}", and there is none of that name here.`,
    hint: (a) => `Say which one it is:  roles: { ${a.role}: ... }`,
    exit: 65,
    example: { role: 'server', file: 'prepare.yaml' },
  }),
  ROLE_UNUSED: entry<{ role: string }>({
    title: 'A role is never used',
    message: (a) => `The role "${a.role}" is never used.`,
    exit: 65,
    example: { role: 'dwh' },
  }),
  INPUT_UNUSED: entry<{ input: string }>({
    title: 'An input is never used',
    message: (a) => `The input "${a.input}" is never used.`,
    exit: 65,
    example: { input: 'database' },
  }),
  SECRET_DEFAULT_FOUND: entry<{ input: string }>({
    title: 'A secret has a default',
    message: (a) => `The secret "${a.input}" has a default; a secret never stands in a file.`,
    hint: () => 'Take the default out. The value is asked for, or given with --secret.',
    exit: 65,
    example: { input: 'password' },
  }),
  SECRET_LITERAL_FOUND: entry<{ input: string }>({
    title: 'A secret is written in the runbook',
    message: (a) => `"${a.input}" is a secret, and its value is written here in the open.`,
    hint: () => `Declare an input of type secret and pass it on: "\${{ inputs.NAME }}"`,
    exit: 65,
    example: { input: 'password' },
  }),
  DEFAULT_INVALID: entry<{ input: string; expected: string; got: string }>({
    title: 'A default does not fit its input',
    message: (a) => `The default of "${a.input}" must be ${a.expected}, got ${a.got}.`,
    hint: (a) =>
      a.expected === 'text' && a.got.startsWith('the number ')
        ? 'Put it between quotes; without them YAML reads a number, and 0600 is 600.'
        : '',
    exit: 65,
    example: { input: 'port', expected: 'a whole number', got: 'the text "five"' },
  }),
  STEP_DUPLICATE: entry<{ id: string; where: string }>({
    title: 'Two steps have the same id',
    message: (a) => `The id "${a.id}" is taken already, by ${a.where}.`,
    exit: 65,
    example: { id: 'stop', where: 'move.yaml:12' },
  }),
  CHECKPOINT_DUPLICATE: entry<{ name: string; where: string }>({
    title: 'Two checkpoints have the same name',
    message: (a) => `The checkpoint "${a.name}" stands already at ${a.where}.`,
    exit: 65,
    example: { name: 'quiesced', where: 'move.yaml:12' },
  }),
  NEED_LATER: entry<{ step: string }>({
    title: 'A step needs a later one',
    message: (a) => `"${a.step}" comes later in the file; a step can need only steps before it.`,
    hint: () => 'Change the order: the file is written in an order in which it can be done.',
    exit: 65,
    example: { step: 'restore' },
  }),
  NEED_CIRCULAR: entry<{ circle: string }>({
    title: 'Steps need each other in a circle',
    message: (a) =>
      a.circle.split(' -> ').length === 2
        ? `Step "${a.circle.split(' -> ')[0]}" needs itself.`
        : `These steps need each other: ${a.circle}.`,
    exit: 65,
    example: { circle: 'a -> b -> a' },
  }),
  INCLUDE_CIRCULAR: entry<{ circle: string }>({
    title: 'Runbooks include each other in a circle',
    message: (a) =>
      a.circle.split(' -> ').length === 2
        ? `${a.circle.split(' -> ')[0]} includes itself.`
        : `These runbooks include each other: ${a.circle}.`,
    exit: 65,
    example: { circle: 'a.yaml -> b.yaml -> a.yaml' },
  }),
  INCLUDE_UNREADABLE: entry<{ file: string; why: string }>({
    title: 'An included runbook cannot be read',
    message: (a) => `${a.file} cannot be read: ${a.why}.`,
    hint: () => 'The path counts from the folder of the file that includes it.',
    exit: 65,
    example: { file: 'prepare.yaml', why: 'no such file' },
  }),
  INCLUDE_INPUT_UNKNOWN: entry<{ input: string; file: string; nearest: string; known: string }>({
    title: 'An included runbook has no such input',
    message: (a) => `${a.file} has no input "${a.input}".`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { input: 'databse', file: 'prepare.yaml', nearest: 'database', known: 'database, password' },
  }),
  INCLUDE_ROLE_UNKNOWN: entry<{ role: string; file: string; nearest: string; known: string }>({
    title: 'An included runbook has no such role',
    message: (a) => `${a.file} has no role "${a.role}".`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { role: 'client', file: 'prepare.yaml', nearest: '', known: 'server' },
  }),
  INCLUDE_INPUT_MISSING: entry<{ input: string; file: string }>({
    title: 'An input of an included runbook is missing',
    message: (a) => `${a.file} needs the input "${a.input}".`,
    hint: (a) => `Add it under "with":  ${a.input}: ...`,
    exit: 65,
    example: { input: 'password', file: 'prepare.yaml' },
  }),
};

/** Errors of runbook and inventory files, and of the values given to them. */
export const runbookErrors = {
  ...documentErrors,
  ...expressionErrors,
  ...inputErrors,
  ...inventoryErrors,
  ...lintErrors,
  ...ownErrors,
};
