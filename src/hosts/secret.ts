import { inspect } from 'node:util';

/** A value that must not be seen: prints, serialises and inspects as `[secret]`; only `reveal()` gives it. */
export class Secret {
  readonly #value: string;
  /** Where it came from, fit for a journal: `input:password`, `step:read-conf.password`. */
  readonly source: string;
  constructor(value: string, source: string) {
    this.#value = value;
    this.source = source;
  }
  /** The value itself. Callers send it by stdin or into a 0600 file, never into a command line, message or record. */
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): { $secret: string } {
    return { $secret: this.source };
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/** The text of a param that may or may not be secret. */
export function reveal(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}
