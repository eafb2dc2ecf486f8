import { paramOf } from '../book.ts';
import { exampleMove, moveWithout, SOUND_MOVE } from '../example-move.ts';
import { movesOf, servesUsers } from '../moves.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'DUMP_UNGUARDED',
  severity: 'warning',
  why: 'Stopping the services one knows of is a hope. Rows written after the dump began are missing on the new side, without an error.',
  fix: 'Fence the database, or see that nobody is connected, before the dump.',
  bad: moveWithout('fence'),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    if (!servesUsers(book)) return [];
    const guards = book.all('fence', 'see-no-session');
    return movesOf(book).flatMap(({ dump }) => {
      const isGuarded = guards.some(({ by, what }) => book.maySameDatabase(what, dump.what) && book.isBefore(by, dump.by));
      if (isGuarded) return [];
      const { role, database } = dump.what;
      const at = paramOf(dump.by.step, 'database')?.at;
      return [{ args: { step: dump.by.step.id, database, role }, step: dump.by, at }];
    });
  },
});
