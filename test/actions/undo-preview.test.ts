import { describe, expect, test } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import { catalog } from '../../src/actions/catalog.ts';
import type { UndoView } from '../../src/actions/undo-preview.ts';
import { absent, type Observed, value } from '../../src/facts/fact.ts';
import { contentOf } from '../../src/facts/file-content.ts';
import type { PgCluster } from '../../src/facts/pg-cluster.ts';
import { NO_CONTENTS } from '../../src/facts/pg-contents.ts';
import type { PgDatabase } from '../../src/facts/pg-database.ts';
import { FILLING } from '../../src/facts/postgres/imprint.ts';
import type { Json } from '../../src/lib/json.ts';
import { factsOf } from '../../src/plan/fact-view.ts';

const RUN = 'r-1';
const root = { mode: '0644', owner: 'root', group: 'root' };
const cluster: PgCluster = {
  ...{ family: 'debian', version: 15, name: 'main', unit: 'postgresql@15-main.service', dataDirectory: '/d', configFile: '/c' },
  ...{ hbaFile: '/hba', running: true, enabled: true, start: 'auto', encoding: 'UTF8', versionNum: 150_000 },
};
const engineDb: PgDatabase = {
  ...{ owner: 'engine', encoding: 'UTF8', collate: 'C', ctype: 'C', connectionLimit: -1, allowConnections: true, settings: {} },
  ...{ extensions: { 'uuid-ossp': { version: '1.1', owner: 'postgres', schema: 'public' } }, grants: null },
  comment: `made by ferry, run ${RUN}`,
};
const setting = (now: string, more: object = {}) =>
  value({
    setting: now,
    unit: null,
    context: 'postmaster',
    type: 'integer',
    pendingRestart: false,
    autoConf: now,
    secret: false,
    ...more,
  });
const kept = (name: string) => `/keep/${name}`;
const file = (text: string, has = root) => value(contentOf(text, has));
const stat = (sizeBytes = 5) => value({ ...root, type: 'file', sizeBytes });

/** What the undo of an action would do where these facts are so, and all others absent. */
async function look(
  uses: string,
  undo: Json,
  found: Record<string, Observed<unknown>>,
  crossedWriteLine = false,
): Promise<UndoView> {
  const load = catalog[uses];
  if (!load) throw new Error(`no action ${uses}`);
  const action: Action = (await load()).default;
  const site = { host: 'one', run: RUN, crossedWriteLine, kept };
  const tree = action.preview?.facts(undo as never, site);
  if (!tree) throw new Error(`${uses} has no preview`);
  const facts = factsOf(tree, ({ key }) => ({ observed: found[key] ?? absent, madeBy: null }));
  return (action.preview as NonNullable<typeof action.preview>).look(undo as never, facts, site);
}

const pg = { 'pgCluster(5432)': value(cluster) };
const server = { family: 'debian', version: 15, name: 'main', unit: 'postgresql@15-main.service' };
const hiddenSetting = {
  port: 5432,
  server,
  autoConfFile: '/d/auto',
  former: { primary_conninfo: { autoConf: null, setting: null, needsRestart: false, hidden: true } },
};
const db = { port: 5432, database: 'engine' };
const restored = {
  ...pg,
  'pgDatabase(5432, engine)': value(engineDb),
  'pgContents(5432, engine)': value({ ...NO_CONTENTS, tables: 2 }),
};
const imprints = (name: string, left: string | null, now: string) => ({
  'pgImprint(5432, engine)': value(now),
  ...(left === null ? {} : { [`fileContent(/keep/${name})`]: file(`${left}\n`) }),
});
const units = { start: ['a.service', 'b.service'], stop: ['c.service'], enable: ['a.service'], disable: [], waitMs: 1 };
const unit = (active: boolean, enabled = 'enabled') => value({ active, moving: false, enabled });
const conf = { path: '/c.conf', was: root, hides: ['DSN'] };
const confFacts = (now: string, before: string) => ({
  'fileContent(/c.conf)': file(now),
  'fileContent(/keep/before)': file(before),
});

