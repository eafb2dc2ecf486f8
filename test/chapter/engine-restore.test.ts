import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { EngineToRestore } from '../kit/engine-to-restore.ts';
import { attemptsOf, commandsOf, repeated, runOf, until } from '../kit/evidence.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const RESTORE = 'runbooks/ovirt/engine-restore.yaml';
const FILE = '/srv/engine.backup';
const HISTORY = 'ovirt_engine_history';
// Files of the machine itself, which a restore leaves alone although they are in the archive.
const OWN = [
  '/etc/ovirt-engine/engine-config/engine-config.properties',
  '/etc/ovirt-engine-setup.conf.d/10-packaging.conf',
] as const;
const PASSWORD = `n"w $HOME\\ 'x`;
const labDir = inject('labDir');
const engine = new EngineToRestore(labDir);
const secrets = mkdtempSync(join(tmpdir(), 'ferry-restore-'));
const secret = join(secrets, 'password');
const given = (values: Record<string, string>) =>
  Object.entries(values).flatMap(([name, value]) => ['--input', `${name}=${value}`]);

/** What was said, however wide the page was. */
const flat = (text: string) => text.replaceAll(/\s+/g, ' ');

let ferry: FerryOnLab;
let data: Awaited<ReturnType<EngineToRestore['dataNow']>>;
const restore = (inputs: Record<string, string>, ...more: string[]) => [
  ...['run', RESTORE, ...ferry.hosts, '--yes'],
  ...given({ file: FILE, ...inputs }),
  ...more,
];

beforeAll(async () => {
  writeFileSync(secret, PASSWORD, { mode: 0o600 });
  const first = new FerryOnLab(labDir);
  await engine.on(`mkdir -p ${dirname(OWN[0])}; echo saved | tee ${OWN.join(' ')} >/dev/null`);
  data = await engine.dataNow();
  const saved = await first.run([
    ...['run', 'runbooks/ovirt/engine-backup.yaml', ...first.hosts, '--yes'],
    ...given({ tool: 'ferry', file: FILE }),
  ]);
  expect(saved.code, saved.stderr).toBe(0);
  for (const database of ['engine', HISTORY]) {
    const prepared = await first.run([
      ...['run', 'runbooks/ovirt/prepare-remote-db.yaml', ...first.hosts, '--yes', '--role', 'clients=engine'],
      ...given({ database, user: database === 'engine' ? 'engine2' : database, extension: String(database === 'engine') }),
      ...['--secret', `password=file:${secret}`],
    ]);
    expect(prepared.code, prepared.stderr).toBe(0);
  }
  first.remove();
});
beforeEach(async () => {
  ferry = new FerryOnLab(labDir);
  await engine.on('rm -rf /var/lib/ferry-engine-restore');
  await engine.lose();
});
afterEach(async () => {
  await ferry.run(['unlock', 'engine', '--abandon', ...ferry.hosts, '--yes']);
  await ferry.run(['unlock', 'newdb', '--abandon', ...ferry.hosts, '--yes']);
  ferry.remove();
});
afterAll(async () => {
  rmSync(secrets, { recursive: true });
  await labReset({ dir: labDir, say: () => undefined });
});

