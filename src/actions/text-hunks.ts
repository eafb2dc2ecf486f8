import { structuredPatch } from 'diff/lib/patch/create.js';
import type { DiffLine } from './action.ts';

// A plan is read by people: of a long diff only its beginning is shown.
const LIMIT_LINES = 60;
// Looking for the shortest way between two texts takes the square of its length; a plan is made several times over.
const LIMIT_EDITS = 500;

/** A stretch of two texts that differ, with the lines around it. Line numbers count from 1. */
export interface Hunk {
  readonly oldStart: number;
  readonly newStart: number;
  /** `@@ -1,7 +1,8 @@` */
  readonly head: string;
  /** Each begins with `-`, `+`, a blank, or a backslash for a remark. */
  readonly lines: readonly string[];
}

/** Where two texts differ, with so many lines of context; null when they have too little in common to be set side by side. */
export function textHunks(before: string, after: string, context: number): readonly Hunk[] | null {
  const patch = structuredPatch('', '', before, after, undefined, undefined, { context, maxEditLength: LIMIT_EDITS });
  if (!patch) return null;
  return patch.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    oldStart,
    newStart,
    // Of no line the place is that of the line before it.
    head: `@@ -${oldLines === 0 ? oldStart - 1 : oldStart},${oldLines} +${newLines === 0 ? newStart - 1 : newStart},${newLines} @@`,
    lines,
  }));
}

/** The beginning of a diff, and how much more there is. */
export function limited(lines: readonly DiffLine[]): DiffLine[] {
  const more = lines.length - LIMIT_LINES;
  return more > 0 ? [...lines.slice(0, LIMIT_LINES), [' ', `... ${more} more line${more === 1 ? '' : 's'}`]] : [...lines];
}
