import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import cluster from '../../../src/actions/postgres/cluster.ts';
import compare from '../../../src/actions/postgres/compare.ts';
import connections from '../../../src/actions/postgres/connections.ts';
import database from '../../../src/actions/postgres/database.ts';
import dump from '../../../src/actions/postgres/dump.ts';
import extension from '../../../src/actions/postgres/extension.ts';
import freeze from '../../../src/actions/postgres/freeze.ts';
import hba from '../../../src/actions/postgres/hba.ts';
import login from '../../../src/actions/postgres/login.ts';
import read from '../../../src/actions/postgres/read.ts';
import restore from '../../../src/actions/postgres/restore.ts';
import role from '../../../src/actions/postgres/role.ts';
import settings from '../../../src/actions/postgres/settings.ts';
import writeLine from '../../../src/actions/postgres/write-line.ts';
import { pgCluster } from '../../../src/facts/pg-cluster.ts';
import { pgContents } from '../../../src/facts/pg-contents.ts';
import { pgDatabase } from '../../../src/facts/pg-database.ts';
import { pgHba } from '../../../src/facts/pg-hba.ts';
import { pgImprint } from '../../../src/facts/pg-imprint.ts';
import { pgRole } from '../../../src/facts/pg-role.ts';
import { pgSetting } from '../../../src/facts/pg-setting.ts';
import { conninfo } from '../../../src/facts/postgres/psql.ts';
import { keepPath } from '../../../src/hosts/layout.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { type Cluster, Newdb, RunOnNewdb } from './on-newdb.ts';

const PASSWORD = `a'b"c$d\\e:f%g h`;
const ODD = `We"ird-'D b\\x$=:%`;

