import { describe, expect, test } from 'vitest';
import { pgClientVersion } from '../../src/facts/pg-client-version.ts';
import { type PgCluster, pgCluster, startsAtBoot } from '../../src/facts/pg-cluster.ts';
import { describeContents, isEmpty, NO_CONTENTS } from '../../src/facts/pg-contents.ts';
import { type PgDatabase, pgDatabase, withSettings } from '../../src/facts/pg-database.ts';
import { pgHba } from '../../src/facts/pg-hba.ts';
import { pgInstall } from '../../src/facts/pg-install.ts';
import { pgLocale } from '../../src/facts/pg-locale.ts';
import { type PgRole, pgRole } from '../../src/facts/pg-role.ts';
import { pgSessions } from '../../src/facts/pg-sessions.ts';
import { type PgSetting, pgSetting } from '../../src/facts/pg-setting.ts';
import { scramVerifier } from '../../src/facts/postgres/scram.ts';
import { ENGINE_DATABASE } from '../kit/facts.ts';
import { answer } from '../kit/read-here.ts';

describe('pgCluster', () => {
  const parse = (...lines: string[]) => pgCluster.definition.parse(answer(`${lines.join('\n')}\n`), 5432);
  const debian = ['family=debian', 'version=15', 'name=main', 'data=/var/lib/postgresql/15/main', 'enabled=enabled'];
  const sql = `sql={"versionNum" : 150018, "dataDirectory" : "/d", "configFile" : "/c", "hbaFile" : "/h", "encoding" : "UTF8"}`;

  test('is absent when no cluster has the port', () => {
    expect(parse('')).toEqual({ state: 'absent' });
  });

  test('reads a stopped cluster of Debian from its tools', () => {
    expect(parse(...debian, 'status=down', 'start=manual')).toEqual({
      state: 'value',
      value: {
        family: 'debian',
        version: 15,
        name: 'main',
        unit: 'postgresql@15-main.service',
        dataDirectory: '/var/lib/postgresql/15/main',
        configFile: '/etc/postgresql/15/main/postgresql.conf',
        hbaFile: '/etc/postgresql/15/main/pg_hba.conf',
        running: false,
        enabled: true,
        start: 'manual',
        encoding: null,
        versionNum: null,
      },
    });
  });

  test('believes a running server about its own files', () => {
    expect(parse(...debian, 'status=online', 'start=auto', sql)).toMatchObject({
      value: { running: true, hbaFile: '/h', versionNum: 150018 },
    });
  });

  test('reads a cluster of Enterprise Linux from its unit', () => {
    const found = parse('family=el', 'version=13', 'unit=postgresql.service', 'data=/var/lib/pgsql/data', 'enabled=disabled');
    expect(found).toMatchObject({
      value: {
        family: 'el',
        unit: 'postgresql.service',
        name: null,
        start: null,
        hbaFile: '/var/lib/pgsql/data/pg_hba.conf',
        enabled: false,
      },
    });
  });

  test('says so when a server answers that no cluster is known for', () => {
    expect(parse(sql)).toMatchObject({ state: 'unreadable' });
  });

  test('what nobody can know before is not waited for', () => {
    const running = {
      family: 'debian',
      version: 15,
      running: true,
      encoding: 'UTF8',
      versionNum: 150018,
      start: 'auto',
    } as PgCluster;
    expect(pgCluster.definition.meets(running, { ...running, encoding: null, versionNum: null })).toBe(true);
    expect(pgCluster.definition.meets({ ...running, running: false }, { ...running, encoding: null })).toBe(false);
  });

  test('starts at boot only with service and cluster enabled', () => {
    expect(startsAtBoot({ enabled: true, start: 'auto' } as PgCluster)).toBe(true);
    expect(startsAtBoot({ enabled: true, start: 'manual' } as PgCluster)).toBe(false);
    expect(startsAtBoot({ enabled: false, start: null } as PgCluster)).toBe(false);
  });
});

