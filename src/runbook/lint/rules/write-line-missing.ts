import { paramOf } from '../book.ts';
import { exampleMove, moveWithout, SOUND_MOVE } from '../example-move.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'WRITE_LINE_MISSING',
  severity: 'warning',
  why: 'With the line, a rollback says how many rows were written since in which tables, asks, and keeps the new database. Without it, it makes the database empty.',
  fix: 'Draw the line right before the first writer starts.',
  bad: moveWithout('line'),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    return movesOf(book).flatMap(({ restore }) => {
      const lines = book.all('draw-write-line').filter(({ what }) => book.maySameDatabase(what, restore.what));
      const start = book
        .all('start-unit', 'restart-unit')
        .find(
          ({ by, what }) =>
            book.isBefore(restore.by, by) &&
            !/postgres/.test(what.unit) &&
            !lines.some((line) => book.isBefore(restore.by, line.by) && book.isBefore(line.by, by)),
        );
      if (!start) return [];
      const at = paramOf(start.by.step, 'units')?.at;
      const { database, role } = restore.what;
      return [{ args: { start: start.by.step.id, database, role }, step: start.by, at }];
    });
  },
});