type Row = [about: string, uses: string, undo: Json, found: Record<string, Observed<unknown>>, diff: unknown[]];
const rows: Row[] = [
  [
    'keys go back, mode too',
    'config.set',
    { ...conf, was: { ...root, mode: '0600' } },
    confFacts('A="2"\nB="1"\n', 'A="1"\nB="1"\n'),
    [
      ['~', 'mode ', '0644', '0600'],
      ['~', 'A=', '"2"', '"1"'],
    ],
  ],
  [
    'what other hands changed since goes back too',
    'config.set',
    conf,
    confFacts('A="2"\nC="1"\n', 'A="1"\n'),
    [
      ['~', 'A=', '"2"', '"1"'],
      ['-', 'C="1"'],
    ],
  ],
  [
    'a key that got a secret shows neither',
    'config.set',
    conf,
    confFacts('DSN="u/x1@h"\n', 'DSN="u/x2@h"\n'),
    [['~', 'DSN=', '"[secret]"', '"[another secret]"']],
  ],
  [
    'where lines beside the keys differ, nothing of a file with such a key is shown',
    'config.set',
    conf,
    confFacts('# x1\nDSN="x1"\n', '# x2\n'),
    [['~', 'content ', '[secret] (14 B)', '[another secret] (5 B)']],
  ],
  ['a conf file that is so already', 'config.set', conf, confFacts('A=1\n', 'A=1\n'), []],
  ['a file whose bytes were never kept was not changed', 'config.set', conf, { 'fileContent(/c.conf)': file('A=1\n') }, []],
  [
    'a file that was made goes',
    'file.put',
    { path: '/c.conf', was: null, isSecret: true },
    { 'fileContent(/c.conf)': file('x1') },
    [['-', '/c.conf (text, 2 B, 0644 root:root)']],
  ],
  [
    'a file that was removed comes back',
    'file.put',
    { path: '/c.conf', was: root, isSecret: false },
    { 'fileContent(/keep/before)': file('a\n') },
    [['+', '/c.conf (2 B, 0644 root:root)']],
  ],
  [
    'a secret file is seen to change',
    'file.put',
    { path: '/c.conf', was: root, isSecret: true },
    confFacts('x1', 'x22'),
    [['~', 'content ', '[secret] (2 B)', '[another secret] (3 B)']],
  ],
  [
    'what was removed is put back, what is there is left',
    'file.remove',
    {
      paths: [
        { path: '/a', keep: 'path-0' },
        { path: '/b', keep: 'path-1' },
      ],
    },
    { 'fileStat(/keep/path-0)': stat(), 'fileStat(/keep/path-1)': stat(), 'fileStat(/b)': stat() },
    [['+', '/a (5 B)']],
  ],
  [
    'a file that was sent goes',
    'file.transfer',
    { path: '/a', source: 'two', folders: [] },
    { 'fileStat(/a)': stat(61_000_000) },
    [['-', '/a (61.0 MB)']],
  ],
  [
    'units go where they were',
    'service.stop',
    units,
    { 'unitState(a.service)': unit(false, 'disabled'), 'unitState(b.service)': unit(true), 'unitState(c.service)': unit(true) },
    [
      ['~', 'a ', 'stopped', 'running'],
      ['~', 'a at boot ', 'disabled', 'enabled'],
      ['~', 'c ', 'running', 'stopped'],
    ],
  ],
  [
    'a mode is lifted',
    'ovirt.maintenance',
    { mode: 'none' },
    { 'maintenanceMode()': value('global') },
    [['~', 'maintenance ', 'global', 'none']],
  ],
  [
    'rules in a firewall, and in the file it is loaded from, which somebody has written into since',
    'firewall.open',
    {
      ...{ zone: null, asked: '', added: [{ list: 'iptables', rule: '-A INPUT -j ACCEPT' }] },
      files: [{ keep: 'saved-0', path: '/etc/iptables/rules.v4', lines: ['-A INPUT -j ACCEPT'] }],
    },
    {
      'firewall()': value({
        kind: 'iptables',
        zone: null,
        lists: [{ name: 'iptables', rules: ['-A INPUT -j ACCEPT'] }],
        saved: [],
      }),
      'fileContent(/etc/iptables/rules.v4)': file('*filter\n-A INPUT -j ACCEPT\n-A INPUT -s 192.0.2.9 -j DROP\nCOMMIT\n'),
      'fileContent(/keep/saved-0)': file('*filter\nCOMMIT\n'),
    },
    [
      ['-', 'iptables: -A INPUT -j ACCEPT'],
      ['-', '/etc/iptables/rules.v4: -A INPUT -j ACCEPT'],
      [' ', 'what else was changed in /etc/iptables/rules.v4 since stays'],
    ],
  ],
  ['a mode that is lifted already', 'ovirt.maintenance', { mode: 'none' }, { 'maintenanceMode()': value('none') }, []],
  [
    'a rule is taken out',
    'postgres.hba',
    { port: 5432, path: '/hba', ...root },
    {
      'fileContent(/hba)': file('host a a all md5\nlocal all all peer\n'),
      'fileContent(/keep/pg_hba.conf)': file('local all all peer\n'),
    },
    [
      ['-', 'host a a all md5'],
      [' ', 'local all all peer'],
    ],
  ],
  [
    'a setting gets its former value by a restart',
    'postgres.settings',
    {
      port: 5432,
      server,
      autoConfFile: '/d/auto',
      former: { max_connections: { autoConf: null, setting: '100', needsRestart: true } },
    },
    { ...pg, 'pgSetting(5432, max_connections)': setting('150') },
    [
      ['~', 'max_connections = ', '150', '100'],
      [' ', 'the server is restarted'],
    ],
  ],
  [
    'a former entry that waited for a restart comes in force with this one',
    'postgres.settings',
    {
      port: 5432,
      server,
      autoConfFile: '/d/auto',
      former: { max_connections: { autoConf: '200', setting: '100', needsRestart: true } },
    },
    { ...pg, 'pgSetting(5432, max_connections)': setting('150') },
    [
      ['~', 'max_connections = ', '150', '200'],
      [' ', 'the server is restarted'],
    ],
  ],
  [
    'a setting that may hold a password gets what the kept file has',
    'postgres.settings',
    hiddenSetting,
    {
      ...pg,
      'pgSetting(5432, primary_conninfo)': setting('host=b', { secret: true }),
      'fileContent(/keep/postgresql.auto.conf)': file("work_mem = '1MB'\nprimary_conninfo = 'password=''x'''\n"),
    },
    [['~', 'primary_conninfo = ', '[secret]', '[another secret]']],
  ],
  [
    'and nothing where it has that already',
    'postgres.settings',
    hiddenSetting,
    {
      ...pg,
      'pgSetting(5432, primary_conninfo)': setting("password='x' \\", { secret: true }),
      'fileContent(/keep/postgresql.auto.conf)': file(String.raw`primary_conninfo = 'password=''x'' \\'`),
    },
    [],
  ],
  [
    'a setting of a database that may be a secret gets what was kept',
    'postgres.database',
    { ...db, created: false, owner: 'engine', settings: { work_mem: null }, hidden: ['app.jwt_secret'] },
    {
      ...pg,
      'pgDatabase(5432, engine)': value({ ...engineDb, settings: { work_mem: '1MB', 'app.jwt_secret': 'new' } }),
      'fileContent(/keep/settings.json)': file('{"app.jwt_secret": "CANARY", "lock_timeout": "5"}'),
    },
    [
      ['-', 'work_mem = 1MB'],
      ['~', 'app.jwt_secret = ', '[secret]', '[another secret]'],
    ],
  ],
  [
    'a role that was made goes',
    'postgres.role',
    { port: 5432, name: 'engine', created: true, login: false },
    { ...pg, 'pgRole(5432, engine)': value({ login: true, verifier: 'x1' }) },
    [['-', 'role engine']],
  ],
  [
    'a role gets back its password and rights',
    'postgres.role',
    { port: 5432, name: 'engine', created: false, login: false },
    { ...pg, 'pgRole(5432, engine)': value({ login: true, verifier: 'x1' }), 'fileContent(/keep/verifier)': file('x2\n') },
    [
      ['~', 'login ', 'yes', 'no'],
      ['~', 'password ', '[secret]', '[another secret]'],
    ],
  ],
  [
    'a database is opened',
    'postgres.freeze',
    { ...db, connectionLimit: -1 },
    { ...pg, 'pgDatabase(5432, engine)': value({ ...engineDb, connectionLimit: 0 }) },
    [['~', 'connection limit ', '0', 'none']],
  ],
  [
    'a database gets back owner and settings',
    'postgres.database',
    { ...db, created: false, owner: 'old', settings: { work_mem: null, app: 'b' } },
    { ...pg, 'pgDatabase(5432, engine)': value({ ...engineDb, settings: { work_mem: '8MB', app: 'a' } }) },
    [
      ['~', 'owner ', 'engine', 'old'],
      ['-', 'work_mem = 8MB'],
      ['~', 'app = ', 'a', 'b'],
    ],
  ],
  [
    'a database that was made goes when it is empty',
    'postgres.database',
    { ...db, created: true, owner: null, settings: {} },
    { ...pg, 'pgDatabase(5432, engine)': value(engineDb), 'pgContents(5432, engine)': value(NO_CONTENTS) },
    [['-', 'database engine: empty']],
  ],
  [
    'a database that was made and holds what no undo has taken out of it is kept',
    'postgres.database',
    { ...db, created: true, owner: null, settings: {} },
    { ...pg, 'pgDatabase(5432, engine)': value(engineDb), 'pgContents(5432, engine)': value({ ...NO_CONTENTS, tables: 2 }) },
    [['~', 'database ', 'engine', 'engine_ferry_r-1']],
  ],
  [
    'what was restored goes, and the database is there empty',
    'postgres.restore',
    { ...db, former: engineDb as unknown as Json },
    { ...restored, ...imprints('imprint', 'a on', 'a on') },
    [
      ['-', 'database engine: 2 tables'],
      ['+', 'database engine, empty, owner engine'],
    ],
  ],
  [
    'what was restored, and written into since, is kept under another name',
    'postgres.restore',
    { ...db, former: engineDb as unknown as Json },
    { ...restored, ...imprints('imprint', 'a on', 'b on') },
    [
      ['~', 'database ', 'engine', 'engine_ferry_r-1'],
      ['+', 'database engine, empty, owner engine'],
    ],
  ],
  [
    'so is what may not have been restored at all: nothing of a restore is there but what is in it',
    'postgres.restore',
    { ...db, former: engineDb as unknown as Json },
    restored,
    [
      ['~', 'database ', 'engine', 'engine_ferry_r-1'],
      ['+', 'database engine, empty, owner engine'],
    ],
  ],
  ...(
    [
      ['a database that a backup was restored into is dropped where nothing was written since', 'a on', 'a on', ''],
      ['so it is where the restore was cut off, whatever it holds', FILLING, 'b on', ''],
      ['and kept where something was written', 'a on', 'b on', 'rename and keep '],
      ['and where its server counts nothing', 'a off', 'a off', 'rename and keep '],
      ['and where nothing of a restore is there but what is in it', null, 'a on', 'rename and keep '],
    ] as const
  ).map(
    ([title, left, now, told]): Row => [
      title,
      'ovirt.restore-backup',
      { files: null, databases: [{ ...db, scope: 'db', host: 'one', former: engineDb as unknown as Json }] },
      { ...restored, ...imprints('db-imprint', left, now) },
      [['-', `${told}database engine on one: 2 tables`]],
    ],
  ),
  [
    'an extension goes',
    'postgres.extension',
    { ...db, name: 'uuid-ossp' },
    { ...pg, 'pgDatabase(5432, engine)': value(engineDb), 'pgContents(5432, engine)': value(NO_CONTENTS) },
    [['-', 'extension uuid-ossp 1.1']],
  ],
  [
    'a cluster that ran before is left running',
    'postgres.cluster',
    { port: 5432, server, created: false, running: true, enabled: true, start: 'auto' },
    pg,
    [],
  ],
  [
    'a command is taken back by its script, and what it made goes',
    'command.run',
    {
      script: 'x off\nTOKEN=x1 y',
      as: 'root',
      remove: '/m',
      restore: [{ path: '/c.conf', was: root }],
      irreversible: null,
      isSecret: false,
      timeoutMs: 1,
    },
    { 'fileStat(/m)': stat(), 'fileContent(/c.conf)': file('b\n'), 'fileContent(/keep/protected-0)': file('a\n') },
    [
      [' ', 'runs:'],
      [' ', 'x off'],
      [' ', 'TOKEN=[secret]'],
      ['-', '/m (5 B)'],
      ['@', '/c.conf'],
      ['@', '@@ -1,1 +1,1 @@'],
      ['-', 'b'],
      ['+', 'a'],
    ],
  ],
];

