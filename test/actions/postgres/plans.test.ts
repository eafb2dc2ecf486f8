import { describe, expect, test } from 'vitest';
import { Unknown } from '../../../src/actions/outputs.ts';
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
import { diskFree } from '../../../src/facts/disk-free.ts';
import { type FileStat, fileStat } from '../../../src/facts/file-stat.ts';
import { pgClientVersion } from '../../../src/facts/pg-client-version.ts';
import { type PgCluster, pgCluster } from '../../../src/facts/pg-cluster.ts';
import { NO_CONTENTS, type PgContents, pgContents } from '../../../src/facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../../src/facts/pg-database.ts';
import { pgDatabaseNames } from '../../../src/facts/pg-database-names.ts';
import { pgExtensionAvailable } from '../../../src/facts/pg-extension-available.ts';
import { pgGrantees } from '../../../src/facts/pg-grantees.ts';
import { type PgHba, pgHba } from '../../../src/facts/pg-hba.ts';
import { pgInstall } from '../../../src/facts/pg-install.ts';
import { type PgLocale, pgLocale } from '../../../src/facts/pg-locale.ts';
import { pgPrivileges } from '../../../src/facts/pg-privileges.ts';
import { type PgRole, pgRole } from '../../../src/facts/pg-role.ts';
import { type PgSessions, pgSessions } from '../../../src/facts/pg-sessions.ts';
import { type PgSetting, pgSetting } from '../../../src/facts/pg-setting.ts';
import { pgSize } from '../../../src/facts/pg-size.ts';
import { pgSuperusers } from '../../../src/facts/pg-superusers.ts';
import { md5Verifier, scramVerifier } from '../../../src/facts/postgres/scram.ts';
import { psqlVersion } from '../../../src/facts/psql-version.ts';
import { resolvedName } from '../../../src/facts/resolved-name.ts';
import { Secret } from '../../../src/hosts/secret.ts';
import { ENGINE_DATABASE, factOf, siteOf } from '../../kit/facts.ts';

const H = 'newdb';
const site = siteOf(H);
const running: PgCluster = {
  family: 'debian',
  version: 15,
  name: 'main',
  unit: 'postgresql@15-main.service',
  dataDirectory: '/var/lib/postgresql/15/main',
  configFile: '/etc/postgresql/15/main/postgresql.conf',
  hbaFile: '/etc/postgresql/15/main/pg_hba.conf',
  running: true,
  enabled: true,
  start: 'auto',
  encoding: 'UTF8',
  versionNum: 150018,
};
const aRole: PgRole = {
  name: 'engine',
  login: true,
  superuser: false,
  inherit: true,
  createdb: false,
  createrole: false,
  replication: false,
  bypassrls: false,
  connectionLimit: -1,
  verifier: scramVerifier('right', Buffer.from('salt')),
};
const clusterFact = (found: PgCluster | null = running, more = {}) => factOf(pgCluster(5432).on(H), found ?? undefined, more);
const databaseFact = (found: PgDatabase | undefined, name = 'engine') => factOf(pgDatabase(5432, name).on(H), found);
const contentsFact = (found: PgContents | undefined) => factOf(pgContents(5432, 'engine').on(H), found);
const roleFact = (found: PgRole | undefined) => factOf(pgRole(5432, 'engine').on(H), found);

describe('every action', () => {
  const server = { port: 5432 };
  const down = { ...running, running: false };

  test('is blocked where no cluster is, and where it is stopped', () => {
    const facts = { cluster: clusterFact(null), role: roleFact(undefined) };
    expect(role.plan(role.params.parse({ name: 'engine', ...server }), facts, site)).toMatchObject({
      kind: 'blocked',
      summary: 'newdb has no PostgreSQL cluster on port 5432',
    });
    const stopped = role.plan(role.params.parse({ name: 'engine' }), { ...facts, cluster: clusterFact(down) }, site);
    expect(stopped).toMatchObject({
      kind: 'blocked',
      summary: 'PostgreSQL on newdb port 5432 is stopped',
      hint: expect.stringContaining('systemctl start postgresql@15-main.service'),
    });
  });

  test('takes its own examples', () => {
    for (const action of [
      cluster,
      compare,
      connections,
      database,
      dump,
      extension,
      freeze,
      hba,
      login,
      read,
      restore,
      role,
      settings,
      writeLine,
    ]) {
      for (const example of action.examples) expect(action.params.safeParse(example.with).error).toBeUndefined();
    }
  });
});

