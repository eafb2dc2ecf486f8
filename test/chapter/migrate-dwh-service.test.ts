import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { execOn, labReset } from '../../lab/lab.ts';
import { NFTABLES_UP } from '../contract/firewalls.ts';
import { ChapterRun, crashPoints, somePoints } from '../kit/chapter-run.ts';
import { ask, recordsOf } from '../kit/evidence.ts';
import { mutatedRunbook } from '../kit/mutated-runbook.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-dwh-service.yaml';
const DWHD_CONF = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d';
const DASHBOARD = '/etc/ovirt-engine/engine.conf.d/10-setup-dwh-database.conf';
const DWH_CORE = 'grep DWH_CORE /etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf';
const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-dwh-service-'));
const roles = ['--role', 'he_host=he1', '--role', 'engine=engine', '--role', 'dwh=dwh'];
let run: ChapterRun;

const begin = (more: readonly string[] = [], runbook = RUNBOOK) => {
  const isYes = (word: string) => word === '--yes';
  run = new ChapterRun(labDir, [runbook, ...roles, ...more.filter((word) => !isYes(word))], more.filter(isYes));
  return run;
};
const sql = (database: string, text: string) =>
  ask(labDir, 'engine', `cd /; runuser -u postgres -- psql -XAt -d ${database} -c "${text}"`);
const kept = (name: string) => sql('engine', `SELECT var_value FROM dwh_history_timekeeping WHERE var_name = '${name}'`);
/** What a person would look at on both machines, past Ferry. */
const state = async () => ({
  engine: await ask(
    labDir,
    'engine',
    `for u in ovirt-engine ovirt-engine-dwhd; do echo $u $(systemctl is-active $u) $(systemctl is-enabled $u); done
cat /etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf; find /etc/ovirt-engine /etc/ovirt-engine-dwh -type f -printf '%p %m %u\\n' -exec sha256sum {} + | sort
dpkg -l ovirt-engine-dwh ovirt-engine-dwh-setup | tail -2 | cut -c1-40; cat /etc/nftables.conf; nft -s list ruleset; cat /etc/postgresql/15/main/pg_hba.conf; grep listen /var/lib/postgresql/15/main/postgresql.auto.conf || :`,
  ),
  dwh: await ask(
    labDir,
    'dwh',
    `systemctl is-active ovirt-engine-dwhd; systemctl is-enabled ovirt-engine-dwhd 2>/dev/null || :; find ${DWHD_CONF} /etc/ovirt-engine-setup.conf.d -type f 2>/dev/null | sort`,
  ),
  maintenance: await ask(labDir, 'he1', 'hosted-engine --vm-status --json | grep -o "global_maintenance[^,}]*"'),
  uuid: await kept('dwhUuid'),
});
/** Waits until the data warehouse's service of a host takes a sample now. */
const samplesFrom = async (host: string) => {
  const at = () => sql('engine', "SELECT var_datetime FROM dwh_history_timekeeping WHERE var_name = 'lastSync'");
  const before = await at();
  await expect.poll(at, { timeout: 40_000 }).not.toBe(before);
  expect(await kept('dwhHostname')).toBe(`${host}.lab.example`);
  expect(await kept('DwhCurrentlyRunning')).toBe('1');
};
/** Sessions on the data warehouse's database, from the new machine or from elsewhere. */
const sessions = (isFromDwh: boolean) =>
  ask(
    labDir,
    'engine',
    `cd /; a=$(getent ahostsv4 dwh.lab.example | head -1 | cut -d' ' -f1); runuser -u postgres -- psql -XAt -c "SELECT count(*) FROM pg_stat_activity WHERE usename = 'ovirt_engine_history' AND (client_addr = '$a') = ${isFromDwh}"`,
  );

