import type { ArgsOf } from './catalogue.ts';
import type { Diagnostic } from './diagnostic.ts';
import { FerryError } from './ferry-error.ts';

/** Codes of errors that stand for a list of findings. */
export type FindingsCode =
  | 'RUNBOOK_INVALID'
  | 'INVENTORY_INVALID'
  | 'ROLE_OPTION_WRONG'
  | 'INPUTS_INVALID'
  | 'PLAN_BLOCKED'
  | 'PLAN_STALE';

/** An error that carries everything that was found wrong, with the files it is about, to be shown all at once. */
export class FindingsError<C extends FindingsCode = FindingsCode> extends FerryError<C> {
  readonly findings: readonly Diagnostic[];
  readonly sources: readonly { readonly path: string; readonly text: string }[];

  constructor(
    code: C,
    args: ArgsOf<C>,
    findings: readonly Diagnostic[],
    sources: readonly { readonly path: string; readonly text: string }[] = [],
  ) {
    super(code, args, { left: 'Nothing was changed.' });
    this.findings = findings;
    this.sources = sources;
  }
}