describe('postgres.cluster', () => {
  const plan = (found: PgCluster | null, majors: number[] | undefined, more: object = {}, read = true) =>
    cluster.plan(
      cluster.params.parse(more),
      {
        cluster: clusterFact(found),
        install: factOf(pgInstall().on(H), majors && { family: 'debian' as const, majors }, { read }),
      },
      site,
    );

  test('has nothing to do when it runs and is enabled', () => {
    expect(plan(running, [15])).toMatchObject({
      kind: 'no-change',
      outputs: { version: 15, unit: 'postgresql@15-main.service', port: 5432 },
    });
  });

  test('starts and enables, and what is inside is known only then', () => {
    const planned = plan({ ...running, running: false, start: 'manual' }, [15]);
    expect(planned).toMatchObject({
      kind: 'change',
      undoSummary: 'stop it and disable it',
      undo: { created: false, running: false, enabled: true, start: 'manual' },
    });
    expect(planned.kind === 'change' && planned.predicts.map(({ to }) => to)).toEqual([undefined]);
  });

  test('makes one of the newest version, which undo keeps', () => {
    expect(plan(null, [13, 15], { port: 5433 })).toMatchObject({
      kind: 'change',
      data: { create: true, server: { version: 15, name: 'main' } },
      undoSummary: 'stop it and keep it',
    });
  });

  test('is blocked without the programs, unless an earlier step may bring them', () => {
    expect(plan(null, undefined)).toMatchObject({ kind: 'blocked', summary: 'newdb has no PostgreSQL server installed' });
    expect(plan(null, [13], { version: 15 })).toMatchObject({
      kind: 'blocked',
      summary: 'newdb has no PostgreSQL 15 server installed',
    });
    expect(plan(null, undefined, {}, false)).toMatchObject({ kind: 'change', outputs: { version: expect.any(Unknown) } });
  });
});

describe('postgres.read', () => {
  const plan = (found: PgDatabase | undefined, connected?: string) =>
    read.plan(
      read.params.parse({ database: 'engine', connected }),
      {
        cluster: clusterFact(),
        database: databaseFact(found),
        size: factOf(pgSize(5432, 'engine').on(H), {
          bytes: 204_000_000,
          tables: 156,
          tableBytes: 120_000_000,
          indexBytes: 60_000_000,
        }),
        names: factOf(pgDatabaseNames(5432).on(H), ['enginedb', 'postgres']),
        sessions: [factOf(pgSessions(5432, 'engine').on(H), [{ user: 'engine', address: null, count: 2 }])],
      },
      site,
    );

  test('hands on what may hold a password as a secret', () => {
    const { outputs } = plan({ ...ENGINE_DATABASE, settings: { work_mem: '1MB', 'app.jwt_secret': 'CANARY' } });
    expect(outputs.settings).toMatchObject({ work_mem: '1MB', 'app.jwt_secret': expect.any(Secret) });
    expect(JSON.stringify(outputs)).not.toContain('CANARY');
  });

  test('does not hold while the role it is asked about has no session', () => {
    expect(plan(ENGINE_DATABASE, 'engine').kind).toBe('check');
    expect(plan(ENGINE_DATABASE, 'other')).toMatchObject({
      kind: 'blocked',
      summary: 'other has no session on database "engine" at newdb',
    });
  });

  test('hands out everything when the plan is made', () => {
    expect(
      plan({ ...ENGINE_DATABASE, extensions: { 'uuid-ossp': { version: '1.1', owner: 'postgres', schema: 'public' } } }),
    ).toMatchObject({
      kind: 'check',
      summary: 'engine: owner engine, UTF8, en_US.UTF-8, 204 MB',
      outputs: {
        owner: 'engine',
        collate: 'en_US.UTF-8',
        extensions: ['uuid-ossp'],
        bytes: 204_000_000,
        tables: 156,
        version: 15,
      },
    });
  });

  test('names the databases there are when it is not one of them', () => {
    expect(plan(undefined)).toMatchObject({ kind: 'blocked', hint: 'There are: enginedb, postgres.' });
  });
});

