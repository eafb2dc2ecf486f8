import { Secret } from '../../src/hosts/secret.ts';
import type { Row } from './row.ts';

const password = new Secret('s3cr"e$t w0rd', 'input:password');
const secrets = ['s3cr'];

// Statements go in by stdin, so that a database to be dropped may be one of several.
const sql = (text: string, database = 'postgres') =>
  `runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d '${database}' <<'EOF' >/dev/null\n${text}\nEOF`;
const both = { database: 'Con-Tract', owner: 'Con-Owner' };
const drop = `DROP DATABASE IF EXISTS "Con-Tract";\nDROP DATABASE IF EXISTS "Con-From";\nDROP ROLE IF EXISTS "Con-Owner";\nDROP ROLE IF EXISTS other;`;
const made = (more = '') =>
  `${sql(`${drop}\nCREATE ROLE "Con-Owner" LOGIN;\nCREATE DATABASE "Con-Tract" OWNER "Con-Owner" TEMPLATE template0;`)}\n${more}`;
const filled = made(
  sql(
    'SET ROLE "Con-Owner";\nCREATE TABLE public.t (id serial PRIMARY KEY, body text);\nINSERT INTO t (body) SELECT n::text FROM generate_series(1, 1000) n;',
    'Con-Tract',
  ),
);
const gone = { newdb: `${sql(drop)}\nrm -rf /srv/con` };
const dumped = `${filled}\nmkdir -p -m 0700 /srv/con; runuser -u postgres -- pg_dump -Fc Con-Tract >/srv/con/t.dump`;
const emptied = `${dumped}\n${sql('DROP DATABASE "Con-Tract";\nCREATE DATABASE "Con-Tract" OWNER "Con-Owner" TEMPLATE template0;')}`;
// By somebody's pg_dump -C from another database, with a large object, for which it writes BEGIN and COMMIT.
const plainEmptied = `${emptied}\n${sql(
  'CREATE ROLE other;\nCREATE DATABASE "Con-Plain" OWNER other TEMPLATE template0;\nGRANT CONNECT ON DATABASE "Con-Plain" TO other;',
)}\n${sql(
  `SET ROLE other;\nCREATE TABLE public.t (body text);\nINSERT INTO t VALUES (E'\\\\.\\nALTER TABLE t OWNER TO x;');\nGRANT SELECT ON t TO "Con-Owner";\nSELECT lo_from_bytea(4711, 'x');`,
  'Con-Plain',
)}\nrunuser -u postgres -- pg_dump -C Con-Plain >/srv/con/t.sql\n${sql('DROP DATABASE "Con-Plain";\nDROP ROLE other;')}`;
const toCarry = `${sql(
  `DROP DATABASE IF EXISTS "Con-From";\nDROP ROLE IF EXISTS "Con-Reader";\nCREATE ROLE "Con-Reader";\nCREATE ROLE other;\nCREATE DATABASE "Con-From" OWNER other TEMPLATE template0;
REVOKE CONNECT ON DATABASE "Con-From" FROM PUBLIC;\nGRANT CONNECT ON DATABASE "Con-From" TO "Con-Reader";
ALTER DATABASE "Con-From" SET search_path = '$user', public;\nALTER DATABASE "Con-From" SET app.jwt_secret = 'OpenSesame';`,
)}\n${sql(
  `SET ROLE other;\nCREATE TABLE public.t (id serial PRIMARY KEY, body text);\nGRANT SELECT ON t TO "Con-Reader" WITH GRANT OPTION;
GRANT UPDATE (body) ON t TO "Con-Reader";\nRESET ROLE;\nREVOKE USAGE ON SCHEMA public FROM PUBLIC;\nGRANT USAGE ON SCHEMA public TO "Con-Reader";
ALTER DEFAULT PRIVILEGES FOR ROLE other IN SCHEMA public GRANT SELECT ON TABLES TO "Con-Reader";
ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO "Con-Reader";\nALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;`,
  'Con-From',
)}`;