describe('pgRole', () => {
  const role: PgRole = {
    name: 'engine',
    login: true,
    superuser: false,
    inherit: true,
    createdb: false,
    createrole: false,
    replication: false,
    bypassrls: false,
    connectionLimit: -1,
    verifier: scramVerifier('pw', Buffer.from('salt')),
  };

  test('never publishes the verifier or a password', () => {
    const published = JSON.stringify([
      pgRole.definition.publish(role),
      pgRole.definition.publish({ ...role, verifier: null, password: 'pw-canary' }),
    ]);
    expect(published).toContain('"verifierKind":"scram-sha-256"');
    expect(published).not.toMatch(/SCRAM-SHA|pw-canary/);
  });

  test('meets a predicted password when its verifier matches', () => {
    expect(pgRole.definition.meets(role, { ...role, verifier: null, password: 'pw' })).toBe(true);
    expect(pgRole.definition.meets(role, { ...role, verifier: null, password: 'other' })).toBe(false);
    expect(pgRole.definition.meets({ ...role, login: false }, { ...role, verifier: null, password: 'pw' })).toBe(false);
  });

  test('reads as the prediction is published', () => {
    expect(pgRole.definition.publish(role)).toEqual(pgRole.definition.publish({ ...role, verifier: null, password: 'pw' }));
  });
});

const database: PgDatabase = {
  ...ENGINE_DATABASE,
  extensions: { x: { version: '1', owner: 'o', schema: 's' } },
  comment: 'made by ferry, run r-1',
};

describe('pgDatabase', () => {
  test('the mark of a run and the schema of an extension are not state', () => {
    expect(pgDatabase.definition.publish(database)).toEqual(
      pgDatabase.definition.publish({
        ...database,
        comment: null,
        extensions: { x: { version: '1', owner: 'o', schema: 'other' } },
      }),
    );
  });

  test('spellings of a locale are the same', () => {
    expect(pgDatabase.definition.meets({ ...database, collate: 'en_US.utf8' }, database)).toBe(true);
    expect(pgDatabase.definition.meets({ ...database, owner: 'other' }, database)).toBe(false);
  });
});

describe('settings of a database that may be secrets', () => {
  const read = (text: string, hash = '') => {
    const json = { ...database, settings: { work_mem: '1MB', 'app.jwt_secret': text, 'app.url': `pg://u:${text}@h` } };
    const found = pgDatabase.definition.parse(answer(`${JSON.stringify(json)}\n${hash}\n`), 5432, 'engine');
    if (found.state !== 'value') throw new Error(JSON.stringify(found));
    return found.value;
  };
  const publish = (found: PgDatabase) => pgDatabase.definition.publish(found);

  // They stood in every plan and journal.
  test('are published masked, with a keyed hash that tells when they change', () => {
    expect(JSON.stringify(publish(read('CANARY')))).not.toContain('CANARY');
    expect(publish(read('CANARY', 'h1'))).toMatchObject({ settings: { work_mem: '1MB' }, settingsHash: 'h1' });
    const same = (a: PgDatabase, b: PgDatabase) => pgDatabase.definition.same(publish(a), publish(b));
    expect(same(read('one', 'h1'), read('one', 'h1'))).toBe(true);
    expect(same(read('one', 'h1'), read('two', 'h2'))).toBe(false);
    expect(same(withSettings(read('one', 'h1'), read('one').settings), read('one', 'h1'))).toBe(true);
    expect(publish(withSettings(read('one', 'h1'), {}))).toMatchObject({ settings: {}, settingsHash: null });
  });

  test('are compared as they are with what was predicted', () => {
    expect(pgDatabase.definition.meets(read('one', 'h1'), read('one'))).toBe(true);
    expect(pgDatabase.definition.meets(read('two', 'h1'), read('one'))).toBe(false);
  });
});

describe('pgSetting', () => {
  const setting: PgSetting = {
    setting: 'host=x password=canary',
    unit: null,
    context: 'sighup',
    type: 'string',
    pendingRestart: false,
    autoConf: 'host=x password=canary',
    secret: true,
  };

  test('masks settings that may hold a password', () => {
    expect(JSON.stringify(pgSetting.definition.publish(setting))).not.toContain('canary');
    expect(pgSetting.definition.publish({ ...setting, secret: false })).toMatchObject({ setting: setting.setting });
  });
});

