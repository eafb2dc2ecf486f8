import { cutMiddle } from '../lib/text.ts';
import { type ArgsOf, catalogue, type ErrorCode } from './catalogue.ts';
import type { Diagnostic, Position } from './diagnostic.ts';
import type { ErrorArgs, ErrorEntry } from './entry.ts';

/** A piece of a source file: where it begins and how many characters of its line it covers. */
export interface Place {
  readonly at: Position;
  readonly length: number;
}

// A name or value that was pasted by mistake may be a whole file.
const MAX_SHOWN = 500;

/** Makes a diagnostic from the catalogue, so that a finding reads the same as the error of that code. */
export function finding<C extends ErrorCode>(
  code: C,
  args: ArgsOf<C>,
  place?: Place,
  more: { severity?: 'error' | 'warning'; hint?: string } = {},
): Diagnostic {
  const definition = catalogue[code] as unknown as ErrorEntry<ErrorArgs>;
  const shown = Object.fromEntries(
    Object.entries(args as ErrorArgs).map(([name, value]) => [
      name,
      typeof value === 'string' ? cutMiddle(value, MAX_SHOWN) : value,
    ]),
  );
  const hint = more.hint ?? definition.hint?.(shown);
  return {
    severity: more.severity ?? 'error',
    code,
    message: definition.message(shown),
    ...(hint ? { hint } : {}),
    ...(place ? { at: place.at, length: place.length } : {}),
  };
}
