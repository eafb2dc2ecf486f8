/** A place in a source file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One finding about a file or a plan, ready to be shown with a code frame. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, NOUN_FIRST: `FIELD_UNKNOWN`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly at?: Position;
  /** How many characters from `at` on are meant; 1 when absent. */
  readonly length?: number;
}