describe('restoring to other credentials on another server', () => {
  const there = (dwhUser = HISTORY) => [
    ...['--role', 'engine_db=newdb', '--role', 'dwh_db=newdb'],
    ...given({ db_address: 'newdb.lab.example', db_user: 'engine2', dwh_db_address: 'newdb.lab.example', dwh_db_user: dwhUser }),
    ...['--secret', `db_password=file:${secret}`, '--secret', `dwh_db_password=file:${secret}`],
  ];
  const sessions = () =>
    engine.psql(
      "SELECT datname, usename FROM pg_stat_activity WHERE datname ~ '^(engine|ovirt)' GROUP BY 1, 2 ORDER BY 1, 2",
      'postgres',
      'newdb',
    );

  it('asks before anything is touched whether the new server knows the roles that the dumps name', async () => {
    const files = await engine.filesNow();
    const refused = await ferry.run(restore({ tool: 'engine-backup' }, ...there()));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('RESTORE_REFUSED');
    expect(flat(refused.stderr)).toContain(`has grants for ${HISTORY}_grafana, no role of the server at newdb.lab.example:5432`);
    expect(flat(refused.stderr)).toContain('belongs to engine, and engine2 is no member of that');
    expect(await engine.filesNow()).toBe(files);
    expect((await ferry.run(['rollback', '--yes', ...ferry.hosts])).code).toBe(4);
  });

  it.each(['ferry', 'engine-backup'])(
    'has the engine, its dashboard and the data warehouse there, by %s, and goes back',
    async (tool) => {
      const files = await engine.filesNow();
      await engine.haveEmpty('newdb', { engine: 'engine2', [HISTORY]: HISTORY });
      const restored = await ferry.run(restore({ tool, permissions: 'false', start: 'true' }, ...there()));
      expect(restored.code, restored.stderr).toBe(0);
      await engine.on('systemctl start ovirt-engine-dwhd');
      expect((await engine.dataNow('newdb', false)).dwh).toBe(data.dwh);
      expect((await engine.dataNow('newdb', false)).engine).toBe(data.engine);
      // The engine's own sessions, and its dashboard's as the role of the data warehouse.
      await until('engine, dashboard and dwhd are on newdb', async () =>
        (await sessions()).includes(`engine|engine2\n${HISTORY}|${HISTORY}`),
      );
      expect(await engine.psql("SELECT count(*) FROM pg_stat_activity WHERE usename IN ('engine', 'ovirt_engine_history')")).toBe(
        '0',
      );
      expect(
        await engine.on(
          `grep -lE '^(ENGINE|DWH)_DB_(HOST|URL)=.*localhost' /etc/ovirt-engine/engine.conf.d/*.conf /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/*.conf || :`,
        ),
      ).toBe('');
      expect(
        await engine.on(
          `grep -rlF ${`'${PASSWORD.replaceAll("'", `'\\''`)}'`} /var/lib/ferry /var/log/ovirt-engine-backup /run/ferry 2>/dev/null | grep -v /keep/ || :`,
        ),
      ).toBe('');
      await engine.on('systemctl stop ovirt-engine-dwhd');
      const back = await ferry.run(['rollback', '--yes', '--discard-writes', ...ferry.hosts]);
      expect(back.code, back.stderr + back.stdout).toBe(4);
      expect(await engine.filesNow()).toBe(files);
      expect(await engine.psql('SELECT count(*) FROM pg_stat_user_tables', 'engine', 'newdb')).toBe('0');
      await engine.psql(
        `SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname ~ 'ferry' \\gexec`,
        'postgres',
        'newdb',
      );
    },
  );

  it('refuses a role that leads to another server than the conf files, before anything is touched', async () => {
    const files = await engine.filesNow();
    await engine.haveEmpty('newdb', { engine: 'engine2', [HISTORY]: HISTORY });
    for (const tool of ['ferry', 'engine-backup']) {
      const refused = await ferry.run(restore({ tool }, '--role', 'engine_db=newdb', '--role', 'dwh_db=newdb'));
      expect(refused.code).toBe(1);
      expect(flat(refused.stderr)).toContain('localhost:5432 is another server than newdb, whose database engine the step names');
      expect((await ferry.run(['rollback', '--yes', ...ferry.hosts])).code).toBe(4);
    }
    expect(await engine.filesNow()).toBe(files);
    expect(await engine.psql('SELECT count(*) FROM pg_stat_user_tables')).toBe('0');
  });

  it('wants address and password together', async () => {
    const refused = await ferry.run(['plan', RESTORE, ...ferry.hosts, ...given({ file: FILE, db_address: 'newdb' })]);
    expect(flat(refused.stdout + refused.stderr)).toContain('give both, or neither');
    expect(refused.code).not.toBe(0);
  });
});

