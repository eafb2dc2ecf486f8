import { type Deed, paramOf } from '../book.ts';
import { exampleMove, moveWithout, SOUND_MOVE } from '../example-move.ts';
import { movesOf, servesUsers, speaksOf } from '../moves.ts';
import { defineRule } from '../rule.ts';

export default defineRule({
  code: 'MOVE_NOT_FOLLOWED',
  severity: 'warning',
  why: 'The services start, say they are well, and write to the old database.',
  fix: 'Change every file that names the old server.',
  bad: moveWithout('point'),
  good: exampleMove(SOUND_MOVE),
  check(book) {
    if (!servesUsers(book)) return [];
    return movesOf(book).flatMap(({ restore }) => {
      const isFollowed =
        book.all('configure').some(({ by }) => !book.isBefore(by, restore.by)) ||
        book.all('run-command').some((command) => book.isBefore(restore.by, command.by) && mayPointAt(command, restore.what));
      if (isFollowed) return [];
      const at = paramOf(restore.by.step, 'database')?.at;
      return [{ args: { database: restore.what.database, role: restore.what.role }, step: restore.by, at }];
    });
  },
});

/** Whether a command of your own may be what points somebody at the new database: it speaks of it or of a configuration. */
function mayPointAt(command: Deed<'run-command'>, { role, database }: { role: string; database: string }): boolean {
  return [database, `roles.${role}.`, '/etc/', '.conf'].some((text) => speaksOf(command, text));
}
