import { resolve } from 'node:path';
import type { InventorySurroundings, SourceText } from './inventory.ts';

/** The absolute path of a file written as `~/x`, relative to a folder, or whole. */
export function resolvePath(file: string, folder: string, home: string): string {
  return file === '~' || file.startsWith('~/') ? resolve(home, file.slice(2)) : resolve(folder, file);
}

/** A file's text, or undefined when it cannot be had. */
export async function readOptional(
  surroundings: Pick<InventorySurroundings, 'readFile'>,
  path: string,
): Promise<SourceText | undefined> {
  try {
    const content = await surroundings.readFile(path);
    return { path, text: typeof content === 'string' ? content : new TextDecoder().decode(content) };
  } catch {
    return undefined;
  }
}

export interface Word {
  readonly text: string;
  /** Where it begins in the line, from 0. */
  readonly offset: number;
}

/** Splits a line into words as a POSIX shell would, quotes taken off; null when a quote is left open. */
export function splitWords(line: string, comments: 'with comments' | 'no comments'): Word[] | null {
  const words: Word[] = [];
  let word: { text: string; offset: number } | undefined;
  for (const found of line.matchAll(/'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|(\s+)|[\s\S]/g)) {
    const [piece, single, double, escaped, space] = found;
    if (piece === '#' && comments === 'with comments') break;
    if (piece === '"' || piece === "'" || piece === '\\') return null;
    if (space !== undefined) {
      if (word) words.push(word);
      word = undefined;
    } else {
      word ??= { text: '', offset: found.index };
      word.text += single ?? double?.replaceAll(/\\(["\\])/g, '$1') ?? escaped ?? piece;
    }
  }
  return word ? [...words, word] : words;
}

/** The words alone. */
export function shellWords(line: string): string[] | null {
  return splitWords(line, 'no comments')?.map(({ text }) => text) ?? null;
}
