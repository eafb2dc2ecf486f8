import { dirname } from 'node:path/posix';
import type { Fact, Prediction } from '../facts/fact.ts';
import { type FileStat, fileStat } from '../facts/file-stat.ts';
import { joinSh, type Sh, sh } from '../hosts/sh.ts';

/** The folders a path is in, nearest first, the root included. */
export function parents(path: string): string[] {
  const folder = dirname(path);
  return folder === '/' ? ['/'] : [folder, ...parents(folder)];
}

/** The facts of the folders a path is in, nearest first. */
export function parentFacts(host: string, path: string) {
  return parents(path).map((folder) => fileStat(folder).on(host));
}

/** The folders that are missing and will be made, outermost first, and what their facts become: 0700, root's. */
export function foldersToMake(facts: readonly Fact<FileStat>[], path: string): { folders: string[]; predicts: Prediction[] } {
  const missing = facts.filter((folder) => !folder.value);
  const made = missing.map((folder) =>
    folder.becomes({ type: 'folder', mode: '0700', owner: 'root', group: 'root', sizeBytes: null }),
  );
  return { folders: parents(path).slice(0, missing.length).reverse(), predicts: made.reverse() };
}

/** Makes folders, outermost first; one that is there is left as it is. */
export function makeFolders(folders: readonly string[]): Sh {
  return joinSh(folders.map((folder) => sh`[ -d ${folder} ] || mkdir -m 0700 -- ${folder} || exit 1`));
}

/** Removes folders that were made, innermost first, as far as they are empty. */
export function removeFolders(folders: readonly string[]): Sh {
  return joinSh(
    [...folders].reverse().map((folder) => sh`[ ! -d ${folder} ] || rmdir --ignore-fail-on-non-empty -- ${folder} || exit 1`),
  );
}
