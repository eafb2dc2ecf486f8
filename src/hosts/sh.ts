import { quote } from '../lib/quote.ts';

/** A piece of POSIX shell text whose values were quoted; made by the `sh` tag only, so a raw string never becomes a command. */
export class Sh {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

type Value = string | number | Sh | readonly (string | number | Sh)[];

function render(value: Value): string {
  if (value instanceof Sh) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return quote(value);
  return value.map((member) => render(member)).join(' ');
}

/**
 * Builds shell text; every interpolated value becomes one quoted word, an array one word each, an `Sh` stays as it is.
 * The literal parts are cooked, so write `\\n` for a backslash and n.
 */
export function sh(parts: TemplateStringsArray, ...values: Value[]): Sh {
  return new Sh(parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part));
}

/** Joins pieces of shell text, by newlines unless told otherwise. */
export function joinSh(pieces: readonly Sh[], separator = '\n'): Sh {
  return new Sh(pieces.map((piece) => piece.text).join(separator));
}
