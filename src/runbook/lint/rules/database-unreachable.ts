import { paramOf } from '../book.ts';
import { exampleMove, SOUND_MOVE } from '../example-move.ts';
import { movesOf, servesUsers } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';

const NEW = '\n  - { id: database, host: new_db, uses: postgres.database, with: { database: app, owner: app } }';
const ACCESS =
  '\n  - { id: access, host: new_db, uses: postgres.hba, with: { rules: [{ database: app, role: app, address: "${{ roles.app.address }}" }] } }';

export default defineRule({
  code: 'DATABASE_UNREACHABLE',
  severity: 'warning',
  why: 'listen_addresses opens the port and lets nobody in. The clients find out after everything has been moved.',
  fix: 'Add a rule for each client: the engine, the data warehouse, monitoring. A database the runbook does not make is left alone.',
  bad: exampleMove(SOUND_MOVE).replace('steps:', `steps:${NEW}`),
  good: exampleMove(SOUND_MOVE).replace('steps:', `steps:${NEW}${ACCESS}`),
  check(book) {
    if (!servesUsers(book)) return [];
    return movesOf(book).flatMap(({ restore }) => {
      const made = book.all('make-database').find(({ what }) => book.maySameDatabase(what, restore.what));
      const isLetIn = book
        .all('let-in')
        .some(
          ({ what }) =>
            book.maySameHost(what.role, restore.what.role) &&
            maySame(what.port, restore.what.port) &&
            (what.database === 'all' || maySame(what.database, restore.what.database)),
        );
      if (!made || isLetIn) return [];
      const at = paramOf(made.by.step, 'database')?.at;
      return [{ args: { database: made.what.database, role: made.what.role }, step: made.by, at }];
    });
  },
});
