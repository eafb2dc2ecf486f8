import { expandValue } from '../../facts/config-text.ts';
import { type FileContent, textOf } from '../../facts/file-content.ts';
import { isSensitiveKey, MASK, maskValues, OTHER_MASK } from '../../facts/mask.ts';
import type { DiffLine } from '../action.ts';
import { fileDiff, ownershipDiff } from '../file-diff.ts';
import { limited, textHunks } from '../text-hunks.ts';
import { type ConfFormat, shellFormat } from './conf-format.ts';

/**
 * One key of a conf file and what becomes of it, by what stands for its value; `undefined` where it is not there. Hidden values
 * are masked.
 */
export function keyLine(
  { key, before: old, after: now }: { key: string; before: string | undefined; after: string | undefined },
  isHidden: boolean,
  sign = '=',
): DiffLine[] {
  if (old === undefined && now === undefined) return [];
  const hidden = isHidden || isSensitiveKey(key);
  const [shownOld, shownNow] = hidden ? masks(old, now) : maskValues(old ?? '', now ?? '');
  if (old === undefined) return [['+', `${key}${sign}${shownNow}`]];
  if (now === undefined) return [['-', `${key}${sign}${shownOld}`]];
  return [['~', `${key}${sign}`, shownOld, shownNow]];
}

/** What becomes of a conf file: mode and owner, then its keys; where other lines differ too, a diff of lines. */
export function configDiff(
  before: FileContent,
  after: FileContent,
  hides: readonly string[],
  format: ConfFormat = shellFormat,
): DiffLine[] {
  const [old, now] = [textOf(before), textOf(after)];
  const keys = old === null || now === null ? null : keyDiff(old, now, hides, format);
  // A diff of lines knows no keys that hide a secret beside those whose name says so.
  return keys ? limited([...ownershipDiff(before, after), ...keys]) : fileDiff(before, after, hides.length > 0);
}

/**
 * Two texts of lines with a key and a value, key by key; null when they differ in other lines, which only a diff of lines can
 * show. `hides` are keys whose values nobody may see, beside those whose name says so.
 */
export function keyDiff(
  before: string,
  after: string,
  hides: readonly string[],
  { line, sign } = shellFormat,
): DiffLine[] | null {
  const hunks = textHunks(before, after, 0);
  const lines = hunks?.flatMap((hunk) => hunk.lines.filter((one) => !one.startsWith('\\')));
  const found = lines?.map((one) => ({ isOld: one.startsWith('-'), ...line.exec(one.slice(1))?.groups }) as Changed);
  if (!found?.every(({ key }) => key !== undefined)) return null;
  const changed = new Map<string, { before: string | undefined; after: string | undefined }>();
  for (const { isOld, key, value } of found) {
    const pair = changed.get(key) ?? { before: undefined, after: undefined };
    const side = isOld ? 'before' : 'after';
    // A key that moves within the file, or stands there twice, is no pair of two values.
    if (pair[side] !== undefined) return null;
    changed.set(key, { ...pair, [side]: value });
  }
  return [...changed].flatMap(([key, pair]) =>
    keyLine(
      { key, ...pair },
      hides.some((hidden) => isLastOf(key, hidden)),
      sign,
    ),
  );
}

type Changed = { readonly isOld: boolean; readonly key: string; readonly value: string };

/** Whether a key in a line is the end of a path such as `datasources[0].secureJsonData.password`. */
function isLastOf(key: string, path: string): boolean {
  return path === key || path.endsWith(`.${key}`);
}

function masks(old: string | undefined, now: string | undefined): [string, string] {
  const plain = (raw: string) => expandValue(raw, new Map()) ?? raw;
  const isOther = old !== undefined && now !== undefined && plain(old) !== plain(now);
  return [`"${MASK}"`, `"${isOther ? OTHER_MASK : MASK}"`];
}