describe('postgres.settings', () => {
  const setting = (more: Partial<PgSetting>): PgSetting => ({
    setting: '100',
    unit: null,
    context: 'postmaster',
    type: 'integer',
    pendingRestart: false,
    autoConf: null,
    secret: false,
    ...more,
  });
  const plan = (given: object, found: Record<string, PgSetting | undefined>, locales: PgLocale[] = []) =>
    settings.plan(
      settings.params.parse(given),
      {
        cluster: clusterFact(),
        settings: Object.fromEntries(
          Object.entries(found).map(([name, value]) => [name, factOf(pgSetting(5432, name).on(H), value)]),
        ),
        locales: locales.map((value) => factOf(pgLocale(5432, 'en_US.UTF-8').on(H), value)),
      },
      site,
    );
  const wanted = { settings: { max_connections: { atLeast: 150 } } };

  test('says what undo does where its restart brings in force a former entry that waited for one', () => {
    const waiting = { autoConf: '200', pendingRestart: true };
    const planned = plan(
      { settings: { max_connections: 150, work_mem: '8MB' } },
      { max_connections: setting(waiting), work_mem: setting({ setting: '4096', unit: 'kB', context: 'user', autoConf: '4MB' }) },
    );
    expect(planned).toMatchObject({
      diff: [
        ['~', 'max_connections = ', '100', '150'],
        ['~', 'work_mem = ', '4096 kB', '8MB'],
      ],
      undoDiff: [
        ['~', 'max_connections = ', '150', '200'],
        ['~', 'work_mem = ', '8MB', '4096 kB'],
      ],
    });
  });

  test('shows each value that changes, says that a restart is needed, and remembers the former entry', () => {
    const planned = plan(
      { settings: { ...wanted.settings, work_mem: { atLeast: '8MB' } } },
      { max_connections: setting({}), work_mem: setting({ setting: '4096', unit: 'kB', context: 'user', autoConf: '4MB' }) },
    );
    expect(planned).toMatchObject({
      kind: 'change',
      summary: '2 settings, restart needed',
      diff: [
        ['~', 'max_connections = ', '100', '150'],
        ['~', 'work_mem = ', '4096 kB', '8MB'],
      ],
      undo: {
        former: {
          max_connections: { autoConf: null, setting: '100', needsRestart: true },
          work_mem: { autoConf: '4MB', setting: '4096', needsRestart: false },
        },
      },
      keep: [{ path: '/var/lib/postgresql/15/main/postgresql.auto.conf' }],
    });
    expect(planned).not.toHaveProperty('undoDiff');
    expect(planned.kind === 'change' && planned.predicts.map(({ to }) => to)).toMatchObject([
      { value: { setting: '150', autoConf: '150', pendingRestart: false } },
      { value: { setting: '8192', autoConf: '8MB' } },
    ]);
  });

  // It stood in the journal, and in intent.json on the host.
  test('remembers of a former value that may hold a password only that it is in the file that is kept', () => {
    const former = { setting: 'host=a password=CANARY', autoConf: 'host=a password=CANARY', context: 'sighup', type: 'string' };
    const planned = plan(
      { settings: { primary_conninfo: 'host=b' } },
      { primary_conninfo: setting({ ...former, secret: true } as never) },
    );
    expect(planned).toMatchObject({
      kind: 'change',
      undo: { former: { primary_conninfo: { autoConf: null, setting: null, needsRestart: false, hidden: true } } },
      keep: [{ path: '/var/lib/postgresql/15/main/postgresql.auto.conf' }],
    });
    expect(JSON.stringify(planned.kind === 'change' && [planned.undo, planned.diff])).not.toContain('CANARY');
  });

  test('has nothing to do within the bounds', () => {
    expect(plan(wanted, { max_connections: setting({ setting: '200' }) })).toMatchObject({ kind: 'no-change' });
  });

  test('only restarts for what was written before a crash', () => {
    expect(plan(wanted, { max_connections: setting({ pendingRestart: true, autoConf: '150' }) })).toMatchObject({
      kind: 'change',
      data: { write: {}, restart: true },
    });
  });

  test('without restart it writes once and then waits', () => {
    const lazy = { ...wanted, restart: false };
    expect(plan(lazy, { max_connections: setting({}) })).toMatchObject({ kind: 'change', summary: '1 setting, reload' });
    expect(plan(lazy, { max_connections: setting({ pendingRestart: true, autoConf: '150' }) })).toMatchObject({
      kind: 'no-change',
    });
  });

  test('is blocked by an unknown setting, a fixed one, and a locale the system lacks', () => {
    expect(plan({ settings: { max_conections: 1 } }, { max_conections: undefined })).toMatchObject({
      kind: 'blocked',
      summary: 'PostgreSQL on newdb knows no setting "max_conections"',
    });
    expect(plan({ settings: { block_size: 1 } }, { block_size: setting({ context: 'internal' }) })).toMatchObject({
      kind: 'blocked',
    });
    const lc = { settings: { lc_messages: 'en_US.UTF-8' } };
    expect(
      plan(lc, { lc_messages: setting({ setting: 'C', type: 'string' }) }, [{ installed: false, accepted: false }]),
    ).toMatchObject({ kind: 'blocked', hint: expect.stringContaining('locale-gen') });
  });
});