/** Whether the engine has been started since it was told where the data warehouse's database is. */
async function startedAfterConf(): Promise<boolean> {
  const times = `stat -c %Y ${DASHBOARD}; date -d "$(systemctl show -p ActiveEnterTimestamp --value ovirt-engine)" +%s`;
  const [changed, started] = (await ask(labDir, 'engine', times)).split('\n').map(Number) as [number, number];
  return started >= changed;
}
/** How many files with that identity Ferry keeps on the engine's machine. */
const keptWith = (uuid: string) => ask(labDir, 'engine', `grep -rl ${uuid} /var/lib/ferry/*/keep | wc -l`);

/** As a stock server would be: it listens to itself alone and lets in nobody from elsewhere, and neither does its firewall. */
const CLOSED = `${NFTABLES_UP.replace('dport 22', 'dport { 22, 80 }')}
cd /; sed -i '/^host.*\\(0.0.0.0\\|::0\\)/d' /etc/postgresql/15/main/pg_hba.conf
pg_conftool 15 main set listen_addresses localhost; systemctl restart postgresql@15-main ovirt-engine ovirt-engine-dwhd`;

beforeEach(async () => {
  await labReset({ dir: labDir, hosts: ['engine', 'dwh', 'he1'], say: () => undefined });
  await ask(labDir, 'he1', 'hosted-engine --set-maintenance --mode=none');
  const { code, stderr } = await execOn(labDir, 'engine', CLOSED);
  if (code !== 0) throw new Error(stderr);
  await samplesFrom('engine');
});
afterEach(() => run.remove());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The new service at work, and the old one gone for good. */
async function isMoved(isRemoved: boolean): Promise<void> {
  await samplesFrom('dwh');
  expect(await ask(labDir, 'dwh', 'systemctl is-active ovirt-engine-dwhd; systemctl is-enabled ovirt-engine-dwhd')).toBe(
    'active\nenabled',
  );
  expect(Number(await sessions(true))).toBeGreaterThan(0);
  // The dashboard's connection: the engine has read its conf file since that says the new address.
  expect(Number(await sessions(false))).toBeGreaterThan(0);
  expect(await ask(labDir, 'engine', `grep -c engine.lab.example ${DASHBOARD}; stat -c '%a %U' ${DASHBOARD}`)).toBe(
    '2\n600 ovirt',
  );
  expect(await startedAfterConf()).toBe(true);
  expect(await ask(labDir, 'engine', 'systemctl is-active ovirt-engine-dwhd || :')).toBe('inactive');
  const there = await ask(
    labDir,
    'engine',
    `ls ${DWHD_CONF}/10-setup-database.conf ${DWHD_CONF}/10-setup-uuid.conf /lib/systemd/system/ovirt-engine-dwhd.service 2>/dev/null || :`,
  );
  if (isRemoved) expect(there).toBe('');
  else expect(await ask(labDir, 'engine', 'systemctl is-enabled ovirt-engine-dwhd || :')).toBe('disabled');
  const left = await ask(labDir, 'dwh', 'ls -d /run/ferry-engine-setup /var/lib/ovirt-engine/setup/answers/* 2>/dev/null || :');
  expect(left).toBe('');
  expect(await ask(labDir, 'dwh', `stat -c '%a %U %n' ${DWHD_CONF}/10-setup-*.conf`)).toBe(
    ['database', 'scale', 'uuid'].map((name) => `600 ovirt ${DWHD_CONF}/10-setup-${name}.conf`).join('\n'),
  );
}

