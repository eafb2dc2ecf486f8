import { entry } from '../entry.ts';

const suggest = (nearest: string, known: string) =>
  nearest ? `Did you mean "${nearest}"?` : known ? `Known here: ${known}.` : '';

/** Errors of any YAML file: its bytes, its syntax, its shape. */
export const documentErrors = {
  FILE_TOO_LARGE: entry<{ file: string; size: string; limit: string }>({
    title: 'A file is too large',
    message: (a) => `${a.file} has ${a.size}; at most ${a.limit} are read.`,
    hint: () => 'Split it into several files and include them with "runbook:".',
    exit: 65,
    example: { file: 'move.yaml', size: '5 MB', limit: '1 MB' },
  }),
  FILE_ENCODING_INVALID: entry<{ file: string; encoding: string }>({
    title: 'A file is not UTF-8',
    message: (a) => `${a.file} is not UTF-8 text: this line holds bytes that stand for no character.`,
    hint: (a) =>
      `If it was written in ${a.encoding === 'LATIN1' ? 'Latin-1' : a.encoding}:  iconv -f ${a.encoding} -t UTF-8 ${a.file}`,
    exit: 65,
    example: { file: 'move.yaml', encoding: 'LATIN1' },
  }),
  FILE_EMPTY: entry<{ file: string }>({
    title: 'A file is empty',
    message: (a) => `${a.file} holds nothing but comments or white space.`,
    hint: () => 'A file of Ferry begins with "ferry: 1".',
    exit: 65,
    example: { file: 'move.yaml' },
  }),
  YAML_SYNTAX_WRONG: entry<{ why: string; fix: string }>({
    title: 'The YAML syntax is wrong',
    message: (a) => `This is not valid YAML: ${a.why}.`,
    hint: (a) => a.fix,
    exit: 65,
    example: { why: 'a text with ": " in it is taken for a field', fix: 'Put it between double quotes: "Step one: stop"' },
  }),
  YAML_NESTING_DEEP: entry<{ limit: number }>({
    title: 'Values are nested too deeply',
    message: (a) => `Values are nested in each other more than ${a.limit} deep here; the file was not read.`,
    hint: () => 'No runbook needs that: look for brackets that are never closed.',
    exit: 65,
    example: { limit: 100 },
  }),
  YAML_TAB_FOUND: entry<Record<string, never>>({
    title: 'A tab is used for indentation',
    message: () => 'A tab stands where YAML allows only spaces.',
    hint: () => 'Use two spaces for each level.',
    exit: 65,
    example: {},
  }),
  YAML_TAG_UNKNOWN: entry<{ tag: string }>({
    title: 'A YAML tag is not supported',
    message: (a) => `The tag ${a.tag} has no meaning here.`,
    hint: () => 'Take it out; quote the value where it must be text.',
    exit: 65,
    example: { tag: '!vault' },
  }),
  YAML_VERSION_OLD: entry<Record<string, never>>({
    title: 'An old version of YAML is asked for',
    message: () => 'The line %YAML asks for an old version, in which yes means true and 010 means eight; only 1.2 is read.',
    hint: () => 'Take the line out.',
    exit: 65,
    example: {},
  }),
  YAML_MERGE_KEY_FOUND: entry<Record<string, never>>({
    title: 'A YAML merge key is used',
    message: () => 'The merge key "<<" is not part of YAML 1.2 and would be taken for a field.',
    hint: () => 'Write the fields out, or use an alias for a whole value: with: *name',
    exit: 65,
    example: {},
  }),
  YAML_DOCUMENT_SECOND: entry<{ file: string }>({
    title: 'A file holds several documents',
    message: (a) => `${a.file} holds more than one YAML document; only one is read.`,
    hint: () => 'Take out the line "---", or split the file.',
    exit: 65,
    example: { file: 'move.yaml' },
  }),
  KEY_DUPLICATE: entry<{ key: string; line: number }>({
    title: 'A field is written twice',
    message: (a) => `"${a.key}" stands here a second time; the first is in line ${a.line}.`,
    exit: 65,
    example: { key: 'title', line: 3 },
  }),
  KEY_NOT_TEXT: entry<{ key: string }>({
    title: 'The name of a field is not text',
    message: (a) => `The name of a field is text; this is ${a.key}.`,
    exit: 65,
    example: { key: 'a list' },
  }),
  NUMBER_TOO_LARGE: entry<{ number: string }>({
    title: 'A number is too large',
    message: (a) => `${a.number} cannot be kept exactly as a number.`,
    hint: (a) => `Put it between quotes if it may be text: "${a.number}"`,
    exit: 65,
    example: { number: '12345678901234567890' },
  }),
  ALIAS_UNKNOWN: entry<{ name: string }>({
    title: 'A YAML alias has no anchor',
    message: (a) => `The alias *${a.name} names no anchor that stands before it.`,
    hint: (a) => `Write &${a.name} before the value meant; a value that begins with * needs quotes.`,
    exit: 65,
    example: { name: 'units' },
  }),
  ALIAS_RECURSIVE: entry<{ name: string }>({
    title: 'A YAML alias stands inside its own anchor',
    message: (a) => `The alias *${a.name} stands inside the value it names.`,
    exit: 65,
    example: { name: 'units' },
  }),
  ALIAS_EXCESSIVE: entry<Record<string, never>>({
    title: 'YAML aliases multiply too much',
    message: () => 'The aliases of this file unfold to too many values; it was not read.',
    hint: () => 'Write the values out; aliases of aliases grow with every level.',
    exit: 65,
    example: {},
  }),
  FIELD_UNKNOWN: entry<{ field: string; of: string; nearest: string; known: string }>({
    title: 'A field is not known',
    message: (a) => `"${a.field}" is not a field of ${a.of}.`,
    hint: (a) => suggest(a.nearest, a.known),
    exit: 65,
    example: { field: 'titel', of: 'a step', nearest: 'title', known: 'id, title, host' },
  }),
  FIELD_NAME_INVALID: entry<{ field: string; why: string }>({
    title: 'A name cannot be used',
    message: (a) => `"${a.field}" cannot be used as a name: ${a.why}.`,
    exit: 65,
    example: { field: 'Data Base', why: 'use small letters, digits and _, beginning with a letter' },
  }),
  FIELD_MISSING: entry<{ field: string; of: string }>({
    title: 'A field is missing',
    message: (a) =>
      `${a.of.replace(/^(a|an|the) /, (article) => `${article[0]?.toUpperCase()}${article.slice(1)}`)} needs the field "${a.field}".`,
    exit: 65,
    example: { field: 'host', of: 'a step' },
  }),
  TYPE_WRONG: entry<{ field: string; expected: string; got: string; fix: string }>({
    title: 'A value has the wrong type',
    message: (a) => `${a.field ? `"${a.field}"` : 'The file'} has the wrong type: expected ${a.expected}, got ${a.got}.`,
    hint: (a) => a.fix,
    exit: 65,
    example: { field: 'units', expected: 'a list', got: 'the text "a.service"', fix: 'A list, also of one: [a.service]' },
  }),
  VALUE_UNKNOWN: entry<{ field: string; got: string; nearest: string; known: string }>({
    title: 'A value is not one of those allowed',
    message: (a) => `"${a.field}" cannot be ${a.got}: expected ${a.known.includes(', ') ? 'one of ' : ''}${a.known}.`,
    hint: (a) => suggest(a.nearest, ''),
    exit: 65,
    example: { field: 'mode', got: 'the text "globl"', nearest: 'global', known: 'global, local, none' },
  }),
  VALUE_INVALID: entry<{ field: string; got: string; why: string }>({
    title: 'A value cannot be used',
    message: (a) => `"${a.field}" cannot be ${a.got}: ${a.why}.`,
    exit: 65,
    example: { field: 'timeout', got: 'the text "5 minutes"', why: 'write a duration such as 30s, 5m or 1h30m' },
  }),
};