describe('an undo that is looked at', () => {
  test.each(rows)('%s', async (_, uses, undo, found, diff) => {
    const view = await look(uses, undo, found);
    expect(view.diff).toEqual(diff);
    expect(view.stops).toBeUndefined();
    expect(JSON.stringify(view.diff)).not.toMatch(/x[12]/);
  });

  test('across the write line keeps the database under another name, and says of the role that it may stay', async () => {
    const full = {
      ...pg,
      'pgDatabase(5432, engine)': value(engineDb),
      'pgContents(5432, engine)': value({ ...NO_CONTENTS, tables: 2 }),
    };
    const made = await look('postgres.database', { ...db, created: true, owner: null, settings: {} }, full, true);
    expect(made.diff).toEqual([['~', 'database ', 'engine', 'engine_ferry_r-1']]);
    expect(made.kept).toEqual([
      {
        host: 'one',
        key: 'pgDatabase(5432, engine_ferry_r-1)',
        what: 'database engine holds what was written after the write line; it is kept as engine_ferry_r-1, closed to all but superusers',
      },
    ]);
    // Its extension may be needed by what is kept.
    expect((await look('postgres.extension', { ...db, name: 'uuid-ossp' }, full, true)).diff).toEqual([]);
    const role = await look(
      'postgres.role',
      { port: 5432, name: 'engine', created: true, login: false },
      { ...pg, 'pgRole(5432, engine)': value({ login: true, verifier: null }) },
      true,
    );
    expect(role.diff).toEqual([
      ['-', 'role engine'],
      [' ', 'stays where the database that is kept belongs to it'],
    ]);
  });

  test('says what stays: packages, a cluster that was made, what a command did for good, a database of others', async () => {
    const stay = async (uses: string, undo: Json, found: Record<string, Observed<unknown>>) =>
      ((await look(uses, undo, found)).kept ?? []).map(({ what }) => what);
    expect(
      await stay(
        'package.install',
        { packages: ['a', 'b'], units: ['a.service'] },
        { 'packageVersion(a)': value({ version: '1' }) },
      ),
    ).toEqual(['package a stays installed', 'unit a.service came with a package']);
    expect(
      await stay('postgres.cluster', { port: 5432, server, created: true, running: false, enabled: false, start: 'manual' }, pg),
    ).toEqual(['the new cluster on port 5432 is stopped and kept']);
    const command = { script: null, as: 'root', remove: null, restore: [], irreversible: 'mail is sent', timeoutMs: 1 };
    expect(await stay('command.run', command, {})).toEqual(['what the command did: mail is sent']);
    const others = {
      ...pg,
      'pgDatabase(5432, engine)': value({ ...engineDb, comment: null }),
      'pgContents(5432, engine)': value({ ...NO_CONTENTS, tables: 1 }),
    };
    expect(await stay('postgres.database', { ...db, created: true, owner: null, settings: {} }, others)).toEqual([
      'database engine does not come from this run and is kept: 1 tables',
    ]);
  });

  test('says that it would stop where the server it must look into does not run', async () => {
    const found = { 'pgCluster(5432)': value({ ...cluster, running: false }) };
    const undo = { ...db, created: true, owner: null, settings: {} };
    expect(await look('postgres.database', undo, found)).toEqual({ diff: [], stops: 'PostgreSQL on one port 5432 is stopped' });
  });
});