describe('postgres.hba', () => {
  const file: PgHba = {
    path: '/hba',
    mode: '0640',
    owner: 'postgres',
    group: 'postgres',
    content: '# head\n\nlocal all all peer\n',
    loaded: true,
  };
  const plan = (
    found: PgHba,
    more: { address?: string[]; method?: string; resolve?: boolean } = {},
    around: { names?: Record<string, string[] | undefined>; role?: PgRole } = {},
  ) =>
    hba.plan(
      hba.params.parse({
        rules: [{ database: 'engine', role: 'engine', address: more.address ?? ['192.0.2.7', '192.0.2.8'], method: more.method }],
        resolve: more.resolve,
      }),
      {
        cluster: clusterFact(),
        hba: factOf(pgHba(5432).on(H), found),
        names: Object.entries(around.names ?? {}).map(([name, on]) => factOf(resolvedName(name).on(H), on)),
        roles: [more.method === 'as-stored' ? [roleFact(around.role)] : []],
      },
      site,
    );
  const lines = (planned: ReturnType<typeof plan>) => planned.kind === 'change' && planned.data.lines;

  test('puts a line for each address at the top, and keeps the file', () => {
    const planned = plan(file);
    expect(planned).toMatchObject({
      kind: 'change',
      summary: '2 rules in pg_hba.conf',
      diff: [
        ['+', 'host engine engine 192.0.2.7/32 scram-sha-256 # ferry'],
        ['+', 'host engine engine 192.0.2.8/32 scram-sha-256 # ferry'],
        [' ', 'local all all peer'],
      ],
      data: { after: 2 },
      undo: { path: '/hba', mode: '0640', owner: 'postgres', group: 'postgres' },
      keep: [{ name: 'pg_hba.conf', path: '/hba' }],
    });
    const { predicts } = planned as unknown as { predicts: [{ to: { value: PgHba } }] };
    const next = predicts[0].to.value;
    expect(next.content).toBe(
      '# head\n\nhost engine engine 192.0.2.7/32 scram-sha-256 # ferry\nhost engine engine 192.0.2.8/32 scram-sha-256 # ferry\nlocal all all peer\n',
    );
    expect(plan(next)).toMatchObject({ kind: 'no-change' });
    expect(plan({ ...next, loaded: false })).toMatchObject({ kind: 'change', summary: 'reload pg_hba.conf', diff: [] });
  });

  test('writes the addresses of a name where it is told to, both families, each once', () => {
    const address = ['engine.example.com', '192.0.2.7', '10.0.0.0/8', '.example.com', 'samenet'];
    const names = { 'engine.example.com': ['192.0.2.7', '2001:db8::7'] };
    expect(lines(plan(file, { address, resolve: true }, { names }))).toEqual(
      ['192.0.2.7/32', '2001:db8::7/128', '10.0.0.0/8', '.example.com', 'samenet'].map(
        (client) => `host engine engine ${client} scram-sha-256 # ferry`,
      ),
    );
    expect(lines(plan(file, { address: ['engine.example.com'] }))).toEqual([
      'host engine engine engine.example.com scram-sha-256 # ferry',
    ]);
    expect(plan(file, { address, resolve: true }, { names: { 'engine.example.com': undefined } })).toMatchObject({
      kind: 'blocked',
      summary: '"engine.example.com" has no address on newdb',
    });
  });

  test.each([
    ['stored by SCRAM', aRole, 'scram-sha-256'],
    ['stored by md5', { ...aRole, verifier: `md5${'0'.repeat(32)}` }, 'md5'],
    ['that an earlier step sets', { ...aRole, verifier: `md5${'0'.repeat(32)}`, password: 'new' }, 'scram-sha-256'],
    ['that an earlier step sets by md5', { ...aRole, password: 'new', encryption: 'md5' as const }, 'md5'],
    ['there is none of yet', { ...aRole, verifier: null }, 'scram-sha-256'],
    ['of a role that is not there', undefined, 'scram-sha-256'],
  ])('asks for what fits a password %s', (_, found, method) => {
    const planned = plan(file, { method: 'as-stored', address: ['192.0.2.7'] }, found ? { role: found } : {});
    expect(lines(planned)).toEqual([`host engine engine 192.0.2.7/32 ${method} # ferry`]);
  });

  test('refuses an address that is none', () => {
    expect(hba.params.safeParse({ rules: [{ database: 'd', role: 'r', address: '192.0.2.7 trust\nlocal' }] }).success).toBe(
      false,
    );
  });
});

