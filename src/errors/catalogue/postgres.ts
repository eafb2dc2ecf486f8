import { entry } from '../entry.ts';

/** Errors of the postgres actions. */
export const postgresErrors = {
  SERVER_NOT_STARTED: entry<{ host: string; unit: string; why: string }>({
    title: 'PostgreSQL does not start',
    message: (a) => `PostgreSQL on ${a.host} (${a.unit}) does not answer after it was started: ${a.why}.`,
    hint: (a) =>
      `journalctl -u ${a.unit}   on ${a.host} tells more; ferry rollback   puts the former settings back and starts it with them.`,
    exit: 1,
    example: { host: 'newdb', unit: 'postgresql@15-main.service', why: 'could not map anonymous shared memory' },
  }),
  HBA_INVALID: entry<{ host: string; path: string; why: string }>({
    title: 'PostgreSQL refuses its access rules',
    message: (a) => `${a.path} on ${a.host} has rules the server cannot read: line ${a.why}.`,
    hint: (a) => `Mend that line of ${a.path}, then:  ferry resume`,
    exit: 1,
    example: { host: 'newdb', path: '/etc/postgresql/15/main/pg_hba.conf', why: '12: invalid IP mask' },
  }),
  POSTGRES_STOPPED: entry<{ host: string; port: number; unit: string }>({
    title: 'PostgreSQL is stopped',
    message: (a) =>
      `PostgreSQL on ${a.host} port ${a.port} is stopped (${a.unit}), so what it holds can be neither seen nor changed.`,
    hint: (a) => `On ${a.host}:  systemctl start ${a.unit}   then the same command again.`,
    exit: 1,
    example: { host: 'newdb', port: 5432, unit: 'postgresql@15-main.service' },
  }),
  DATABASE_BUSY: entry<{ host: string; database: string; why: string }>({
    title: 'A database cannot be fenced',
    message: (a) => `Database ${a.database} on ${a.host} still has writers: ${a.why}.`,
    hint: () => 'Stop the programs that use it, then:  ferry resume',
    exit: 1,
    example: { host: 'engine', database: 'engine', why: '1 prepared transaction (gid app-1)' },
  }),
  DUMP_DAMAGED: entry<{ host: string; path: string; why: string }>({
    title: 'A dump is not whole',
    message: (a) => `The dump ${a.path} on ${a.host} cannot be restored: ${a.why}.`,
    hint: () => 'ferry rollback   to before the dump, then run again: the file was cut or changed after it was made.',
    exit: 1,
    example: { host: 'newdb', path: '/var/tmp/ferry/engine.dump', why: 'its SHA-256 is not that of the dump that was made' },
  }),
  RESTORE_FAILED: entry<{ host: string; database: string; why: string }>({
    title: 'A restore failed',
    message: (a) => `Database ${a.database} on ${a.host} could not be restored: ${a.why}`,
    hint: () => 'ferry resume   tries again;  ferry rollback   takes the run back.',
    exit: 1,
    example: { host: 'newdb', database: 'engine', why: 'pg_restore: error: could not extend file: No space left on device' },
  }),
  RESTORE_UNPROVEN: entry<{ host: string; database: string; found: string }>({
    title: 'What is in a database does not come from the restore',
    message: (a) =>
      `Database ${a.database} on ${a.host} holds something (${a.found}), and no attempt of the restore has ended well: somebody else has put it there, or ${a.host} died right after the restore.`,
    hint: () =>
      'ferry rollback --to CHECKPOINT   keeps it under another name and has the database empty again;  ferry resume   then restores it.',
    exit: 1,
    example: { host: 'newdb', database: 'engine', found: '3 tables' },
  }),
  COMPARE_DIFFERS: entry<{ left: string; right: string; count: number; list: string }>({
    title: 'Two databases differ',
    message: (a) => `${a.left} and ${a.right} differ in ${a.count} ${a.count === 1 ? 'object' : 'objects'}:\n${a.list}`,
    hint: () => 'Was one of them written to? See that both are frozen;  ferry rollback   takes the run back.',
    exit: 1,
    example: { left: 'engine on old', right: 'engine on newdb', count: 1, list: '  table public.job: 12 rows | 13 rows' },
  }),
  COMPARE_INCOMPLETE: entry<{ host: string; database: string; why: string }>({
    title: 'A database cannot be compared',
    message: (a) => `Database ${a.database} on ${a.host} could not be read to its end: ${a.why}.`,
    exit: 1,
    example: { host: 'newdb', database: 'engine', why: 'database "engine" does not exist' },
  }),
  SESSIONS_UNEXPECTED: entry<{ host: string; database: string; wanted: string; seen: string; limit: string }>({
    title: 'Sessions are not where they should be',
    message: (a) => `Database ${a.database} on ${a.host} should have ${a.wanted}, but after ${a.limit} has ${a.seen}.`,
    hint: (a) =>
      `SELECT usename, client_addr, application_name FROM pg_stat_activity WHERE datname = '${a.database}'   on ${a.host} tells who is connected.`,
    exit: 1,
    example: { host: 'newdb', database: 'engine', wanted: 'at least 1 session of engine', seen: 'none', limit: '1 min' },
  }),
  LOGIN_REFUSED: entry<{
    from: string;
    address: string;
    port: number;
    database: string;
    user: string;
    why: string;
    todo: string;
  }>({
    title: 'A PostgreSQL login is refused',
    message: (a) =>
      `From host ${a.from}, role ${a.user} cannot log in to database ${a.database} on ${a.address} port ${a.port}: ${a.why}.`,
    hint: (a) => a.todo,
    exit: 1,
    example: {
      from: 'engine',
      address: '192.0.2.7',
      port: 5432,
      database: 'engine',
      user: 'engine',
      why: 'the password is wrong',
      todo: 'Give the password the role has, or let a postgres.role step set it.',
    },
  }),
};
