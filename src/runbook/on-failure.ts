import { parseDuration } from '../lib/duration.ts';

/** What becomes of a run when a step fails. */
export interface OnFailure {
  /** After how long it is rolled back, 0 for at once; null when it stays paused. */
  readonly rollBackAfterMs: number | null;
}

/** What a text must look like, for the schema of runbooks. */
export const ON_FAILURE_PATTERN = '^(pause|rollback|pause +([0-9]+(\\.[0-9]+)?(s|m|h|d))+ *, *then +rollback)$';

/** Reads `pause`, `rollback` or `pause 20m, then rollback`; null when the text is none of them. */
export function parseOnFailure(text: string): OnFailure | null {
  const words = text.trim();
  if (!new RegExp(ON_FAILURE_PATTERN).test(words)) return null;
  if (words === 'pause') return { rollBackAfterMs: null };
  const [, duration] = /^pause +([^ ,]+)/.exec(words) ?? [];
  return { rollBackAfterMs: duration === undefined ? 0 : parseDuration(duration) };
}