describe('postgres.role', () => {
  const plan = (found: PgRole | undefined, password?: string) =>
    role.plan(role.params.parse({ name: 'engine', password }), { cluster: clusterFact(), role: roleFact(found) }, site);

  test('makes it, and undo drops it', () => {
    expect(plan(undefined, 'right')).toMatchObject({
      kind: 'change',
      summary: 'role engine: new, may log in',
      undo: { created: true },
      undoSummary: 'drop it',
    });
  });

  test('predicts how the password will be stored, and leaves one that is right as it is', () => {
    const by = (encryption: string, found?: PgRole) =>
      role.plan(
        role.params.parse({ name: 'engine', password: 'right', encryption }),
        { cluster: clusterFact(), role: roleFact(found) },
        site,
      );
    expect(by('md5')).toMatchObject({ predicts: [{ to: { value: { password: 'right', encryption: 'md5' } } }] });
    expect(by('scram-sha-256')).not.toMatchObject({ predicts: [{ to: { value: { encryption: 'md5' } } }] });
    const stored = { ...aRole, verifier: md5Verifier('right', 'engine') };
    expect(by('scram-sha-256', stored)).toMatchObject({ kind: 'no-change' });
    expect(by('scram-sha-256', { ...stored, login: false })).toMatchObject({
      predicts: [{ to: { value: { verifier: stored.verifier, login: true } } }],
    });
  });

  test('leaves one alone whose verifier is that of the password', () => {
    expect(plan(aRole, 'right')).toMatchObject({ kind: 'no-change' });
    expect(plan(aRole)).toMatchObject({ kind: 'no-change' });
  });

  test('sets another password, and its plan holds neither the password nor a verifier', () => {
    const planned = plan(aRole, 'canary-password');
    expect(planned).toMatchObject({
      kind: 'change',
      summary: 'role engine: set the password',
      undo: { created: false, login: true },
    });
    const { predicts, ...rest } = planned as unknown as { predicts: { to: { value: PgRole } }[] };
    const published = predicts.map(({ to }) => pgRole.definition.publish(to.value));
    expect(JSON.stringify([rest, published])).not.toMatch(/canary-password|SCRAM-SHA-256\$/);
  });

  test('allows login to one that may not', () => {
    expect(plan({ ...aRole, login: false }, 'right')).toMatchObject({
      kind: 'change',
      summary: 'role engine: allow login',
      data: { setPassword: false },
    });
  });

  test('an empty password is refused', () => {
    expect(plan(aRole, '')).toMatchObject({ kind: 'blocked' });
  });
});

describe('postgres.database', () => {
  const given = { database: 'engine', owner: 'engine', collate: 'en_US.UTF-8', settings: { client_min_messages: 'error' } };
  const plan = (
    found: PgDatabase | undefined,
    more: { contents?: PgContents; locale?: PgLocale; owner?: PgRole | null; earlier?: object; params?: object } = {},
  ) =>
    database.plan(
      database.params.parse({ ...given, ...more.params }),
      {
        cluster: clusterFact(),
        database: databaseFact(found),
        contents: contentsFact(more.contents),
        template: databaseFact({ ...ENGINE_DATABASE, owner: 'postgres', collate: 'C.UTF-8', ctype: 'C.UTF-8' }, 'template0'),
        owner: roleFact(more.owner === null ? undefined : aRole),
        locales: [factOf(pgLocale(5432, 'en_US.UTF-8').on(H), more.locale ?? { installed: true, accepted: true })],
      },
      { ...site, earlier: (more.earlier ?? null) as never },
    );
  const right = { ...ENGINE_DATABASE, settings: { client_min_messages: 'error' } };

  test('makes it, empty', () => {
    const planned = plan(undefined);
    expect(planned).toMatchObject({
      kind: 'change',
      summary: 'new database engine, owner engine, UTF8, en_US.UTF-8',
      undo: { created: true },
    });
    expect(planned.kind === 'change' && planned.predicts.map(({ to }) => to)).toEqual([
      { state: 'value', value: right },
      { state: 'value', value: NO_CONTENTS },
    ]);
  });

  test('takes the locale of the cluster when none is given', () => {
    const planned = plan(undefined, { params: { collate: undefined } });
    expect(planned.kind === 'change' && planned.predicts[0]?.to).toMatchObject({ value: { collate: 'C.UTF-8' } });
  });

  test('one that is there, empty and right is left alone; another setting or owner is a change', () => {
    expect(plan(right, { contents: NO_CONTENTS })).toMatchObject({ kind: 'no-change' });
    expect(plan(ENGINE_DATABASE, { contents: NO_CONTENTS })).toMatchObject({
      diff: [['+', 'client_min_messages = error']],
      undo: { created: false, settings: { client_min_messages: null } },
    });
    expect(plan({ ...right, owner: 'postgres' }, { contents: NO_CONTENTS })).toMatchObject({
      summary: 'database engine: owner engine',
      undo: { owner: 'postgres' },
    });
  });

  test.each([
    ['something is in it', right, { contents: { ...NO_CONTENTS, tables: 3 } }, /is not empty: 3 tables/],
    [
      'its encoding is another',
      { ...right, encoding: 'SQL_ASCII' },
      { contents: NO_CONTENTS },
      /encoding SQL_ASCII instead of UTF8/,
    ],
    ['its collation is another', { ...right, collate: 'C' }, { contents: NO_CONTENTS }, /collation C instead of en_US.UTF-8/],
    ['the owner is missing', undefined, { owner: null }, /role "engine".*does not exist/],
    [
      'the locale is missing',
      undefined,
      { locale: { installed: false, accepted: false } },
      /locale en_US.UTF-8 is not installed/,
    ],
    [
      'the server is older than the locale',
      undefined,
      { locale: { installed: true, accepted: false } },
      /after the server was started/,
    ],
  ])('is blocked when %s', (_, found, more, summary) => {
    expect(plan(found, more)).toMatchObject({
      kind: 'blocked',
      summary: expect.stringMatching(summary),
      hint: expect.any(String),
    });
  });

  test('content is taken as it is when asked to', () => {
    expect(plan(right, { contents: { ...NO_CONTENTS, tables: 3 }, params: { empty: false } })).toMatchObject({
      kind: 'no-change',
    });
  });

  test('one this run has made is its own, also with content, and gets its mark late', () => {
    const earlier = { undo: { created: true } };
    expect(plan(right, { contents: { ...NO_CONTENTS, tables: 3 }, earlier })).toMatchObject({
      kind: 'change',
      data: { create: false, mark: true },
    });
    expect(
      plan({ ...right, comment: 'made by ferry, run r-1' }, { contents: { ...NO_CONTENTS, tables: 3 }, earlier }),
    ).toMatchObject({ kind: 'no-change' });
  });
});

