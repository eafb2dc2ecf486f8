import { type ConfigFile, configFiles, patternAround, withFile } from '../facts/config-files.ts';
import type { Fact, Prediction } from '../facts/fact.ts';
import { type FileContent, fileContent } from '../facts/file-content.ts';
import { type FileStat, fileStat } from '../facts/file-stat.ts';
import type { Touches } from './action.ts';

/** Every fact a file's path takes part in: so that a step which reads it another way is planned on what this one makes. */
export function pathFacts(host: string, path: string) {
  const pattern = patternAround(path);
  return {
    content: fileContent(path).on(host),
    stat: fileStat(path).on(host),
    // In a drop-in folder the file is one of those a program reads together; none or one member.
    folder: pattern === null ? [] : [configFiles(pattern).on(host)],
  };
}

export interface PathFacts {
  readonly content: Fact<FileContent>;
  readonly stat: Fact<FileStat>;
  readonly folder: readonly Fact<readonly ConfigFile[]>[];
}

/** What becomes of the facts of a path when the file there does. */
export function pathBecomes(facts: PathFacts, path: string, next: FileContent): Prediction[] {
  const { mode, owner, group, sizeBytes } = next;
  return [
    facts.content.becomes(next),
    facts.stat.becomes({ type: 'file', mode, owner, group, sizeBytes }),
    ...folderBecomes(facts.folder, path, next),
  ];
}

/** The drop-in folder's files after one of them has become something else, or nothing. */
export function folderBecomes(
  folder: readonly Fact<readonly ConfigFile[]>[],
  path: string,
  next: FileContent | undefined,
): Prediction[] {
  return folder.map((fact) => fact.becomes(withFile(fact.value ?? [], path, next)));
}

export function pathKeys(path: string, role: string): NonNullable<Touches['changes']> {
  const pattern = patternAround(path);
  const keys = [fileContent.key(path), fileStat.key(path), ...(pattern === null ? [] : [configFiles.key(pattern)])];
  return keys.map((key) => [role, key] as const);
}
