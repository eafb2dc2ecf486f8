import { type FileContent, textOf } from '../facts/file-content.ts';
import { MASK, maskLines, OTHER_MASK } from '../facts/mask.ts';
import { formatBytes } from '../lib/bytes.ts';
import { plural } from '../lib/text.ts';
import type { DiffLine } from './action.ts';
import type { Ownership } from './replace-file.ts';
import { type Hunk, limited, textHunks } from './text-hunks.ts';

const CONTEXT_LINES = 3;

/**
 * What becomes of a file, for a person: mode and owner, then a unified diff with what may be secret masked; of bytes that are
 * no text, size and short hash. With `isSecret` nothing of the content is shown, only that it changes.
 */
export function fileDiff(before: FileContent | undefined, after: FileContent | undefined, isSecret = false): DiffLine[] {
  if (!before || !after) return limited(wholeFile(before ?? after, before ? '-' : '+', isSecret));
  return limited([...ownershipDiff(before, after), ...contentDiff(before, after, isSecret)]);
}

/** Mode, owner and group where they differ, a line each. */
export function ownershipDiff(before: Ownership, after: Ownership): DiffLine[] {
  return (['mode', 'owner', 'group'] as const).flatMap((name): DiffLine[] =>
    before[name] === after[name] ? [] : [['~', `${name} `, before[name], after[name]]],
  );
}

/** A file that comes or goes. One that goes is named by its size: its lines are kept, and come back with a rollback. */
function wholeFile(file: FileContent | undefined, mark: '-' | '+', isSecret: boolean): DiffLine[] {
  if (!file) return [];
  const text = textOf(file);
  if (mark === '-') return [['-', `${describe(file)}, ${file.mode} ${file.owner}:${file.group}`]];
  if (isSecret) return [['+', `${MASK} (${formatBytes(file.sizeBytes)})`]];
  if (text === null) return [['+', describe(file)]];
  return text === '' ? [] : maskLines(text.replace(/\n$/, ''), isReadableByAll(file)).map((line) => ['+', line] as const);
}

function contentDiff(before: FileContent, after: FileContent, isSecret: boolean): DiffLine[] {
  if (sameBytes(before, after)) return [];
  const sizes = (file: FileContent, mask: string) => `${mask} (${formatBytes(file.sizeBytes)})`;
  if (isSecret) return [['~', 'content ', sizes(before, MASK), sizes(after, OTHER_MASK)]];
  const [old, now] = [textOf(before), textOf(after)];
  if (old === null || now === null) return [['~', 'content ', describe(before), describe(after)]];
  const hunks = textHunks(old, now, CONTEXT_LINES);
  if (!hunks) {
    const shape = (text: string) =>
      `${plural(text.replace(/\n$/, '').split('\n').length, 'line')}, ${formatBytes(Buffer.byteLength(text))}`;
    return [['~', 'content ', shape(old), `${shape(now)}, nearly all of them other ones`]];
  }
  // What stands in a file that everybody may read is no secret, so context is shown if either is one.
  const views = {
    old: maskLines(old, isReadableByAll(before)),
    now: maskLines(now, isReadableByAll(after)),
    both: maskLines(now, isReadableByAll(before) || isReadableByAll(after)),
  };
  const isCarriageMoved = old.includes('\r') !== now.includes('\r');
  return hunks.flatMap((hunk): DiffLine[] => [['@', hunk.head], ...shownLines(hunk, views, isCarriageMoved)]);
}

/** The lines of a hunk as a person may see them. */
function shownLines(
  hunk: Hunk,
  views: { readonly old: readonly string[]; readonly now: readonly string[]; readonly both: readonly string[] },
  isCarriageMoved: boolean,
): DiffLine[] {
  let oldLine = hunk.oldStart - 1;
  let nowLine = hunk.newStart - 1;
  let taken: string[] = [];
  const shown = (line = '') => line.replace(/\r$/, isCarriageMoved ? '\\r' : '');
  return hunk.lines.map((line): DiffLine => {
    if (line.startsWith('\\')) return [' ', line];
    if (line.startsWith('-')) {
      taken.push(views.old[oldLine] ?? '');
      oldLine += 1;
      return ['-', shown(taken.at(-1))];
    }
    const view = (line.startsWith('+') ? views.now[nowLine] : views.both[nowLine]) ?? '';
    nowLine += 1;
    if (line.startsWith('+')) return ['+', shown(taken.includes(view) ? view.replaceAll(MASK, OTHER_MASK) : view)];
    oldLine += 1;
    taken = [];
    return [' ', shown(view)];
  });
}

/** `text, 212 B`, or size and short hash of what is no text; the hash is keyed on the host, so it says only whether two differ. */
function describe(file: FileContent): string {
  const kind = textOf(file) !== null ? 'text, ' : file.base64 === null ? '' : 'binary, ';
  const hash = textOf(file) === null && file.keyedHash !== null ? `, hash ${file.keyedHash.slice(0, 8)}` : '';
  return `${kind}${formatBytes(file.sizeBytes)}${hash}`;
}

/** Whether two files are known to have the same bytes: those too large to be read by their hashes. */
export function sameBytes(a: FileContent, b: FileContent): boolean {
  if (a.base64 !== null || b.base64 !== null) return a.base64 === b.base64;
  return a.sizeBytes === b.sizeBytes && a.keyedHash !== null && a.keyedHash === b.keyedHash;
}

function isReadableByAll(file: Ownership): boolean {
  return (Number.parseInt(file.mode, 8) & 0o004) !== 0;
}