describe('postgres.extension', () => {
  const plan = (found: PgDatabase | undefined, available: string | undefined, read = true) =>
    extension.plan(
      extension.params.parse({ database: 'engine', name: 'uuid-ossp' }),
      {
        cluster: clusterFact(running, { read }),
        database: databaseFact(found),
        available: factOf(
          pgExtensionAvailable(5432, 'uuid-ossp').on(H),
          available === undefined ? undefined : { version: available },
        ),
      },
      site,
    );

  test('makes it, owned by postgres', () => {
    const planned = plan(ENGINE_DATABASE, '1.1');
    expect(planned).toMatchObject({ kind: 'change', outputs: { version: '1.1' } });
    expect(planned.kind === 'change' && planned.predicts[0]?.to).toMatchObject({
      value: { extensions: { 'uuid-ossp': { version: '1.1', owner: 'postgres' } } },
    });
  });

  test('leaves one that is there alone', () => {
    expect(
      plan({ ...ENGINE_DATABASE, extensions: { 'uuid-ossp': { version: '1.0', owner: 'engine', schema: 'public' } } }, undefined),
    ).toMatchObject({ kind: 'no-change', summary: 'version 1.0 is there, owner engine' });
  });

  test('names the package when its files are missing', () => {
    expect(plan(ENGINE_DATABASE, undefined)).toMatchObject({
      kind: 'blocked',
      hint: expect.stringContaining('postgresql-contrib'),
    });
    expect(plan(ENGINE_DATABASE, undefined, false)).toMatchObject({ kind: 'change' });
  });
});

