import type { ErrorReport } from './events.ts';
import type { RollbackPreview } from './preview-rollback.ts';
import type { OutputUse } from './users-of.ts';

/** A step that failed, and everything a person needs to know to decide what becomes of it. */
export interface FailureQuestion {
  readonly step: string;
  readonly host: string;
  readonly title: string;
  readonly error: ErrorReport;
  /** `unknown`: it was begun, and nothing tells how it ended. */
  readonly outcome: 'failed' | 'unknown';
  /** Why the answer before this one was not accepted. */
  readonly refusal: ErrorReport | null;
  /** Whether facts could show that somebody has done it by hand. */
  readonly canMarkDone: boolean;
  /** What comes of leaving it out; `refused` says why it may not be. */
  readonly skip: {
    readonly refused: string | null;
    readonly lacking: readonly OutputUse[];
    readonly warnings: readonly string[];
  };
  /** Where a rollback can go: checkpoints that were reached, the last first, then null for before the first step. */
  readonly back: readonly (string | null)[];
  /** What a rollback would do; touches hosts, and changes nothing. */
  preview(to: string | null): Promise<RollbackPreview>;
}

export type FailureAnswer =
  | { readonly answer: 'retry' | 'mark-done' | 'pause' }
  | { readonly answer: 'skip'; readonly reason: string }
  | { readonly answer: 'back'; readonly to: string | null };