describe('moving the data warehouse to a machine of its own', () => {
  it('shows a plan of every step, with every answer and no password, and changes nothing by it', async () => {
    const bare = await state();
    const first = await begin().plan();
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain('engine-setup        known after packages');
    expect(first.stdout).toMatch(/\+ DWH_UUID=[0-9a-f-]{36}$/m);
    expect(await state()).toEqual(bare);
    run.remove();

    // Units and conf files of packages that are not there yet nobody knows.
    await ask(labDir, 'dwh', 'apt-get update -q; apt-get install -y -q ovirt-engine-dwh ovirt-engine-dwh-setup');
    const before = await state();
    const plan = await begin().plan();
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain('OVESETUP_ENGINE_CONFIG/fqdn = "engine.lab.example"');
    expect(plan.stdout).toContain('OVESETUP_DB/password = [secret]');
    expect(plan.stdout).toContain('OVESETUP_DWH_DB/disconnectExistingDwh = false');
    expect(await state()).toEqual(before);

    const older = ['', '-setup'].map((part) => `ovirt-engine-dwh${part}=4.5.8-1`).join(' ');
    await ask(labDir, 'dwh', `apt-get install -y -q --allow-downgrades ${older}`);
    const other = await begin().plan();
    expect([other.code, other.stdout + other.stderr]).toEqual([
      5,
      expect.stringMatching(/ovirt-engine-dwh\s+is\s+4\.5\.8-1\s+on\s+dwh\s+and\s+4\.5\.9-1\s+on\s+engine/),
    ]);
  });

  it('by an answer file: to the gate, where a rollback leaves all as it was, and then to its end', async () => {
    const before = await state();
    begin();
    await run.goesTo('ask-removal');
    await isMoved(false);
    const back = await run.rollBack();
    expect(back.code, back.stderr + back.stdout).toBe(4);
    await samplesFrom('engine');
    const after = await state();
    // What was installed stays on purpose, with the empty folders it brought.
    expect(after).toEqual({ ...before, dwh: expect.stringContaining('inactive') });
    expect(after.dwh).not.toContain('10-setup');
    run.remove();

    begin();
    await run.goesTo('ask-removal');
    await run.approve('ask-removal');
    await run.goesTo(null);
    await isMoved(true);
    expect(await kept('dwhUuid')).toBe(before.uuid);
    await run.leavesNothing();
  });

  it('by answering its questions, to the end', async () => {
    begin(['--input', 'setup=prompts', '--yes']);
    await run.goesTo(null);
    await isMoved(true);
    expect(recordsOf(run.ferry).some(({ step, type }) => step === 'engine-setup-asked' && type === 'step.verified')).toBe(true);
    await run.leavesNothing();
  });

  it('with an identity of its own, after a question, and the old one is refused from then on', async () => {
    const { uuid } = await state();
    begin(['--input', 'identity=reissue', '--input', 'remove=false']);
    await run.goesTo('ask-disconnect');
    await run.approve('ask-disconnect');
    await run.goesTo('engine-setup');
    await run.approve('engine-setup');
    await run.goesTo(null);
    await isMoved(false);
    expect(await kept('dwhUuid')).not.toBe(uuid);
    await execOn(labDir, 'engine', 'systemctl start ovirt-engine-dwhd');
    await expect
      .poll(() => ask(labDir, 'engine', 'tail -n 5 /var/log/ovirt-engine-dwh/ovirt-engine-dwhd.log'), { timeout: 20_000 })
      .toContain('This installation is invalid');
  });

  it.each(['answer-file', 'prompts'])(
    'killed at points by chance and resumed, by %s, ends as if nothing had happened',
    async (setup) => {
      begin(['--input', `setup=${setup}`, '--yes']);
      const whole = ['identity', 'engine-setup', 'engine-setup-asked', 'start-engine', 'remove-packages'].filter(
        (step) => step !== (setup === 'prompts' ? 'engine-setup' : 'engine-setup-asked'),
      );
      const points = whole.flatMap((step) => [
        `after-record step.intended:${step}`,
        `before-apply ${step}`,
        `after-apply ${step}`,
        `after-record step.applied:${step}`,
      ]);
      for (const point of somePoints(points, 3)) await run.killAt(point);
      await run.goesTo(null);
      await isMoved(true);
      expect(crashPoints(run).length).toBeGreaterThan(30);
      await run.leavesNothing();
    },
  );
});

