import type { ArgsOf, ErrorCode } from '../../errors/catalogue.ts';
import type { Position } from '../../errors/diagnostic.ts';
import type { Place } from '../../errors/finding.ts';
import type { Allow } from '../model.ts';
import type { LintBook, LintStep } from './book.ts';

/** One thing a rule found: where, and what its message says. */
export interface LintFinding<A> {
  readonly args: A;
  /** The step it is about; its `allow` can silence it, and its first line is the place when there is no better one. */
  readonly step?: LintStep;
  readonly at?: Position | Place | undefined;
  /** What can silence it where it is about no one step. */
  readonly allow?: readonly Allow[];
  /** The rule's own unless given. */
  readonly severity?: 'error' | 'warning';
  readonly hint?: string;
}

/** One rule over a whole runbook. Its texts stand in the catalogue of errors under its code. */
export interface LintRule<C extends ErrorCode = ErrorCode> {
  readonly code: C;
  /** An error refuses the runbook; a rule has errors only where a run would certainly fail or leak. */
  readonly severity: 'error' | 'warning';
  /** What becomes of a run when nobody heeds it. */
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
  /** Two whole runbooks, proven by a test: in `bad` the rule finds something, in `good` no rule does. */
  readonly bad: string;
  readonly good: string;
  check(book: LintBook): readonly LintFinding<ArgsOf<C>>[];
}

export function defineRule<C extends ErrorCode>(rule: LintRule<C>): LintRule<C> {
  return rule;
}
