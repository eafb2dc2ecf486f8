import { expandValue } from '../../facts/config-text.ts';
import { type FileContent, textOf } from '../../facts/file-content.ts';
import { isSensitiveKey, MASK, maskValues, OTHER_MASK } from '../../facts/mask.ts';
import type { DiffLine } from '../action.ts';
import { fileDiff, ownershipDiff } from '../file-diff.ts';
import { limited, textHunks } from '../text-hunks.ts';

const ASSIGNMENT = /^\s*(\w+)=(.*?)\s*$/;

/** One key of a conf file and what becomes of it, by its lines; `undefined` where it is not there. Hidden values are masked. */
export function keyLine(key: string, before: string | undefined, after: string | undefined, isHidden: boolean): DiffLine[] {
  const [old, now] = [rightOf(before), rightOf(after)];
  if (old === undefined && now === undefined) return [];
  const hidden = isHidden || isSensitiveKey(key);
  const [shownOld, shownNow] = hidden ? masks(old, now) : maskValues(old ?? '', now ?? '');
  if (old === undefined) return [['+', `${key}=${shownNow}`]];
  if (now === undefined) return [['-', `${key}=${shownOld}`]];
  return [['~', `${key}=`, shownOld, shownNow]];
}

/** What becomes of a conf file: mode and owner, then its keys; where other lines differ too, a diff of lines. */
export function configDiff(before: FileContent, after: FileContent, hides: readonly string[]): DiffLine[] {
  const [old, now] = [textOf(before), textOf(after)];
  const keys = old === null || now === null ? null : keyDiff(old, now, hides);
  // A diff of lines knows no keys that hide a secret beside those whose name says so.
  return keys ? limited([...ownershipDiff(before, after), ...keys]) : fileDiff(before, after, hides.length > 0);
}

/**
 * Two texts of `KEY=value` lines, key by key; null when they differ in other lines, which only a diff of lines can show.
 * `hides` are keys whose values nobody may see, beside those whose name says so.
 */
export function keyDiff(before: string, after: string, hides: readonly string[]): DiffLine[] | null {
  const hunks = textHunks(before, after, 0);
  const lines = hunks?.flatMap((hunk) => hunk.lines.filter((line) => !line.startsWith('\\')));
  if (!lines?.every((line) => ASSIGNMENT.test(line.slice(1)))) return null;
  const changed = new Map<string, { old?: string; now?: string }>();
  for (const line of lines) {
    const key = ASSIGNMENT.exec(line.slice(1))?.[1] ?? '';
    const side = line.startsWith('-') ? 'old' : 'now';
    const found = changed.get(key) ?? {};
    // A key that moves within the file, or stands there twice, is no pair of two values.
    if (found[side] !== undefined) return null;
    changed.set(key, { ...found, [side]: line.slice(1) });
  }
  return [...changed].flatMap(([key, { old, now }]) => keyLine(key, old, now, hides.includes(key)));
}

/** What stands right of `=`. */
function rightOf(line: string | undefined): string | undefined {
  return line === undefined ? undefined : (ASSIGNMENT.exec(line)?.[2] ?? '');
}

function masks(old: string | undefined, now: string | undefined): [string, string] {
  const plain = (raw: string) => expandValue(raw, new Map()) ?? raw;
  const isOther = old !== undefined && now !== undefined && plain(old) !== plain(now);
  return [`"${MASK}"`, `"${isOther ? OTHER_MASK : MASK}"`];
}
