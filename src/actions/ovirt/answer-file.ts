import { reveal, Secret } from '../../hosts/secret.ts';

/** What an answer may be: its type is that of the value, or is said. */
export type Answer = string | number | boolean | null | Secret | readonly string[];

/** Why an answer cannot stand in an answer file; undefined when it can. */
export function unfitAnswer(given: Answer): string | undefined {
  const texts = Array.isArray(given)
    ? (given as readonly string[])
    : given instanceof Secret || typeof given === 'string'
      ? [reveal(given)]
      : [];
  if (texts.some((text) => /\p{Cc}/u.test(text))) return 'it has a line break or another control character in it';
  // The reader takes blanks at the end of a line away.
  if (texts.some((text) => text !== text.trimEnd())) return 'it ends with a blank, which engine-setup does not read';
  // A line of its own that begins so is a comment, or goes on elsewhere.
  if (Array.isArray(given) && texts.some((text) => /^($|[\s#;])/.test(text)))
    return 'a member of its list is empty, or begins with a blank, # or ;';
  return undefined;
}

/**
 * The text of an answer file, as the parser of otopi reads it: `KEY=type:value` in one section. A percent sign would begin an interpolation there
 * and is doubled; a list is a value of several lines, those after the first indented.
 */
export function answerFile(answers: Readonly<Record<string, Answer>>): string {
  const lines = Object.entries(answers).map(([key, given]) => `${key}=${typedValue(given).replaceAll('%', '%%')}\n`);
  return `[environment:default]\n${lines.join('')}`;
}

function typedValue(given: Answer): string {
  if (given === null) return 'none:None';
  if (typeof given === 'boolean') return `bool:${given ? 'True' : 'False'}`;
  if (typeof given === 'number') return `int:${given}`;
  if (Array.isArray(given)) return `multi-str:${given.join('\n ')}`;
  return `str:${reveal(given as string | Secret)}`;
}