/** Actions on PostgreSQL, on the new server unless they need what only another host has. */
export const postgresRows: readonly Row[] = [
  {
    action: 'postgres.cluster',
    host: 'dwh',
    with: { port: 5433, name: 'contract' },
    before: { dwh: 'pg_lsclusters -h | grep -q contract && pg_dropcluster --stop 15 contract; :' },
    after: { dwh: 'pg_lsclusters -h | grep -q contract && pg_dropcluster --stop 15 contract; :' },
  },
  {
    action: 'postgres.role',
    host: 'newdb',
    with: { name: 'Con-Owner', password },
    before: { newdb: sql(drop) },
    after: gone,
    secrets,
  },
  {
    action: 'postgres.database',
    host: 'newdb',
    with: { ...both, settings: { client_min_messages: 'error' } },
    before: { newdb: sql(`${drop}\nCREATE ROLE "Con-Owner" LOGIN;`) },
    after: gone,
    half: { newdb: ':' },
  },
  {
    action: 'postgres.extension',
    host: 'newdb',
    with: { database: both.database, name: 'uuid-ossp' },
    before: { newdb: made() },
    after: gone,
  },
  {
    action: 'postgres.settings',
    host: 'newdb',
    with: { settings: { max_connections: { atLeast: 150 }, work_mem: { atLeast: '8MB' } } },
    before: { newdb: `${sql('ALTER SYSTEM RESET ALL;')}\nsystemctl restart postgresql@15-main` },
    after: { newdb: `${sql('ALTER SYSTEM RESET ALL;')}\nsystemctl restart postgresql@15-main` },
    half: { newdb: sql('ALTER SYSTEM SET max_connections = 150;') },
    isLong: 'deaths',
  },
  {
    action: 'postgres.hba',
    host: 'newdb',
    with: { rules: [{ database: both.database, role: both.owner, address: ['192.0.2.1', '2001:db8::/64'] }] },
  },
  {
    action: 'postgres.read',
    host: 'engine',
    with: { database: 'engine' },
    outputs: { owner: 'engine', database: 'engine' },
    fails: { with: { database: 'enigne' }, code: 'blocked' },
  },
  {
    action: 'postgres.dump',
    host: 'newdb',
    with: { database: both.database, path: '/srv/con/deep/t.dump' },
    before: { newdb: `rm -rf /srv/con\n${filled}` },
    after: gone,
    again: 'blocked',
    half: { newdb: 'mkdir -p -m 0700 /srv/con/deep; echo half >/srv/con/deep/t.dump.part' },
  },
  {
    action: 'postgres.restore',
    host: 'newdb',
    with: { ...both, path: '/srv/con/t.dump' },
    again: 'blocked',
    before: { newdb: emptied },
    after: gone,
  },
  {
    action: 'postgres.dump',
    about: 'as plain SQL',
    host: 'newdb',
    with: { database: both.database, path: '/srv/con/t.sql', format: 'plain' },
    before: { newdb: `rm -rf /srv/con\n${filled}` },
    after: gone,
    again: 'blocked',
    half: { newdb: 'mkdir -p -m 0700 /srv/con; echo half >/srv/con/t.sql.part' },
  },
  {
    action: 'postgres.restore',
    about: 'of a plain dump that names another owner, the database and the transaction',
    isLong: 'deaths',
    host: 'newdb',
    with: { ...both, path: '/srv/con/t.sql', format: 'plain', privileges: true },
    again: 'blocked',
    before: { newdb: plainEmptied },
    after: gone,
  },
  {
    action: 'postgres.carry',
    about: 'from a database of another owner',
    host: 'newdb',
    with: { database: both.database, from: { host: 'newdb', database: 'Con-From' } },
    before: { newdb: `${filled}\n${toCarry}` },
    after: { newdb: `${sql('DROP DATABASE IF EXISTS "Con-From";')}\n${gone.newdb}\n${sql('DROP ROLE IF EXISTS "Con-Reader";')}` },
    secrets: ['OpenSesame'],
  },
  {
    action: 'postgres.freeze',
    host: 'newdb',
    with: { database: both.database },
    before: { newdb: filled },
    after: { newdb: `${sql('ALTER DATABASE "Con-Tract" CONNECTION LIMIT -1;')}\n${gone.newdb}` },
  },
  {
    action: 'postgres.compare',
    host: 'newdb',
    with: { database: both.database, with: { host: 'newdb', database: both.database } },
    before: { newdb: filled },
    after: gone,
    fails: { with: { database: both.database, with: { host: 'engine', database: 'engine' } }, code: 'COMPARE_DIFFERS' },
  },
  {
    action: 'postgres.connections',
    host: 'engine',
    with: { database: 'engine', role: 'engine', min: 1 },
    fails: { with: { database: 'engine', role: 'engine', max: 0, timeout: '1s' }, code: 'SESSIONS_UNEXPECTED' },
  },
  {
    action: 'postgres.login',
    host: 'newdb',
    with: { address: 'localhost', database: both.database, user: both.owner, password },
    before: { newdb: made(sql(`ALTER ROLE "Con-Owner" PASSWORD 's3cr"e$t w0rd';`)) },
    after: gone,
    secrets,
    fails: {
      with: { address: 'localhost', database: both.database, user: both.owner, password: new Secret('wrong', 'x') },
      code: 'LOGIN_REFUSED',
    },
  },
  {
    action: 'postgres.arrivals',
    host: 'engine',
    with: { database: 'ovirt_engine_history', table: 'host_samples_history', column: 'history_datetime', timeout: '30s' },
    fails: {
      with: { database: 'ovirt_engine_history', table: 'host_daily_history', column: 'history_datetime', timeout: '2s' },
      code: 'ROWS_MISSING',
    },
  },
  { action: 'postgres.write-line', host: 'newdb', with: { database: both.database }, before: { newdb: filled }, after: gone },
];
