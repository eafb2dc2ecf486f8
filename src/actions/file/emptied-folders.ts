import { basename, dirname } from 'node:path/posix';
import type { Fact } from '../../facts/fact.ts';
import { type FileStat, fileStat } from '../../facts/file-stat.ts';
import { folderOthers } from '../../facts/folder-others.ts';

/** The facts of folders that are to go once paths in them are gone, in the order given. */
export function emptyFacts(host: string, folders: readonly string[], paths: readonly string[]) {
  const names = (folder: string) =>
    [...paths, ...folders].filter((path) => dirname(path) === folder).map((path) => basename(path));
  return folders.map((path) => ({ stat: fileStat(path).on(host), others: folderOthers(path, names(path)).on(host) }));
}

type EmptyFacts = { readonly stat: Fact<FileStat>; readonly others: Fact<boolean> };
type Emptied = { readonly path: string; readonly stat: Fact<FileStat> };

/** Which of those folders have nothing in them then, outermost first, and which are there and stay. */
export function emptiedFolders(
  folders: readonly string[],
  facts: readonly EmptyFacts[],
): { going: Emptied[]; staying: string[] } {
  const [going, staying]: [Emptied[], string[]] = [[], []];
  const found = folders.map((path, index) => ({ path, ...(facts[index] as EmptyFacts) }));
  for (const { path, stat, others } of found.sort((one, other) => other.path.length - one.path.length)) {
    if (stat.value?.type !== 'folder') continue;
    const isEmpty = others.value === false && !staying.some((inner) => dirname(inner) === path);
    if (isEmpty) going.unshift({ path, stat });
    else staying.push(path);
  }
  return { going, staying };
}