describe('what somebody writes into a database that was loaded', () => {
  const readOnly = (set: string) => engine.psql(`ALTER ROLE ${HISTORY} IN DATABASE ${HISTORY} ${set}`, 'postgres');
  const note = (text: string) => engine.psql(`CREATE TABLE note AS SELECT '${text}'::text AS said`);
  const keptAs = () => `engine_ferry_${runOf(ferry)}`;
  afterEach(async () => {
    await readOnly('RESET default_transaction_read_only');
    await engine.psql(`DROP DATABASE IF EXISTS "${keptAs()}"`, 'postgres');
  });

  /** Restores until the engine's database is loaded and that of the data warehouse refuses to be; then somebody tries the first. */
  async function failAndTry(tool: string): Promise<void> {
    await readOnly('SET default_transaction_read_only = on');
    const failed = await ferry.run(restore({ tool }));
    expect(failed.code, failed.stderr).toBe(1);
    expect(flat(failed.stderr)).toContain('BACKUP_NOT_RESTORED');
    await note('tried');
    await readOnly('RESET default_transaction_read_only');
  }

  async function isKept(): Promise<void> {
    const preview = await ferry.run(['rollback', '--plan', ...ferry.hosts]);
    expect(flat(preview.stdout)).toContain('rename and keep database engine on engine');
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr + back.stdout).toBe(4);
    expect(await engine.psql('SELECT said FROM note', keptAs())).toBe('tried');
    expect(await engine.psql('SELECT count(*) FROM pg_stat_user_tables')).toBe('0');
    expect(await engine.psql(`SELECT count(*) FROM pg_database WHERE datname LIKE '${HISTORY}\\_%'`)).toBe('0');
  }

  it.each(['ferry', 'engine-backup'])('before the other one failed to load is kept by a rollback, by %s', async (tool) => {
    await failAndTry(tool);
    await isKept();
  });

  it('before the other one failed to load is kept by a rollback that follows a resume', async () => {
    await failAndTry('ferry');
    const resumed = await ferry.run(['resume', ...ferry.hosts, '--yes']);
    expect(resumed.code, resumed.stderr).toBe(0);
    await isKept();
  });

  it.each(['ferry', 'engine-backup'])('is nothing after a mere look, and both databases are dropped: by %s', async (tool) => {
    const restored = await ferry.run(restore({ tool }));
    expect(restored.code, restored.stderr).toBe(0);
    await engine.dataNow();
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr + back.stdout).toBe(4);
    expect(await engine.psql("SELECT datname FROM pg_database WHERE datname LIKE '%ferry%'", 'postgres')).toBe('');
  });

  it('by a session that does not end is not dropped, at once or later', async () => {
    const restored = await ferry.run(restore({ tool: 'ferry' }));
    expect(restored.code, restored.stderr).toBe(0);
    await engine.on(
      `cd /tmp; rm -f in said; mkfifo in; runuser -u postgres -- psql -XAtq engine <in >said 2>&1 & exec 5>/tmp/in; sleep 300 >&5 <&- 2>&- & echo $! >/tmp/writer
printf '%s\\n' "SELECT pg_backend_pid(); INSERT INTO vdc_options (option_name, option_value, version) VALUES ('Tried', '1', 'general');" '\\echo done' >/tmp/in; until grep -q done /tmp/said; do sleep 0.1; done; kill -STOP $(head -n 1 /tmp/said)`,
    );
    const stuck = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(stuck.code, stuck.stdout).toBe(3);
    await engine.on('kill -CONT $(head -n 1 /tmp/said); kill $(cat /tmp/writer)');
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr + back.stdout).toBe(4);
    expect(await engine.psql("SELECT option_value FROM vdc_options WHERE option_name = 'Tried'", keptAs())).toBe('1');
  });
});

