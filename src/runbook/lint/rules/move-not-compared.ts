import { paramOf } from '../book.ts';
import { exampleMove, moveWithout, SOUND_MOVE } from '../example-move.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'MOVE_NOT_COMPARED',
  severity: 'warning',
  why: 'A restore that ends well says that it ended. Rows, sequences, functions and extensions can be missing all the same.',
  fix: 'Compare both sides while nobody writes; the exit code can be trusted.',
  bad: moveWithout('compare'),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    return movesOf(book).flatMap(({ dump, restore }) => {
      const isCompared = book
        .all('compare')
        .some(
          ({ by, what }) =>
            !book.isBefore(by, restore.by) &&
            ((book.maySameDatabase(what, restore.what) && book.maySameDatabase(what.with, dump.what)) ||
              (book.maySameDatabase(what, dump.what) && book.maySameDatabase(what.with, restore.what))),
        );
      if (isCompared) return [];
      const at = paramOf(restore.by.step, 'database')?.at;
      const { database, role } = restore.what;
      return [{ args: { database, role, other: dump.what.role }, step: restore.by, at }];
    });
  },
});