describe('postgres.dump', () => {
  const folder = (mode = '0755', owner = 'root'): FileStat => ({ type: 'folder', mode, owner, group: owner, sizeBytes: null });
  const plan = (
    more: {
      client?: number | null;
      file?: FileStat;
      folders?: (FileStat | undefined)[];
      free?: number;
      earlier?: object;
      compress?: number;
      format?: string;
    } = {},
  ) =>
    dump.plan(
      dump.params.parse({
        ...{ database: 'engine', path: '/srv/dumps/engine.dump', format: more.format, compress: more.compress },
      }),
      {
        cluster: clusterFact(),
        database: databaseFact(ENGINE_DATABASE),
        size: factOf(pgSize(5432, 'engine').on(H), {
          bytes: 200_000_000,
          tables: 156,
          tableBytes: 120_000_000,
          indexBytes: 60_000_000,
        }),
        client: factOf(pgClientVersion(5432).on(H), more.client === null ? undefined : (more.client ?? 15)),
        file: factOf(fileStat('/srv/dumps/engine.dump').on(H), more.file),
        folders: ['/srv/dumps', '/srv', '/'].map((path, index) =>
          factOf(fileStat(path).on(H), (more.folders ?? [undefined, folder(), folder()])[index]),
        ),
        disk: factOf(diskFree('/srv/dumps/engine.dump').on(H), { bytes: more.free ?? 1e9, mount: '/' }),
        grantees: factOf(pgGrantees(5432, 'engine').on(H), ['engine']),
      },
      { ...site, earlier: (more.earlier ?? null) as never },
    );

  test('predicts the file and the folder it makes, and undo removes both', () => {
    const planned = plan();
    expect(planned).toMatchObject({
      kind: 'change',
      undo: { path: '/srv/dumps/engine.dump', folders: ['/srv/dumps'] },
      bytes: 200_000_000,
      outputs: { sha256: expect.any(Unknown) },
    });
    expect(planned.kind === 'change' && planned.predicts.map(({ key, to }) => [key, to])).toMatchObject([
      ['fileStat(/srv/dumps)', { value: { type: 'folder', mode: '0700' } }],
      ['fileStat(/srv/dumps/engine.dump)', { value: { type: 'file', mode: '0600', owner: 'root' } }],
    ]);
  });

  test.each([
    ['the client is older than the server', { client: 14 }, /client on newdb is version 14, its server is version 15/],
    ['there is no client', { client: null }, /newdb has no pg_dump/],
    ['the file is there', { file: { ...folder('0600'), type: 'file' as const } }, /is there already/],
    ['others may write to the folder', { folders: [folder('1777'), folder(), folder()] }, /not a folder only root may write to/],
    [
      'the folder belongs to another',
      { folders: [folder('0700', 'postgres'), folder(), folder()] },
      /not a folder only root may write to/,
    ],
    ['the disk is too small', { free: 2_000_000 }, /2.0 MB free for a dump of a database of 200 MB/],
  ])('is blocked when %s', (_, more, summary) => {
    expect(plan(more)).toMatchObject({ kind: 'blocked', summary: expect.stringMatching(summary) });
  });

  test('a plain one is not compressed: it takes more room, and no level', () => {
    expect(plan({ format: 'plain' })).toMatchObject({
      kind: 'change',
      summary: 'dump engine (200 MB on disk) to /srv/dumps/engine.dump, as plain SQL',
      data: { format: 'plain', compress: 0 },
    });
    expect(plan({ format: 'plain', free: 8_000_000 })).toMatchObject({ kind: 'blocked' });
    expect(plan({ free: 8_000_000 })).toMatchObject({ kind: 'change', data: { compress: 1 } });
    expect(plan({ format: 'plain', compress: 9 })).toMatchObject({
      kind: 'blocked',
      summary: 'a plain dump is not compressed',
    });
  });

  test('a second attempt replaces the file of the first, whatever room it took', () => {
    expect(plan({ file: { ...folder('0600'), type: 'file' }, free: 10, earlier: { undo: {} } })).toMatchObject({
      kind: 'change',
      data: { mayReplace: true },
    });
  });
});

describe('postgres.restore', () => {
  const file: FileStat = { type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: 61_000_000 };
  const plan = (
    more: {
      contents?: PgContents;
      found?: PgDatabase | null;
      file?: FileStat | null;
      earlier?: object;
      client?: number;
      psql?: string;
      privileges?: boolean;
    } = {},
  ) =>
    restore.plan(
      restore.params.parse({
        database: 'engine',
        owner: 'engine',
        path: '/d/engine.dump',
        format: more.psql === undefined ? 'custom' : 'plain',
        privileges: more.privileges ?? false,
      }),
      {
        cluster: clusterFact(),
        database: databaseFact(more.found === null ? undefined : ENGINE_DATABASE),
        contents: contentsFact(more.contents ?? NO_CONTENTS),
        privileges: more.privileges ? [factOf(pgPrivileges(5432, 'engine').on(H), [])] : [],
        client: factOf(pgClientVersion(5432).on(H), more.client ?? 15),
        owner: roleFact(aRole),
        file: factOf(fileStat('/d/engine.dump').on(H), more.file === null ? undefined : (more.file ?? file)),
        psql: more.psql === undefined ? [] : [factOf(psqlVersion(5432).on(H), more.psql)],
      },
      { ...site, earlier: (more.earlier ?? null) as never },
    );

  test('into an empty database, of which undo remembers everything', () => {
    expect(plan()).toMatchObject({
      kind: 'change',
      summary: 'restore /d/engine.dump (61.0 MB) into engine, owner engine',
      undo: { former: ENGINE_DATABASE },
      bytes: 61_000_000,
    });
  });

  test.each([
    ['the database is not empty', { contents: { ...NO_CONTENTS, functions: 2 } }, /not empty: 2 functions; nothing was restored/],
    ['there is no database', { found: null }, /does not exist/],
    ['there is no dump', { file: null }, /no dump at/],
    ['the path is a folder', { file: { ...file, type: 'folder' as const } }, /no dump at/],
    ['the client is too old', { client: 13 }, /version 13, its server is version 15/],
  ])('is blocked when %s', (_, more, summary) => {
    expect(plan(more)).toMatchObject({ kind: 'blocked', summary: expect.stringMatching(summary) });
  });

  test('privileges are among what it changes where it restores them, so that a later step is not planned on none', () => {
    const changed = (privileges: boolean) => {
      const planned = plan({ privileges });
      return planned.kind === 'change' ? planned.predicts.map(({ key }) => key) : [];
    };
    expect(changed(true)).toEqual([...changed(false), pgPrivileges.key(5432, 'engine')]);
    expect(changed(false)).not.toContain(pgPrivileges.key(5432, 'engine'));
  });

  test('a plain dump is read under \\restrict by a psql that knows it', () => {
    expect(plan()).toMatchObject({ data: { format: 'custom', restricts: false } });
    expect(plan({ psql: '15.14' })).toMatchObject({ data: { format: 'plain', restricts: true } });
    expect(plan({ psql: '15.13' })).toMatchObject({ data: { format: 'plain', restricts: false } });
  });

  test('what an earlier attempt has restored is only analyzed', () => {
    expect(plan({ contents: { ...NO_CONTENTS, tables: 156 }, earlier: { undo: {} } })).toMatchObject({
      kind: 'change',
      data: { analyzeOnly: true },
    });
    expect(plan({ earlier: { undo: {} } })).toMatchObject({ kind: 'change', data: { analyzeOnly: false } });
  });
});