describe('what goes wrong by hand', () => {
  const withoutSteps = (...ids: readonly string[]) =>
    mutatedRunbook(RUNBOOK, folder, (text) =>
      ids.reduce((left, id) => left.replace(new RegExp(`  - id: ${id}\\n(?:    .*\\n)+`), ''), text),
    );
  /** The service is stopped and no more, nothing of it is kept, and neither engine nor engine-setup hears of it. */
  const asDocumented = () =>
    mutatedRunbook(withoutSteps('stop-engine', 'start-engine', 'health', 'forget-dwh'), folder, (text) =>
      text.replace(', disable: true', '').replace(/20-setup-legacy\.conf\n.*examples.*\n/, '$&      keep: false\n'),
    );

  it('defect 22: a question that the chapter does not mention is no guess: setup is ended, and the question shown', async () => {
    const mutated = mutatedRunbook(RUNBOOK, folder, (text) => text.replace(/.*DNS name of the engine server.*\n/, ''));
    begin(['--input', 'setup=prompts', '--yes'], mutated);
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toContain('Host fully qualified DNS name of the engine server []:');
    expect(await ask(labDir, 'dwh', 'pgrep -f [/]usr/bin/engine-setup || :')).toBe('');
    expect((await run.rollBack()).code).toBe(4);
    await samplesFrom('engine');
  });

  it('defect 23: another identity without a word about the old one is refused, with what to do, and nothing is disconnected', async () => {
    const { uuid } = await state();
    begin(['--yes'], withoutSteps('identity'));
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toMatch(/An existing\s+DWH\s+found\s+-\s+Setup\s+cancelled\s+by\s+user/);
    expect(ended.stdout + ended.stderr).toContain('Carry 10-setup-uuid.conf over');
    expect(await kept('dwhUuid')).toBe(uuid);
    expect((await run.rollBack()).code).toBe(4);
    await samplesFrom('engine');
  });

  it('defects 22 and 24: by hand the engine is not told, and two services, no identity and a setup to come are left', async () => {
    const { uuid } = await state();
    begin([], asDocumented());
    await run.goesTo('ask-removal');
    expect(await ask(labDir, 'engine', 'systemctl is-enabled ovirt-engine-dwhd')).toBe('enabled');
    expect(await startedAfterConf()).toBe(false);
    await run.approve('ask-removal');
    await run.goesTo(null);
    expect(await keptWith(uuid)).toBe('0');
    expect(await ask(labDir, 'engine', DWH_CORE)).toBe('OVESETUP_DWH_CORE/enable=bool:True');
  });

  it('defect 24: the old service is disabled, its identity is kept before it goes, and engine-setup forgets it', async () => {
    begin(['--yes']);
    await run.goesTo(null);
    const uuid = await kept('dwhUuid');
    expect(await keptWith(uuid)).not.toBe('0');
    expect(await ask(labDir, 'engine', DWH_CORE)).toBe('OVESETUP_DWH_CORE/enable=bool:False');
    expect((await run.rollBack()).code).toBe(4);
    await samplesFrom('engine');
    expect(await ask(labDir, 'engine', `systemctl is-enabled ovirt-engine-dwhd; cat ${DWHD_CONF}/10-setup-uuid.conf`)).toBe(
      `enabled\nDWH_UUID=${uuid}`,
    );
  });

  it('a history that a setup has cleared is missed before anything is removed, though the new service samples', async () => {
    begin(['--yes']);
    await run.killAt('after-record step.applied:engine-setup');
    await sql('ovirt_engine_history', 'TRUNCATE calendar');
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toMatch(/HISTORY_LOST[\s\S]*nothing is in\s+calendar\s+any more/);
    expect((await run.rollBack()).code).toBe(4);
    await samplesFrom('engine');
  });

  it.each([
    ['defect 25: where only listen_addresses is opened', ['dwh-db-access'], /dwh-db-login[\s\S]*pg_hba/],
    // Both databases are on one server here.
    ['where the firewall stays shut', ['engine-db-firewall', 'dwh-db-firewall'], /engine-db-login failed/],
  ])('%s, the login fails before anything is stopped', async (_, steps, said) => {
    begin(['--yes'], withoutSteps(...steps));
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toMatch(said);
    expect(await ask(labDir, 'engine', 'systemctl is-active ovirt-engine-dwhd')).toBe('active');
    expect((await run.rollBack()).code).toBe(4);
  });
});
