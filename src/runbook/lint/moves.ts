import type { Deed, LintBook } from './book.ts';
import { maySame } from './symbols.ts';

/** A database that is dumped in one cluster and restored in another. */
export interface Move {
  readonly dump: Deed<'dump'>;
  readonly restore: Deed<'restore'>;
}

/** Every restore on another host or cluster than its dump's, by following the file from path to path. */
export function movesOf(book: LintBook): Move[] {
  return book.all('restore').flatMap((restore) => {
    const dump = dumpBehind(book, restore.what, []);
    const isElsewhere = dump && (dump.what.role !== restore.what.role || dump.what.port !== restore.what.port);
    return isElsewhere ? [{ dump, restore }] : [];
  });
}

/** The dump a file comes from, over any number of copies; undefined when none of the runbook's. */
export function dumpBehind(
  book: LintBook,
  file: { readonly role: string; readonly path: string },
  seen: readonly unknown[],
): Deed<'dump'> | undefined {
  const dump = book.all('dump').find(({ what }) => what.role === file.role && what.path === file.path);
  if (dump) return dump;
  const copy = book
    .all('make-file')
    .find(({ by, what }) => what.how === 'copy' && what.role === file.role && what.path === file.path && !seen.includes(by));
  const source = copy?.by.effects.find((effect) => effect.does === 'need-file');
  return copy && source?.does === 'need-file' ? dumpBehind(book, source, [...seen, copy.by]) : undefined;
}

/**
 * Whether a runbook does more with a moved database than to look at a copy: only then are writers and configurations its
 * concern.
 */
export function servesUsers(book: LintBook): boolean {
  return book.all('stop-unit', 'start-unit', 'restart-unit', 'configure', 'set-maintenance').length > 0;
}

/** Whether a step's command speaks of a text, so that nobody can say what it does to what the text names. */
export function speaksOf(deed: Deed<'run-command'>, text: string): boolean {
  const words = [deed.what.shell ?? '', ...(deed.what.argv ?? [])];
  return words.some((word) => word.includes(text) || (word.includes('${{') && maySame(word, text)));
}