describe('the postgres actions on real clusters', { timeout: 120_000 }, () => {
  let old: Cluster;
  let fresh: Cluster;
  let run: RunOnNewdb;
  let newdb: Newdb;
  let folder: string;

  beforeAll(async () => {
    newdb = await Newdb.open(inject('labDir'));
    old = await newdb.cluster(5691);
    fresh = await newdb.cluster(5692);
    await old.sql(`CREATE ROLE engine LOGIN; CREATE DATABASE engine OWNER engine TEMPLATE template0;
ALTER DATABASE engine SET client_min_messages = 'error'`);
    await old.sql(
      `CREATE EXTENSION "uuid-ossp"; SET ROLE engine; CREATE SCHEMA "Odd schema";
CREATE TABLE audit_log (id bigserial PRIMARY KEY, at timestamptz, body jsonb, raw bytea, t text, cost float8);
INSERT INTO audit_log (at, body, raw, t, cost) SELECT now(), json_build_object('n', n), decode(md5(n::text), 'hex'), 'x' || n, n / 3.0 FROM generate_series(1, 500) n;
CREATE TABLE "Odd schema"."No ""key"" here" (a int DEFAULT 1, uid uuid DEFAULT uuid_generate_v1());
INSERT INTO "Odd schema"."No ""key"" here" SELECT 1 FROM generate_series(1, 3);
CREATE TABLE empty_one (a int); CREATE VIEW seen AS SELECT id FROM audit_log;
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'; CREATE TYPE mood AS ENUM ('ok', 'bad');`,
      'engine',
    );
  });
  afterAll(async () => {
    await old?.drop();
    await fresh?.drop();
    await newdb?.fleet.close();
  });
  beforeEach(async () => {
    run = new RunOnNewdb(newdb);
    folder = await newdb.sh('mktemp -d /var/tmp/ferry-pg-XXXXXX');
  });
  afterEach(async () => {
    await run.end();
    await newdb.sh(`rm -rf ${folder}`);
  });

  test('read tells what the database is, and names the others when it does not exist', async () => {
    const { outputs } = await run.step(read, { database: 'engine', port: old.port });
    expect(outputs).toMatchObject({
      owner: 'engine',
      encoding: 'UTF8',
      settings: { client_min_messages: 'error' },
      extensions: ['uuid-ossp'],
      tables: 3,
      version: 15,
    });
    const { planned } = await run.plan(read, { database: 'enigne', port: old.port });
    expect(planned).toMatchObject({ kind: 'blocked', hint: 'There are: engine, postgres.' });
  });

  describe('postgres.role', () => {
    const given = (password: string) => ({ name: 'Some-Role"x', password, port: 5692 });
    const state = () => newdb.readings(pgRole(fresh.port, 'Some-Role"x'));

    test('a new role logs in with an odd password, a second time changes nothing, and rollback drops it', async () => {
      const before = await state();
      await run.step(role, given(PASSWORD));
      expect((await run.step(role, given(PASSWORD))).planned.kind).toBe('no-change');
      const asked = { address: '127.0.0.1', port: fresh.port, database: 'postgres', user: 'Some-Role"x' };
      expect((await run.step(login, { ...asked, password: PASSWORD })).outputs.version).toMatch(/^15/);
      await expect(run.step(login, { ...asked, password: 'wrong' })).rejects.toMatchObject({ code: 'LOGIN_REFUSED' });
      expect(await run.rollback()).toEqual([]);
      expect(await state()).toEqual(before);
    });

    test('a former password is in force again after rollback, and md5 verifiers are known', async () => {
      await fresh.sql(`SET password_encryption = 'md5'; CREATE ROLE "Some-Role""x" NOLOGIN PASSWORD 'former'`);
      const stored = await fresh.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'Some-Role"x'`);
      const before = await state();
      await run.step(role, given('next'));
      expect(await fresh.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'Some-Role"x'`)).toMatch(/^SCRAM-SHA-256\$4096:/);
      await run.rollback();
      expect(await state()).toEqual(before);
      expect(await fresh.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = 'Some-Role"x'`)).toBe(stored);
      expect((await run.plan(role, { ...given('former') })).planned).toMatchObject({ summary: 'role Some-Role"x: allow login' });
      await fresh.sql('DROP ROLE "Some-Role""x"');
    });

    test('a role that owns something is kept on purpose', async () => {
      await run.step(role, { name: 'owner1', password: 'p', port: fresh.port });
      await fresh.sql('CREATE TABLE held (a int); ALTER TABLE held OWNER TO owner1');
      expect(await run.rollback()).toMatchObject([{ key: `pgRole(${fresh.port}, owner1)` }]);
      await fresh.sql('DROP TABLE held; DROP ROLE owner1');
    });

    test('neither the password nor its verifier stands in the log of the server', async () => {
      await fresh.sql(`ALTER SYSTEM SET log_statement = 'all'; SELECT pg_reload_conf()`);
      await run.step(role, given('canary-pass-word'));
      await fresh.sql('ALTER SYSTEM RESET log_statement; SELECT pg_reload_conf()');
      const log = await newdb.sh(`cat /var/log/postgresql/postgresql-15-${fresh.name}.log`);
      expect(log).toContain('pg_reload_conf');
      expect(log).not.toMatch(/canary-pass-word|SCRAM-SHA-256\$/);
      await run.rollback();
    });
  });

  describe('postgres.cluster', () => {
    const ref = (port: number) => [pgCluster(port)];

    test('a stopped cluster that is not enabled is started and enabled, and rollback stops and disables it', async () => {
      const file = `/etc/postgresql/15/${fresh.name}/start.conf`;
      await newdb.sh(`sed -i s/^auto/manual/ ${file}`);
      await newdb.sh(`pg_ctlcluster 15 ${fresh.name} stop`);
      const before = await newdb.readings(...ref(fresh.port));
      expect((await run.step(cluster, { port: fresh.port })).planned.summary).toContain('start it and enable it');
      expect((await run.step(cluster, { port: fresh.port })).planned.kind).toBe('no-change');
      await run.rollback();
      expect(await newdb.readings(...ref(fresh.port))).toEqual(before);
      await run.step(cluster, { port: fresh.port });
    });

    test('a new cluster is made, and kept but stopped by rollback', async () => {
      try {
        await run.step(cluster, { port: 5693, name: 'ferry5693', locale: 'C.UTF-8' });
        expect(await run.rollback()).toMatchObject([{ key: 'pgCluster(5693)' }]);
        expect(Object.values(await newdb.readings(...ref(5693)))[0]).toMatchObject({ running: false, start: 'manual' });
      } finally {
        await newdb.sh('pg_dropcluster 15 ferry5693 --stop; true');
      }
    });
  });

  describe('postgres.settings', () => {
    const wanted = {
      port: 5692,
      settings: {
        max_connections: { atLeast: 150 },
        work_mem: { atLeast: '8MB' },
        maintenance_work_mem: { atLeast: '65536kB' },
        autovacuum_vacuum_scale_factor: { atMost: 0.01 },
        listen_addresses: '*',
      },
    };
    const state = () => newdb.readings(...Object.keys(wanted.settings).map((name) => pgSetting(fresh.port, name)));

    test('sets, restarts, then has nothing to do, and rollback restores entries and values', async () => {
      await fresh.sql(`ALTER SYSTEM SET work_mem = '5MB'; SELECT pg_reload_conf()`);
      const before = await state();
      const { planned, outputs } = await run.step(settings, wanted);
      expect(planned.summary).toBe('4 settings, restart needed');
      expect(outputs).toEqual({
        changed: ['max_connections', 'work_mem', 'autovacuum_vacuum_scale_factor', 'listen_addresses'],
        restarted: true,
      });
      expect(await fresh.sql('SHOW work_mem; SHOW max_connections')).toBe('8MB\n150');
      expect((await run.step(settings, wanted)).planned.kind).toBe('no-change');
      await run.rollback();
      expect(await state()).toEqual(before);
      expect(await fresh.sql('SHOW work_mem; SHOW max_connections')).toBe('5MB\n100');
      await fresh.sql('ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()');
    });

    test('a value the server does not survive is taken back, though the server is down', async () => {
      const one = { port: fresh.port, settings: { shared_buffers: '100TB' } };
      await expect(run.step(settings, one)).rejects.toThrow();
      const big = { port: fresh.port, settings: { max_connections: 250_000, shared_buffers: '7TB' } };
      const before = await newdb.readings(pgSetting(fresh.port, 'max_connections'));
      const failure = await run.step(settings, big).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ code: 'SERVER_NOT_STARTED' });
      await run.rollback();
      expect(await newdb.readings(pgSetting(fresh.port, 'max_connections'))).toEqual(before);
    }, 240_000);

    // It stood in the undo, and so in the journal; undo now takes it from the file that was kept.
    test('a former value that may hold a password is put back, and stands in no undo', async () => {
      const former = String.raw`host=a password='it''s \\ CANARY'`;
      await fresh.sql(`ALTER SYSTEM SET primary_conninfo = '${former.replaceAll("'", "''")}'; SELECT pg_reload_conf()`);
      await run.step(settings, { port: fresh.port, settings: { primary_conninfo: 'host=b', work_mem: '6MB' } });
      expect(await fresh.sql('SHOW primary_conninfo')).toBe('host=b');
      expect(JSON.stringify(run.lastUndo())).not.toContain('CANARY');
      await run.rollback();
      expect(await fresh.sql('SHOW primary_conninfo; SHOW work_mem')).toBe(`${former}\n4MB`);
      await fresh.sql('ALTER SYSTEM RESET ALL; SELECT pg_reload_conf()');
    });

    test('a setting that waits for a restart is not written again', async () => {
      const waiting = { port: fresh.port, restart: false, settings: { max_connections: 120 } };
      expect((await run.step(settings, waiting)).outputs).toEqual({ changed: ['max_connections'], restarted: false });
      expect((await run.plan(settings, waiting)).planned).toMatchObject({
        kind: 'no-change',
        summary: 'set already, waiting for a restart',
      });
      await run.rollback();
    });
  });

  describe('postgres.hba', () => {
    const rules = {
      port: 5692,
      rules: [{ database: ODD, role: 'Some-Role', address: ['192.0.2.7', '2001:db8::/64', 'engine.example.com'] }],
    };
    const state = () => newdb.readings(pgHba(fresh.port));

    test('rules go first, are in force, and rollback restores bytes, mode and owner', async () => {
      const before = await state();
      const { outputs } = await run.step(hba, rules);
      expect(outputs).toEqual({ added: 3 });
      const seen = await fresh.sql(
        `SELECT database[1], user_name[1], address, auth_method FROM pg_hba_file_rules ORDER BY line_number LIMIT 3`,
      );
      expect(seen.split('\n')).toEqual([
        `${ODD}|Some-Role|192.0.2.7|scram-sha-256`,
        `${ODD}|Some-Role|2001:db8::|scram-sha-256`,
        `${ODD}|Some-Role|engine.example.com|scram-sha-256`,
      ]);
      expect((await run.step(hba, rules)).planned.kind).toBe('no-change');
      await run.rollback();
      expect(await state()).toEqual(before);
    });

    test('a file with a broken line is left as it was, and says which line', async () => {
      const path = await fresh.sql('SHOW hba_file');
      const bytes = await newdb.sh(`echo 'host all all 192.0.2.300/32 trust' >>${path}; cat ${path}`);
      const failure = await run.step(hba, rules).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ code: 'HBA_INVALID' });
      expect(await newdb.sh(`cat ${path}`)).toBe(bytes);
      await newdb.sh(`sed -i '$d' ${path}`);
    });
  });

  describe('postgres.database', () => {
    const given = {
      database: ODD,
      owner: 'postgres',
      port: 5692,
      settings: { client_min_messages: 'error', search_path: 'public, "A b"' },
    };
    const state = () => newdb.readings(pgDatabase(fresh.port, ODD), pgContents(fresh.port, ODD));

    test('is made once, with settings, and dropped by rollback with sessions on it', async () => {
      const before = await state();
      await run.step(database, given);
      expect((await run.step(database, given)).planned.kind).toBe('no-change');
      const sleep = `psql -Xq -p ${fresh.port} -c 'SELECT pg_sleep(60)' -d "$n"`;
      await newdb.sh(`n=$(cat); (runuser -u postgres -- ${sleep} </dev/null >/dev/null 2>&1 &)`, conninfo(ODD));
      await run.step(connections, { database: ODD, min: 1, timeout: '10s', port: fresh.port });
      await run.rollback();
      expect(await state()).toEqual(before);
    });

    test('killed right after CREATE DATABASE, the next attempt finishes and rollback still drops it', async () => {
      await run.step(database, given, { dieAfter: 'create' });
      await run.step(database, given, { earlier: run.lastUndo() });
      expect(Object.values(await state())[0]).toMatchObject({
        settings: { client_min_messages: 'error', search_path: 'public, "A b"' },
      });
      expect(await run.rollback()).toEqual([]);
      expect(Object.values(await state())).toEqual(['absent', 'absent']);
    });

    test('after the write line it is renamed, closed and kept', async () => {
      await run.step(database, { ...given, database: 'engine', settings: {} });
      await fresh.sql('CREATE TABLE written (a int)', 'engine');
      run.crossedWriteLine = true;
      const kept = await run.rollback();
      expect(kept).toMatchObject([{ key: `pgDatabase(${fresh.port}, engine_ferry_${run.id})` }]);
      expect(await fresh.sql(`SELECT datname, datconnlimit FROM pg_database WHERE datname LIKE 'engine%'`)).toBe(
        `engine_ferry_${run.id}|0`,
      );
      await fresh.sql(`DROP DATABASE "engine_ferry_${run.id}"`);
    });

    // It was taken for "no such database": the step passed for undone and the database stayed.
    test('a rollback while the server is stopped stays owed, and drops the database when it runs again', async () => {
      await run.step(database, given);
      await newdb.sh(`pg_ctlcluster 15 ${fresh.name} stop`);
      await expect(run.rollback()).rejects.toMatchObject({ code: 'POSTGRES_STOPPED', args: { port: fresh.port } });
      await newdb.sh(`pg_ctlcluster 15 ${fresh.name} start`);
      expect(await run.rollback()).toEqual([]);
      expect(Object.values(await state())).toEqual(['absent', 'absent']);
    });

    test("somebody else's database of that name is not dropped", async () => {
      await run.step(database, { ...given, database: 'theirs', settings: {} });
      await fresh.sql(`DROP DATABASE theirs; CREATE DATABASE theirs`);
      await fresh.sql('CREATE TABLE precious (a int)', 'theirs');
      expect(await run.rollback()).toMatchObject([{ what: 'database theirs does not come from this run and is kept: 1 tables' }]);
      await fresh.sql('DROP DATABASE theirs');
    });

    test('owner and settings of one that exists are put back', async () => {
      await fresh.sql(`CREATE ROLE app; CREATE DATABASE app; ALTER DATABASE app SET work_mem = '1MB'`);
      const ref = [pgDatabase(fresh.port, 'app')];
      const before = await newdb.readings(...ref);
      await run.step(database, {
        database: 'app',
        owner: 'app',
        port: fresh.port,
        settings: { work_mem: '2MB', lock_timeout: 5 },
      });
      await run.rollback();
      expect(await newdb.readings(...ref)).toEqual(before);
      await fresh.sql('DROP DATABASE app; DROP ROLE app');
    });

    // They stood in readings, predictions and undo.
    test('settings that may be secrets are put back, and stand in nothing that is written down', async () => {
      const secret = String.raw`it's \ "CANARY" :'x' $HOME`;
      const set = (text: string) => `ALTER DATABASE app SET "app.jwt_secret" = '${text.replaceAll("'", "''")}'`;
      await fresh.sql(`CREATE ROLE app; CREATE DATABASE app OWNER app; ${set(secret)}`);
      const ref = [pgDatabase(fresh.port, 'app')];
      const before = await newdb.readings(...ref);
      expect(JSON.stringify(before)).not.toContain('CANARY');
      const wanted = { database: 'app', owner: 'app', port: fresh.port, settings: { 'app.jwt_secret': 'other' } };
      expect((await run.step(database, wanted)).planned.kind).toBe('change');
      expect(await newdb.readings(...ref)).not.toEqual(before);
      expect(JSON.stringify(run.lastUndo())).not.toContain('CANARY');
      await run.rollback();
      expect(await newdb.readings(...ref)).toEqual(before);
      expect(await fresh.sql('SHOW "app.jwt_secret"', 'app')).toBe(secret);
      await fresh.sql('DROP DATABASE app; DROP ROLE app');
    });

    test('a missing locale blocks with what to install', async () => {
      const { planned } = await run.plan(database, { ...given, collate: 'xx_XX.UTF-8' });
      expect(planned).toMatchObject({ kind: 'blocked', summary: 'locale xx_XX.UTF-8 is not installed on newdb' });
    });
  });

  test('freeze ends sessions, holds others off, and is taken back', async () => {
    const ref = [pgDatabase(old.port, 'engine')];
    const before = await newdb.readings(...ref);
    await old.sql(`ALTER ROLE engine PASSWORD 'pw'`);
    const sleep = `psql -Xq -h 127.0.0.1 -p ${old.port} -U engine engine -c 'SELECT pg_sleep(60)'`;
    await newdb.sh(`(PGPASSWORD=pw ${sleep} </dev/null >/dev/null 2>&1 &)`);
    expect(
      (await run.step(connections, { database: 'engine', role: 'engine', min: 1, timeout: '10s', port: old.port })).outputs,
    ).toEqual({ count: 1 });
    await run.step(freeze, { database: 'engine', port: old.port });
    await run.step(connections, { database: 'engine', max: 0, timeout: '5s', port: old.port });
    expect((await run.step(freeze, { database: 'engine', port: old.port })).planned.kind).toBe('no-change');
    const failure = await run
      .step(login, { address: '127.0.0.1', port: old.port, database: 'engine', user: 'engine', password: 'pw' })
      .catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      code: 'LOGIN_REFUSED',
      args: { why: 'the server or the database takes no more connections' },
    });
    await run.rollback();
    expect(await newdb.readings(...ref)).toEqual(before);
  });

  describe('moving a database', () => {
    const source = { database: 'engine', port: 5691 };
    const target = { database: 'engine', port: 5692 };
    const prepare = async () => {
      await run.step(role, { name: 'alt', password: new Secret('pw', 'test') as never, port: target.port });
      await run.step(database, { ...target, owner: 'alt', settings: { client_min_messages: 'error' } });
      await run.step(extension, { ...target, name: 'uuid-ossp' });
    };
    const path = () => `${folder}/made/engine.dump`;

    test('dump, restore as another role, compare equal; then one changed row is found; rollback keeps it under another name', async () => {
      const refs = [pgDatabase(target.port, 'engine'), pgRole(target.port, 'alt'), pgContents(target.port, 'engine')];
      const before = await newdb.readings(...refs);
      const dumped = await run.step(dump, { ...source, path: path() });
      expect(dumped.outputs).toMatchObject({ bytes: Number(await newdb.sh(`stat -c %s ${path()}`)), warnings: [], version: 15 });
      expect(await newdb.sh(`stat -c '%a %U' ${path()} ${folder}/made`)).toBe('600 root\n700 root');
      await prepare();
      expect((await run.step(extension, { ...target, name: 'uuid-ossp' })).planned.kind).toBe('no-change');
      const restored = await run.step(restore, {
        ...target,
        owner: 'alt',
        path: path(),
        sha256: dumped.outputs.sha256 as string,
      });
      expect(restored.outputs).toMatchObject({ tables: 3 });
      expect(
        await fresh.sql(`SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'Odd schema')`, 'engine'),
      ).toBe('alt');
      expect(
        await fresh.sql(
          `SELECT count(*) FROM pg_statistic s JOIN pg_class c ON c.oid = starelid WHERE relname = 'audit_log'`,
          'engine',
        ),
      ).not.toBe('0');
      const asked = { ...source, with: { host: 'newdb', ...target } };
      expect((await run.step(compare, asked)).outputs).toEqual({
        equal: true,
        tables: 3,
        rows: 503,
        sequences: 1,
        objects: expect.any(Number),
      });
      await fresh.sql(
        `UPDATE audit_log SET t = 'y' WHERE id = 7; SELECT nextval('audit_log_id_seq'); DROP VIEW seen; CREATE TABLE more (a int); DELETE FROM "Odd schema"."No ""key"" here" WHERE ctid = '(0,1)'`,
        'engine',
      );
      const failure = (await run.step(compare, asked).catch((thrown: unknown) => thrown)) as {
        code: string;
        message: string;
        args: { count: number };
      };
      expect(failure).toMatchObject({ code: 'COMPARE_DIFFERS', args: { count: 5 } });
      expect(failure.message).toContain('view public.seen: there | missing');
      expect(failure.message).toContain('table public.more: missing | there');
      expect(failure.message).toContain('sequence public.audit_log_id_seq: 500 true | 501 true');
      expect(failure.message).toContain('table "Odd schema"."No ""key"" here": 3 | 2 rows');
      expect(failure.message).toMatch(/table public.audit_log: 500 rows on both sides, content differs/);
      const name = `engine_ferry_${run.id}`;
      expect((await run.rollback()).map(({ key }) => key)).toContain(`pgDatabase(${target.port}, ${name})`);
      expect(await fresh.sql('SELECT t FROM audit_log WHERE id = 7', name)).toBe('y');
      await fresh.sql(`DROP DATABASE "${name}"; DROP ROLE alt`);
      expect(await newdb.readings(...refs)).toEqual(before);
      expect(await newdb.sh(`ls ${folder}`)).toBe('');
    });

    // Nothing was counted before the write line, so all of it was dropped unseen.
    test.each([
      [
        'reading, privileges and statistics',
        'CREATE TEMP TABLE t AS SELECT * FROM audit_log; ANALYZE; GRANT SELECT ON audit_log TO postgres',
        [],
      ],
      ['a row', `UPDATE audit_log SET t = 'z' WHERE id = 9`, ['kept']],
      ['an index', 'CREATE INDEX ON audit_log (at)', ['kept']],
      ['a function', `CREATE OR REPLACE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 3'`, ['kept']],
    ])('before the write line a restored database is kept for what came into it since: %s', async (_, acts, wanted) => {
      await run.step(dump, { ...source, path: path() });
      await fresh.sql('CREATE ROLE alt; CREATE DATABASE engine OWNER alt TEMPLATE template0');
      await fresh.sql('CREATE EXTENSION "uuid-ossp"', 'engine');
      await run.step(restore, { ...target, owner: 'alt', path: path() });
      const left = await newdb.sh(`cat ${keepPath(run.id, 's2', 'imprint')}`);
      expect(Object.values(await newdb.readings(pgImprint(target.port, 'engine')))).toEqual([left]);
      // The session stays, so that what it has written may not be counted before it is ended.
      const session = `runuser -u postgres -- psql -XAtq -p ${target.port} engine`;
      await newdb.sh(
        `cd ${folder}; mkfifo in; ${session} <in >said 2>&1 & exec 5>${folder}/in; cat >&5; until grep -q done ${folder}/said; do sleep 0.1; done; sleep 300 >&5 <&- 2>&- & echo $! >${folder}/pid`,
        `${acts};\n\\echo done\n`,
      );
      const name = `engine_ferry_${run.id}`;
      expect((await run.rollback()).map(({ what }) => what)).toEqual(
        wanted.map(
          (word) =>
            `database engine holds what may not come from this run; it is ${word} as ${name}, closed to all but superusers`,
        ),
      );
      expect(await fresh.sql(`SELECT count(*) FROM pg_database WHERE datname = '${name}'`)).toBe(String(wanted.length));
      await newdb.sh(`kill $(cat ${folder}/pid)`);
      await fresh.sql(`DROP DATABASE engine; DROP DATABASE IF EXISTS "${name}"; DROP ROLE alt`);
    });

    test('a restore that fails in the middle leaves the database empty and says so', async () => {
      const dumped = await run.step(dump, { ...source, path: path() });
      await run.step(role, { name: 'alt', password: 'pw', port: target.port });
      await run.step(database, { ...target, owner: 'alt' });
      // Without the extension the table with uuid_generate_v1() cannot be made.
      const failure = await run
        .step(restore, { ...target, owner: 'alt', path: path(), sha256: dumped.outputs.sha256 as string })
        .catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({
        code: 'RESTORE_FAILED',
        left: 'The transaction was rolled back: database engine on newdb is empty, as before.',
      });
      expect(Object.values(await newdb.readings(pgContents(target.port, 'engine')))[0]).toMatchObject({
        tables: 0,
        functions: 0,
      });
      await run.rollback();
    });

    test('a changed or cut dump is refused before the database is touched', async () => {
      const dumped = await run.step(dump, { ...source, path: path() });
      await prepare();
      await newdb.sh(`truncate -s -2000 ${path()}`);
      const wanted = { ...target, owner: 'alt', path: path() };
      await expect(run.step(restore, { ...wanted, sha256: dumped.outputs.sha256 as string })).rejects.toMatchObject({
        code: 'DUMP_DAMAGED',
      });
      await expect(run.step(restore, wanted)).rejects.toMatchObject({
        code: 'DUMP_DAMAGED',
        left: 'Nothing was restored; database engine on newdb is empty.',
      });
      await run.rollback();
    });

    test('killed after the restore, the next attempt only analyzes, and rollback empties the database', async () => {
      await run.step(dump, { ...source, path: path() });
      await fresh.sql(
        `CREATE ROLE alt; CREATE DATABASE engine OWNER alt TEMPLATE template0; GRANT CONNECT ON DATABASE engine TO alt; REVOKE CONNECT ON DATABASE engine FROM PUBLIC; ALTER DATABASE engine SET work_mem = '9MB'; ALTER DATABASE engine SET "app.jwt_secret" = 'CANARY'`,
      );
      await fresh.sql('CREATE EXTENSION "uuid-ossp"', 'engine');
      const refs = [pgDatabase(target.port, 'engine'), pgContents(target.port, 'engine')];
      const before = await newdb.readings(...refs);
      const wanted = { ...target, owner: 'alt', path: path() };
      await run.step(restore, wanted, { dieAfter: 'restore' });
      expect((await run.plan(restore, wanted)).planned.kind).toBe('blocked');
      const again = await run.step(restore, wanted, { earlier: run.lastUndo() });
      expect(again.planned.summary).toBe('engine is restored; analyze it');
      expect(JSON.stringify(run.lastUndo())).not.toContain('CANARY');
      await run.rollback();
      expect(await newdb.readings(...refs)).toEqual(before);
      await fresh.sql('DROP DATABASE engine; DROP ROLE alt');
    });

    // It stayed full, so a run taken back to a checkpoint before the restore could not go forward again.
    test('after the write line a restore taken back leaves the database empty, and what was written under another name', async () => {
      await run.step(dump, { ...source, path: path() });
      await fresh.sql(`CREATE ROLE alt; CREATE DATABASE engine OWNER alt TEMPLATE template0`);
      await fresh.sql('CREATE EXTENSION "uuid-ossp"', 'engine');
      const refs = [pgDatabase(target.port, 'engine'), pgContents(target.port, 'engine')];
      const before = await newdb.readings(...refs);
      await run.step(restore, { ...target, owner: 'alt', path: path() });
      await fresh.sql('CREATE TABLE written (a int)', 'engine');
      run.crossedWriteLine = true;
      const name = `engine_ferry_${run.id}`;
      expect(await run.rollback()).toMatchObject([{ key: `pgDatabase(${target.port}, ${name})` }]);
      expect(await newdb.readings(...refs)).toEqual(before);
      expect(await fresh.sql('SELECT count(*) FROM written', name)).toBe('0');
      expect(await fresh.sql(`SELECT datconnlimit FROM pg_database WHERE datname = '${name}'`)).toBe('0');
      await fresh.sql(`DROP DATABASE engine; DROP DATABASE "${name}"; DROP ROLE alt`);
    });

    test('after the write line all of it taken back leaves nothing but what was written', async () => {
      await run.step(dump, { ...source, path: path() });
      await prepare();
      await run.step(restore, { ...target, owner: 'alt', path: path() });
      await fresh.sql('CREATE TABLE written (a int)', 'engine');
      run.crossedWriteLine = true;
      const name = `engine_ferry_${run.id}`;
      const kept = await run.rollback();
      expect(new Set(kept.map(({ what }) => what.split(';')[0]))).toEqual(
        new Set([
          'database engine holds what was written after the write line',
          'role alt is kept: a database or an object in one belongs to it',
        ]),
      );
      expect(await fresh.sql(`SELECT datname FROM pg_database WHERE datname LIKE 'engine%'`)).toBe(name);
      expect(await fresh.sql('SELECT count(*) FROM written', name)).toBe('0');
      await fresh.sql(`DROP DATABASE "${name}"; DROP ROLE alt`);
    });

    // The mark alone made it "ours": it was dropped with all that had come into it since.
    test('a database the run made is kept when it holds what no undo of the run has taken out', async () => {
      await run.step(database, { ...target, owner: 'postgres', settings: {} });
      await fresh.sql('CREATE TABLE live (a int); INSERT INTO live VALUES (7)', 'engine');
      const name = `engine_ferry_${run.id}`;
      expect(await run.rollback()).toMatchObject([
        { what: expect.stringContaining(`what this run has not put there; it is kept as ${name}`) },
      ]);
      expect(await fresh.sql('SELECT a FROM live', name)).toBe('7');
      await fresh.sql(`DROP DATABASE "${name}"`);
    });

    test('going back over what was written a second time finds another name for it', async () => {
      const name = `engine_ferry_${run.id}`;
      await fresh.sql(`CREATE DATABASE "${name}"`);
      await run.step(database, { ...target, owner: 'postgres', settings: {} });
      await fresh.sql('CREATE TABLE live (a int)', 'engine');
      run.crossedWriteLine = true;
      expect(await run.rollback()).toMatchObject([{ key: `pgDatabase(${target.port}, ${name}_2)` }]);
      expect(await fresh.sql(`SELECT datname FROM pg_database WHERE datname LIKE 'engine%' ORDER BY 1`)).toBe(
        `${name}\n${name}_2`,
      );
      await fresh.sql(`DROP DATABASE "${name}"; DROP DATABASE "${name}_2"`);
    });

    test('what somebody restored by hand after the restore had failed is kept', async () => {
      await run.step(dump, { ...source, path: path() });
      await fresh.sql(`CREATE ROLE alt; CREATE DATABASE engine OWNER alt TEMPLATE template0; CREATE VIEW v AS SELECT 1 AS a`);
      // Without its extension the dump cannot be restored.
      await expect(run.step(restore, { ...target, owner: 'alt', path: path() })).rejects.toMatchObject({
        code: 'RESTORE_FAILED',
      });
      await fresh.sql('CREATE TABLE by_hand (a int)', 'engine');
      const name = `engine_ferry_${run.id}`;
      expect(await run.rollback()).toMatchObject([{ what: expect.stringContaining(`kept as ${name}`) }]);
      expect(await fresh.sql('SELECT count(*) FROM by_hand', name)).toBe('0');
      await fresh.sql(`DROP DATABASE engine; DROP DATABASE "${name}"; DROP ROLE alt; DROP VIEW v`);
    });

    // Anything in it passed for the whole restore: the step was done, with nothing of the dump there.
    test('what somebody made in the database after the restore had failed does not pass for the restore', async () => {
      await run.step(dump, { ...source, path: path() });
      await fresh.sql('CREATE ROLE alt; CREATE DATABASE engine OWNER alt TEMPLATE template0');
      const wanted = { ...target, owner: 'alt', path: path() };
      await newdb.sh(`cp ${path()} ${folder}/whole; truncate -s -2000 ${path()}`);
      await expect(run.step(restore, wanted)).rejects.toMatchObject({ code: 'DUMP_DAMAGED' });
      await fresh.sql('CREATE TABLE by_hand (a int)', 'engine');
      await expect(run.step(restore, wanted, { earlier: run.lastUndo() })).rejects.toMatchObject({
        code: 'RESTORE_UNPROVEN',
        args: { found: '1 tables' },
      });
      await run.rollback();
      const name = `engine_ferry_${run.id}`;
      expect(await fresh.sql('SELECT count(*) FROM by_hand', name)).toBe('0');
      await fresh.sql(`DROP DATABASE engine; DROP DATABASE "${name}"; DROP ROLE alt`);
    });

    // pg_restore lists nothing of it, restores nothing, and says that all went well.
    test('a dump whose header was zeroed is refused', async () => {
      await run.step(dump, { ...source, path: path() });
      await prepare();
      await newdb.sh(`dd if=/dev/zero of=${path()} bs=1 seek=40 count=200 conv=notrunc 2>/dev/null`);
      await expect(run.step(restore, { ...target, owner: 'alt', path: path() })).rejects.toMatchObject({
        code: 'DUMP_DAMAGED',
        args: { why: expect.stringContaining('its list of contents is empty') },
      });
      await run.rollback();
    });

    test('the write line tells how many rows were written after it', async () => {
      await fresh.sql('CREATE DATABASE engine');
      await fresh.sql(
        'CREATE TABLE audit_log (a int); INSERT INTO audit_log VALUES (1), (2); CREATE TABLE "Quiet" (a int)',
        'engine',
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      const drawn = await run.step(writeLine, target);
      expect(drawn.planned).toMatchObject({ kind: 'check' });
      expect(await run.written(writeLine, drawn.outputs)).toEqual([]);
      await fresh.sql('INSERT INTO audit_log VALUES (3), (4); DELETE FROM audit_log WHERE a = 1', 'engine');
      expect(await run.written(writeLine, drawn.outputs)).toEqual(['audit_log: 3 rows written']);
      await fresh.sql('DROP DATABASE engine');
    });

    test('a full disk fails the dump, names it, and leaves no file', async () => {
      const disk = `${folder}/disk`;
      await old.sql('CREATE DATABASE bulky');
      await old.sql(
        `CREATE TABLE bytes AS SELECT decode(md5(random()::text) || md5(random()::text), 'hex') FROM generate_series(1, 50000)`,
        'bulky',
      );
      await newdb.sh(`mkdir ${disk} && mount -t tmpfs -o size=1m,mode=700 tmpfs ${disk}`);
      const wanted = { database: 'bulky', port: old.port, path: `${disk}/bulky.dump` };
      try {
        const failure = (await run.step(dump, wanted).catch((thrown: unknown) => thrown)) as {
          code: string;
          message: string;
          left: string;
        };
        expect(failure).toMatchObject({
          code: 'COMMAND_FAILED',
          left: 'Nothing was changed in bulky; the partial dump on newdb was removed.',
        });
        expect(failure.message).toContain('No space left on device');
        expect(await newdb.sh(`ls ${disk}`)).toBe('');
        // So little room that no dump of these tables can fit is told before anything is begun.
        await newdb.sh(`mount -o remount,size=64k ${disk}`);
        expect((await run.plan(dump, { ...wanted, compress: 0 })).planned).toMatchObject({
          kind: 'blocked',
          hint: expect.stringContaining('Make room'),
        });
        await run.rollback();
      } finally {
        await newdb.sh(`umount ${disk}`);
        await old.sql('DROP DATABASE bulky');
      }
    });
  });
});
