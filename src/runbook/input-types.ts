import { describeValue } from '../documents/check-schema.ts';
import { Secret } from '../hosts/secret.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import type { InputType } from './runbook.ts';

/** What a value of each type is, for messages. */
export const EXPECTED: Record<InputType, string> = {
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
  duration: 'a duration such as 30s, 5m or 1h30m',
  path: 'an absolute path',
  list: 'texts, with commas between them',
  secret: 'a secret text',
};

const BOOLEANS: Record<string, boolean> = { true: true, yes: true, false: false, no: false };

/**
 * Brings a value to the type of an input: `"5"` to 5, `yes` to true; `from` names the secret it becomes. A value that is
 * secret already stays so, whatever the type. `problem` says what it was instead.
 */
export function convertInput(
  type: InputType,
  value: Json | Secret,
  from: string,
): { value: Json | Secret } | { problem: string } {
  if (value instanceof Secret) return { value };
  const problem = { problem: describeValue(value) };
  switch (type) {
    case 'integer': {
      const number = typeof value === 'string' && /^[+-]?\d+$/.test(value.trim()) ? Number(value) : value;
      return Number.isSafeInteger(number) ? { value: number } : problem;
    }
    case 'boolean': {
      const truth = typeof value === 'string' ? BOOLEANS[value.trim().toLowerCase()] : value;
      return typeof truth === 'boolean' ? { value: truth } : problem;
    }
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== null ? { value } : problem;
    case 'path':
      return typeof value === 'string' && value.startsWith('/') && !value.includes('\0') ? { value } : problem;
    case 'list': {
      // Nothing between two commas is a slip of the hand, and an empty text is the empty list.
      const texts = typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value;
      if (!Array.isArray(texts)) return problem;
      const isOne = (text: Json) => typeof text === 'string' && text !== '';
      return texts.every(isOne) ? { value: texts } : value === '' ? { value: [] } : problem;
    }
    case 'secret':
      return typeof value === 'string' || typeof value === 'number'
        ? { value: new Secret(String(value), from) }
        : { problem: 'something else' };
    case 'string':
      // A number or a truth value given as YAML or on a command line was text there.
      return typeof value === 'string'
        ? { value }
        : typeof value === 'number' || typeof value === 'boolean'
          ? { value: String(value) }
          : problem;
  }
}
