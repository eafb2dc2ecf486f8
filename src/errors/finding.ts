import { type ArgsOf, catalogue, type ErrorCode } from './catalogue.ts';
import type { Diagnostic, Position } from './diagnostic.ts';
import type { ErrorArgs, ErrorEntry } from './entry.ts';

/** A piece of a source file: where it begins and how many characters of its line it covers. */
export interface Place {
  readonly at: Position;
  readonly length: number;
}

/** Makes a diagnostic from the catalogue, so that a finding reads the same as the error of that code. */
export function finding<C extends ErrorCode>(
  code: C,
  args: ArgsOf<C>,
  place?: Place,
  more: { severity?: 'error' | 'warning'; hint?: string } = {},
): Diagnostic {
  const definition = catalogue[code] as unknown as ErrorEntry<ErrorArgs>;
  const hint = more.hint ?? definition.hint?.(args as ErrorArgs);
  return {
    severity: more.severity ?? 'error',
    code,
    message: definition.message(args as ErrorArgs),
    ...(hint ? { hint } : {}),
    ...(place ? { at: place.at, length: place.length } : {}),
  };
}
