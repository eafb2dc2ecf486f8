import { type ArgsOf, catalogue, type ErrorCode } from './catalogue.ts';
import { cutArgs, type ErrorArgs, type ErrorEntry } from './entry.ts';

/**
 * The one error class. Compare `code`, never text. `left` says what state was left ("Nothing was changed on newdb.");
 * whoever knows it best sets it, at the throw or on the way up.
 */
export class FerryError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly args: ArgsOf<C>;
  /** `file:line:col` the error is about, when there is one. */
  readonly at: string | undefined;
  left: string | undefined;

  constructor(code: C, args: ArgsOf<C>, more: { at?: string; left?: string; cause?: unknown } = {}) {
    const definition = catalogue[code] as unknown as ErrorEntry<ErrorArgs>;
    super(definition.message(cutArgs(args as ErrorArgs)), more.cause === undefined ? {} : { cause: more.cause });
    this.name = 'FerryError';
    this.code = code;
    this.args = args;
    this.at = more.at;
    this.left = more.left;
  }

  /** The next command to type, when the catalogue has one. */
  get hint(): string | undefined {
    return (catalogue[this.code] as unknown as ErrorEntry<ErrorArgs>).hint?.(cutArgs(this.args as ErrorArgs));
  }

  /** The exit code this error ends Ferry with. */
  get exit(): number {
    return catalogue[this.code].exit;
  }
}

/** Tells whether something thrown is a FerryError, of one code when given. */
export function isFerryError<C extends ErrorCode>(thrown: unknown, code?: C): thrown is FerryError<C> {
  return thrown instanceof FerryError && (code === undefined || thrown.code === code);
}