describe('postgres.freeze', () => {
  const plan = (found: PgDatabase, sessions: PgSessions, superusers = ['postgres'], more = {}) =>
    freeze.plan(
      freeze.params.parse({ database: 'engine', ...more }),
      {
        cluster: clusterFact(),
        database: databaseFact(found),
        sessions: factOf(pgSessions(5432, 'engine').on(H), sessions),
        superusers: factOf(pgSuperusers(5432).on(H), superusers),
      },
      site,
    );
  const someone = [{ user: 'engine', address: null, count: 1 }];

  test('closes it, and undo has the former limit', () => {
    expect(plan({ ...ENGINE_DATABASE, connectionLimit: 50 }, someone)).toMatchObject({
      kind: 'change',
      undo: { connectionLimit: 50 },
    });
  });

  test('has nothing to do when it is closed and quiet, but ends sessions that are left', () => {
    expect(plan({ ...ENGINE_DATABASE, connectionLimit: 0 }, [])).toMatchObject({ kind: 'no-change' });
    expect(plan({ ...ENGINE_DATABASE, connectionLimit: 0 }, someone)).toMatchObject({ kind: 'change' });
  });

  test('refuses a superuser as owner unless told that nobody logs in as that', () => {
    expect(plan(ENGINE_DATABASE, [], ['engine', 'postgres'])).toMatchObject({
      kind: 'blocked',
      summary: expect.stringContaining('is a superuser'),
    });
    expect(plan(ENGINE_DATABASE, [], ['engine'], { superuserOwner: 'allow' })).toMatchObject({ kind: 'change' });
  });
});

describe('checks', () => {
  test('the write line is one', () => {
    const facts = { cluster: clusterFact(), database: databaseFact(ENGINE_DATABASE) };
    expect(writeLine.plan(writeLine.params.parse({ database: 'engine' }), facts, site)).toMatchObject({ kind: 'check' });
    expect(writeLine.written).toBeDefined();
  });

  test('connections need a bound, and say what they wait for', () => {
    expect(connections.params.safeParse({ database: 'engine' }).success).toBe(false);
    const ask = (given: object) =>
      connections.plan(connections.params.parse({ database: 'engine', ...given }), { cluster: clusterFact() }, site);
    expect(ask({ min: 1, role: 'engine' }).summary).toBe('at least 1 session of engine on engine at newdb');
    expect(ask({ max: 0 }).summary).toBe('no session on engine at newdb');
  });

  test('compare names both sides and reaches both hosts', () => {
    const params = compare.params.parse({ database: 'engine', with: { host: 'old', database: 'engine' } });
    expect(compare.roles?.(params)).toEqual(['old']);
    const facts = compare.facts(siteOf(H), params);
    expect([facts.left.host, facts.right.host]).toEqual(['newdb', 'old']);
    const sides = { left: databaseFact(ENGINE_DATABASE), right: factOf(facts.right, ENGINE_DATABASE) };
    expect(compare.plan(params, sides, site)).toMatchObject({
      kind: 'check',
      summary: 'every row of engine on newdb and engine on old',
    });
    expect(compare.plan(params, { ...sides, right: factOf(facts.right, undefined) }, site)).toMatchObject({
      kind: 'blocked',
      summary: 'database "engine" does not exist on old',
    });
  });

  test('login shows no password', () => {
    const params = login.params.parse({ address: 'newdb', database: 'engine', user: 'engine', password: 'canary' });
    expect(JSON.stringify(login.plan(params, {}, siteOf('engine')))).not.toContain('canary');
  });
});
