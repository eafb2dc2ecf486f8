import type { Deed, EffectOf, LintBook, LintStep } from './book.ts';
import { maySame } from './symbols.ts';

/** A database that is dumped in one cluster and restored in another. */
export interface Move {
  readonly dump: Deed<'dump'>;
  readonly restore: Deed<'restore'>;
}

type FilePlace = { readonly role: string; readonly path: string };
const known = new WeakMap<LintBook, readonly Move[]>();

/** Every restore on another host or cluster than its dump's, by following the file from path to path. */
export function movesOf(book: LintBook): readonly Move[] {
  const moves =
    known.get(book) ??
    book.all('restore').flatMap((restore) => {
      const dump = dumpBehind(book, restore.what);
      const isElsewhere = dump && (dump.what.role !== restore.what.role || dump.what.port !== restore.what.port);
      return isElsewhere ? [{ dump, restore }] : [];
    });
  known.set(book, moves);
  return moves;
}

/** The dump a file comes from, over any number of copies; undefined when none of the runbook's. */
export function dumpBehind(book: LintBook, file: FilePlace): Deed<'dump'> | undefined {
  const seen = new Set<LintStep>();
  let at: FilePlace | undefined = file;
  while (at) {
    const { role, path }: FilePlace = at;
    const maker: Deed<'make-file'> | undefined = book
      .makersOf(path)
      .find(({ by, what }) => what.role === role && what.path === path && !seen.has(by));
    if (!maker) return undefined;
    const dump = maker.by.effects.find((effect) => effect.does === 'dump');
    if (dump) return { by: maker.by, what: dump as EffectOf<'dump'> };
    seen.add(maker.by);
    const source = maker.by.effects.find((effect) => effect.does === 'need-file');
    at = maker.what.how === 'copy' && source?.does === 'need-file' ? source : undefined;
  }
  return undefined;
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
