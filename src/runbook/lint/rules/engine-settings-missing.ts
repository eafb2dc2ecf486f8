import { paramOf } from '../book.ts';
import { exampleMove, SOUND_MOVE } from '../example-move.ts';
import { movesOf } from '../moves.ts';
import { defineRule } from '../rule.ts';
import { maySame } from '../symbols.ts';

/** What engine-setup demands of the server of its database. */
const DEMANDED = [
  'max_connections',
  'autovacuum_vacuum_scale_factor',
  'autovacuum_analyze_scale_factor',
  'autovacuum_max_workers',
  'maintenance_work_mem',
  'work_mem',
  'lc_messages',
  'password_encryption',
];
const ENGINE_MOVE = exampleMove(SOUND_MOVE)
  .replace('[app.service]', '[ovirt-engine, ovirt-engine-dwhd, ovirt-engine-notifier, ovirt-fence-kdump-listener]')
  .replaceAll('host: app', 'host: engine');
const SETTINGS = `
  - id: settings
    host: new_db
    uses: postgres.settings
    with:
      settings:
        listen_addresses: "*"`;

export default defineRule({
  code: 'ENGINE_SETTINGS_MISSING',
  severity: 'warning',
  why: 'The engine alone opens up to 110 connections, a new server allows 100. The next engine-setup refuses the server for each of the others.',
  fix: 'Set them while the new server is prepared. A runbook that does not prepare the server is left alone.',
  bad: ENGINE_MOVE.replace('steps:', `steps:${SETTINGS}`),
  good: ENGINE_MOVE.replace(
    'steps:',
    `steps:${SETTINGS}
        max_connections: { atLeast: 150 }
        autovacuum_vacuum_scale_factor: { atMost: 0.01 }
        autovacuum_analyze_scale_factor: { atMost: 0.075 }
        autovacuum_max_workers: { atLeast: 6 }
        maintenance_work_mem: { atLeast: 64MB }
        work_mem: { atLeast: 8MB }
        lc_messages: en_US.UTF-8
        password_encryption: scram-sha-256`,
  ),
  check(book) {
    const isOfEngine =
      book.all('stop-unit').some(({ what }) => what.unit === 'ovirt-engine.service') ||
      book.all('configure').some(({ what }) => what.keys.some((key) => key.startsWith('ENGINE_DB_')));
    if (!isOfEngine) return [];
    return movesOf(book)
      .slice(0, 1)
      .flatMap(({ restore }) => {
        const isThere = (at: { role: string; port: unknown }) =>
          book.maySameHost(at.role, restore.what.role) && maySame(at.port, restore.what.port);
        const tuned = book.all('tune').filter(({ what }) => isThere(what));
        const prepared = tuned[0] ?? book.all('have-cluster').find(({ what }) => isThere(what));
        const known = tuned.flatMap(({ what }) => what.settings);
        const missing = DEMANDED.filter((name) => !known.includes(name));
        if (!prepared || missing.length === 0) return [];
        const at = paramOf(prepared.by.step, 'settings')?.at;
        const args = { step: prepared.by.step.id, role: restore.what.role, settings: missing.join(', ') };
        return [{ args, step: prepared.by, at }];
      });
  },
});
