import { entry } from '../entry.ts';

/** What the linter finds in moves of databases. */
export const lintMoveErrors = {
  DATABASE_LEFT_WRITABLE: entry<{ database: string; role: string; restore: string }>({
    title: 'The old database stays writable after a move',
    message: (a) =>
      `Database ${a.database} on ${a.role} is moved (step "${a.restore}" restores it elsewhere), and the old one stays open for writers: what they still write there is lost.`,
    hint: () => 'Before the dump:  uses: postgres.freeze   fences all writers; a rollback lets them in again.',
    exit: 65,
    example: { database: 'engine', role: 'old_db', restore: 'restore' },
  }),
  DUMP_UNGUARDED: entry<{ step: string; database: string; role: string }>({
    title: 'A database that is moved is dumped while others may write',
    message: (a) =>
      `Step "${a.step}" dumps ${a.database} on ${a.role} to move it, and no step before it makes sure that nobody writes: what is written after the dump began stays behind.`,
    hint: () => 'Before it:  uses: postgres.freeze   or  postgres.connections with max: 0.',
    exit: 65,
    example: { step: 'dump', database: 'engine', role: 'old_db' },
  }),
  MOVE_NOT_COMPARED: entry<{ database: string; role: string; other: string }>({
    title: 'A moved database is never compared',
    message: (a) =>
      `Nothing compares ${a.database} on ${a.role} with the database on ${a.other} it comes from: that all rows arrived is only hoped for.`,
    hint: (a) =>
      `After the restore:  uses: postgres.compare   with: { database: ..., with: { host: ${a.other}, database: ... } }`,
    exit: 65,
    example: { database: 'engine', role: 'new_db', other: 'old_db' },
  }),
  MOVE_NOT_FOLLOWED: entry<{ database: string; role: string }>({
    title: 'A database is moved and nothing is pointed at it',
    message: (a) =>
      `Database ${a.database} is restored on ${a.role}, and no step after that changes a configuration: all that used it goes on with the old one.`,
    hint: () => 'After the compare:  uses: config.set   in every file that names the old server.',
    exit: 65,
    example: { database: 'ovirt_engine_history', role: 'new_db' },
  }),
  WRITE_LINE_MISSING: entry<{ start: string; database: string; role: string }>({
    title: 'Writers start on the new database before the write line',
    message: (a) =>
      `Step "${a.start}" starts services after ${a.database} was moved to ${a.role}, and no postgres.write-line stands between: a rollback would throw away what they write, and not say so.`,
    hint: () => 'Right before it:  uses: postgres.write-line   on the new database.',
    exit: 65,
    example: { start: 'start-services', database: 'engine', role: 'new_db' },
  }),
  FENCE_BEFORE_STOP: entry<{ fence: string; stop: string; database: string }>({
    title: 'On the way back services start on a fenced database',
    message: (a) =>
      `Step "${a.fence}" fences ${a.database} before step "${a.stop}" stops services. On the way back they start while the fence still stands, and cannot connect.`,
    hint: (a) => `Put "${a.stop}" before "${a.fence}".`,
    exit: 65,
    example: { fence: 'fence-old', stop: 'stop-services', database: 'engine' },
  }),
  DATABASE_UNREACHABLE: entry<{ database: string; role: string }>({
    title: 'No client may connect to the new database',
    message: (a) =>
      `Database ${a.database} is made on ${a.role} and filled, and no postgres.hba rule lets anybody connect to it from another machine.`,
    hint: (a) => `uses: postgres.hba   with: { rules: [{ database: ${a.database}, role: ..., address: ... }] }`,
    exit: 65,
    example: { database: 'ovirt_engine_history', role: 'new_db' },
  }),
  ENGINE_SETTINGS_MISSING: entry<{ step: string; role: string; settings: string }>({
    title: 'The new server lacks settings engine-setup demands',
    message: (a) => `Step "${a.step}" prepares PostgreSQL on ${a.role} for oVirt, and nothing sets ${a.settings} there.`,
    hint: () => 'Take the settings from runbooks/ovirt/prepare-remote-db.yaml, or include that runbook.',
    exit: 65,
    example: { step: 'listen', role: 'new_db', settings: 'max_connections, work_mem' },
  }),
  ENGINE_URL_STALE: entry<{ step: string; keys: string; url: string; path: string }>({
    title: 'oVirt keeps connecting to the old server',
    message: (a) =>
      `Step "${a.step}" sets ${a.keys} in ${a.path} and not ${a.url}. The engine and the data warehouse connect by the URL alone, and stay on the old server.`,
    hint: (a) => `Set it too:  ${a.url}: "\${{ jdbcUrl(OLD_URL, roles.new_db.address, 5432, DATABASE) }}"`,
    exit: 65,
    example: {
      step: 'point-engine',
      keys: 'ENGINE_DB_HOST',
      url: 'ENGINE_DB_URL',
      path: '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
    },
  }),
  ENGINE_DWH_FORGOTTEN: entry<{ step: string }>({
    title: "The data warehouse's copy of the engine database's address is forgotten",
    message: (a) =>
      `Step "${a.step}" points the engine at another database, and no step changes ENGINE_DB_* under /etc/ovirt-engine-dwh: the data warehouse stays on the old one, and engine-backup, which reads that file last, backs up the old one.`,
    hint: () => 'Set the same keys in /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf.',
    exit: 65,
    example: { step: 'point-engine' },
  }),
  DWH_READER_FORGOTTEN: entry<{ step: string; left: string }>({
    title: "A reader of the data warehouse's database is forgotten",
    message: (a) =>
      `Step "${a.step}" points somebody at the data warehouse's moved database, and no step does so for ${a.left}: left behind on the old one.`,
    hint: () => 'Set the address in its file too; runbooks/ovirt/migrate-dwh-db.yaml has all places.',
    exit: 65,
    example: { step: 'point-dwhd', left: "the engine's dashboard (/etc/ovirt-engine/engine.conf.d)" },
  }),
  ENGINE_WRITERS_LEFT: entry<{ step: string; units: string; role: string }>({
    title: 'Other services that use the engine database keep running',
    message: (a) =>
      `Step "${a.step}" stops ovirt-engine on ${a.role} for a move of its database, and ${a.units} keep their connections to it.`,
    hint: () => 'Stop them in the same step; those that do not run are left alone, and `stopped` tells which to start again.',
    exit: 65,
    example: { step: 'stop-engine', units: 'ovirt-engine-dwhd.service', role: 'engine' },
  }),
};