describe.each(['ferry', 'engine-backup'])('a restore by %s that is cut off in the middle of loading', (tool) => {
  const unit = () => `ferry-${runOf(ferry)}-restore.1-restore${tool === 'ferry' ? '-db' : ''}.service`;
  /** Runs until the engine's database is being loaded, holds the load there, and kills Ferry. */
  async function killInTheMiddle(): Promise<void> {
    const killed = ferry.start(restore({ tool, start: 'true' }, '--json'));
    await killed.seen((event) => event.type === 'step.started' && event.step === 'restore');
    // The relation is what the load has made and not yet committed, where it is one transaction: its sessions tell.
    const loading = `runuser -u postgres -- psql -XAtc "SELECT count(*) FROM pg_stat_activity WHERE datname = 'engine' AND application_name = 'pg_restore' AND query ~ 'COPY|CREATE TABLE'"`;
    await engine.on(
      `cd /; for n in $(seq 2000); do [ "$(${loading})" != 0 ] && systemctl kill --kill-whom=all --signal=STOP ${unit()} 2>/dev/null && exit 0; done; exit 1`,
    );
    await killed.kill();
    expect(await engine.on(`systemctl is-active ${unit()}`)).toBe('active');
  }

  it('is waited for and gone on with, and nothing is loaded twice', async () => {
    await engine.on(`echo own | tee ${OWN.join(' ')} >/dev/null`);
    await killInTheMiddle();
    const resumed = ferry.start(['resume', ...ferry.hosts, '--yes', '--json']);
    await resumed.seen((event) => event.type === 'step.settled' && event.step === 'restore');
    await engine.on(`systemctl kill --kill-whom=all --signal=CONT ${unit()}`);
    const ended = await resumed.ended;
    expect(ended.code, ended.stdout.slice(-3000) + ended.stderr).toBe(0);
    expect(attemptsOf(ferry, 'restore')).toEqual([1]);
    expect(repeated(await commandsOf(labDir, runOf(ferry)))).toEqual([]);
    expect(await engine.on('curl -s http://localhost/ovirt-engine/services/health')).toBe('DB Up!Welcome to Health Status!');
    expect(await engine.dataNow()).toEqual(data);
    expect(await engine.psql('SELECT count(*) FROM dwh_history_timekeeping')).toBe('7');
    expect(await engine.on(`cat ${OWN.join(' ')}`)).toBe('own\nown');
  });

  it("is taken back: the databases are empty, and nothing half loaded is kept as somebody else's", async () => {
    const files = await engine.filesNow();
    await killInTheMiddle();
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr + back.stdout).toBe(4);
    expect(back.stdout).toMatch(/ 0 differ/);
    expect(await engine.filesNow()).toBe(files);
    for (const database of ['engine', HISTORY])
      expect(await engine.psql('SELECT count(*) FROM pg_stat_user_tables', database)).toBe('0');
    expect(await engine.psql("SELECT count(*) FROM pg_database WHERE datname LIKE '%ferry%'")).toBe('0');
    expect(await engine.on('systemctl list-units --all --plain --no-legend "ferry-r-*"')).toBe('');
  });

  it('and dies with its machine is loaded anew where nothing of it is left, and else refused with the way back', async () => {
    await killInTheMiddle();
    await engine.on(`systemctl kill --kill-whom=all --signal=KILL ${unit()}`);
    const resumed = await ferry.run(['resume', ...ferry.hosts, '--yes']);
    if (tool === 'ferry') {
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(await engine.dataNow()).toEqual(data);
      return;
    }
    expect(resumed.code).toBe(1);
    expect(flat(resumed.stderr)).toMatch(/BACKUP_NOT_RESTORED.*an attempt before this one has left \d+ tables.*ferry rollback/);
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr + back.stdout).toBe(4);
    expect(await engine.psql('SELECT count(*) FROM pg_stat_user_tables')).toBe('0');
  });
});
