import type { Fact } from '../facts/fact.ts';
import { type FileContent, fileContent } from '../facts/file-content.ts';
import { type FileStat, fileStat } from '../facts/file-stat.ts';
import { formatBytes } from '../lib/bytes.ts';
import type { Json } from '../lib/json.ts';
import type { DiffLine } from './action.ts';
import { fileDiff } from './file-diff.ts';
import type { FileUndo } from './replace-file.ts';
import { type UndoPreview, type UndoView, undoPreview } from './undo-preview.ts';

/** Facts of a file that goes back to kept bytes: what is there now, and what was kept. */
export function fileBackFacts(host: string, path: string, kept: string) {
  return {
    now: fileContent(path).on(host),
    kept: fileContent(kept).on(host),
    keptAbsent: fileStat(`${kept}.absent`).on(host),
  };
}

type BackFacts = { now: Fact<FileContent>; kept: Fact<FileContent>; keptAbsent: Fact<FileStat> };

/** What becomes of a file that goes back: its kept bytes with the mode and owner from before, or nothing at its path. */
export function fileBack(
  { path, was }: FileUndo,
  { now, kept, keptAbsent }: BackFacts,
  diffOf: (now: FileContent, before: FileContent) => DiffLine[],
): UndoView {
  if (!now.absent && !now.value) return { diff: [], stops: `${path} is no regular file any more` };
  const goes = was === null || (kept.absent && !keptAbsent.absent);
  if (goes && now.value)
    return {
      diff: fileDiff(now.value, undefined).map(([mark, text]) => [mark as '-', `${path} (${text})`]),
      predicts: [now.becomesAbsent()],
    };
  // Bytes are kept before anything is done: where none were, nothing was done.
  if (goes || was === null || kept.absent) return { diff: [] };
  if (!kept.value) return { diff: [], stops: `what was kept of ${path} cannot be read` };
  const before: FileContent = { ...kept.value, ...was };
  if (!now.value)
    return {
      diff: [['+', `${path} (${formatBytes(before.sizeBytes)}, ${was.mode} ${was.owner}:${was.group})`]],
      predicts: [now.becomes(before)],
    };
  return { diff: diffOf(now.value, before), predicts: [now.becomes(before)] };
}

/** The undo of a step that made one file: it goes, if it is there. */
export function madeFilePreview<U extends { path: string } & { [name: string]: Json }>(): UndoPreview<U> {
  return undoPreview({
    facts: ({ path }: U, { host }) => ({ there: fileStat(path).on(host) }),
    look: ({ path }, { there }) =>
      there.absent ? { diff: [] } : { diff: [['-', pathWithSize(path, there.value)]], predicts: [there.becomesAbsent()] },
  });
}

/** A path with what is there: `/srv/a.dump (61 MB)`. */
export function pathWithSize(path: string, stat: FileStat | undefined): string {
  if (stat?.type === 'folder') return `${path}/`;
  return stat?.sizeBytes == null ? path : `${path} (${formatBytes(stat.sizeBytes)})`;
}