describe('pgHba', () => {
  const parse = (stdout: string, more = {}) => pgHba.definition.parse(answer(stdout, more), 5432);
  const head = '{"path": "/etc/pg_hba.conf", "loadedAt": 1000.5}\n';

  test('keeps the bytes, and knows whether the server has read them', () => {
    expect(parse(`${head}640 postgres postgres 1000.25\nlocal all all peer\n`)).toEqual({
      state: 'value',
      value: {
        path: '/etc/pg_hba.conf',
        mode: '0640',
        owner: 'postgres',
        group: 'postgres',
        content: 'local all all peer\n',
        loaded: true,
      },
    });
    expect(parse(`${head}640 postgres postgres 1000.75\n`)).toMatchObject({ value: { loaded: false } });
  });

  test('is absent without a server, unreadable without the file', () => {
    expect(parse('\n', { code: 91 })).toEqual({ state: 'absent' });
    expect(parse(head, { code: 92, stderr: 'stat: cannot statx' })).toEqual({ state: 'unreadable', why: 'stat: cannot statx' });
  });

  test('publishes no password of a directory service', () => {
    const content =
      'host all all ::/0 ldap ldapserver=l ldapbindpasswd="ca nary" x=1\nhost all all ::/0 radius radiussecrets=canary\n';
    const published = JSON.stringify(
      pgHba.definition.publish({ path: '/p', mode: '0640', owner: 'o', group: 'g', content, loaded: true }),
    );
    expect(published).toContain('x=1');
    expect(published).not.toContain('nary');
  });
});

describe('smaller facts', () => {
  test('pgLocale: installed under any spelling, and refused by a server that is older than it', () => {
    const parse = (stdout: string) => pgLocale.definition.parse(answer(stdout), 5432, 'en_US.UTF-8');
    expect(parse('C\nen_US.utf8\naccepted=22023\n')).toEqual({ state: 'value', value: { installed: true, accepted: false } });
    expect(parse('C\nen_US.utf8\n')).toEqual({ state: 'value', value: { installed: true, accepted: null } });
    expect(parse('C\naccepted=00000\n')).toEqual({ state: 'value', value: { installed: false, accepted: true } });
    expect(parse('')).toEqual({ state: 'absent' });
  });

  test('pgClientVersion reads what pg_dump says', () => {
    const parse = (stdout: string, code = 0) => pgClientVersion.definition.parse(answer(stdout, { code }), 5432);
    expect(parse('pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n')).toEqual({ state: 'value', value: 15 });
    expect(parse('', 90)).toEqual({ state: 'absent' });
    expect(parse('segfault')).toMatchObject({ state: 'unreadable' });
  });

  test('pgInstall lists what is installed', () => {
    const parse = (stdout: string) => pgInstall.definition.parse(answer(stdout));
    expect(parse('debian\n/usr/lib/postgresql/15/bin/initdb\n/usr/lib/postgresql/9.6/bin/initdb\n')).toMatchObject({
      value: { majors: [15] },
    });
    expect(parse('el\npostgres (PostgreSQL) 13.14\n/usr/pgsql-16/bin/initdb\n')).toEqual({
      state: 'value',
      value: { family: 'el', majors: [13, 16] },
    });
    expect(parse('debian\n')).toEqual({ state: 'absent' });
    expect(parse('')).toEqual({ state: 'absent' });
  });

  test('pgSessions shows how many there are', () => {
    expect(
      pgSessions.definition.show([
        { user: 'a', address: null, count: 2 },
        { user: 'b', address: '192.0.2.1', count: 1 },
      ]),
    ).toBe('3 sessions');
  });

  test('contents are described without what is not there', () => {
    expect(describeContents({ ...NO_CONTENTS, tables: 2, largeObjects: 1 })).toBe('2 tables, 1 large objects');
    expect(isEmpty(NO_CONTENTS)).toBe(true);
    expect(isEmpty({ ...NO_CONTENTS, functions: 1 })).toBe(false);
  });
});
