import { paramOf } from '../book.ts';
import { exampleMove, SOUND_MOVE } from '../example-move.ts';
import { movesOf, servesUsers, speaksOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'DATABASE_LEFT_WRITABLE',
  severity: 'warning',
  why: 'One forgotten client, a cron job or a monitoring agent, and the two databases drift apart without an error anywhere.',
  fix: 'Fence it before the dump.',
  bad: exampleMove(SOUND_MOVE.map((name) => (name === 'fence' ? 'quiet' : name))),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    if (!servesUsers(book)) return [];
    return movesOf(book).flatMap(({ dump, restore }) => {
      const { role, database } = dump.what;
      const isFenced = book.all('fence').some(({ what }) => book.maySameDatabase(what, dump.what));
      const isDown = book.all('stop-unit').some(({ what }) => book.maySameHost(what.role, role) && /postgres/.test(what.unit));
      const isShut = book
        .all('run-command')
        .some((command) => book.maySameHost(command.what.role, role) && speaksOf(command, 'ALTER DATABASE'));
      if (isFenced || isDown || isShut) return [];
      const at = paramOf(dump.by.step, 'database')?.at;
      return [{ args: { database, role, restore: restore.by.step.id }, step: dump.by, at }];
    });
  },
});
