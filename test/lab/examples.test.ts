import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const labDir = inject('labDir');
const HOSTS = ['engine', 'newdb'] as const;
const PASSWORD = `le$s'on "four" \`pw\` \\ ü`;

// All files of the folders the lessons and their transfers write to, with bytes, mode and owner; and which services run.
const LOOK = `find /etc /root /srv /var/tmp -xdev ! -type d -printf '%p %m %u %g %l\\n' | sort
find /etc /root /srv /var/tmp -xdev -type f -exec sha256sum {} + | sort -k2
find /var/lib /run -mindepth 1 -maxdepth 1 ! -path /var/lib/ferry -printf '%p %m %u %g\\n' | grep ferry
systemctl list-units --type=service --state=running,failed --plain --no-legend | awk '{print $1, $3, $4}' | grep -v '^user@\\|^session\\|^user-runtime'
ps -eo args | grep -v sha256sum | grep -c '[f]erry'`;

async function look(): Promise<Record<string, string>> {
  const found = await Promise.all(HOSTS.map(async (host) => [host, (await execOn(labDir, host, LOOK)).stdout] as const));
  return Object.fromEntries(found);
}
const onHost = async (host: string, script: string) => (await execOn(labDir, host, script)).stdout.trim();
const dwhd = () => onHost('engine', 'systemctl is-active ovirt-engine-dwhd ovirt-engine-notifier');

describe('the lessons, run on the lab and taken back', () => {
  let ferry: FerryOnLab;
  let before: Record<string, string>;
  let secrets: string;

  beforeAll(async () => {
    secrets = mkdtempSync(join(tmpdir(), 'ferry-lesson-'));
    writeFileSync(join(secrets, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
    before = await look();
    expect(before.engine).toContain('ovirt-engine-dwhd.service active running');
  });
  afterAll(() => rmSync(secrets, { recursive: true, force: true }));
  beforeEach(() => {
    ferry = new FerryOnLab(labDir);
  });
  afterEach(() => ferry.remove());

  /** Validates and plans a lesson, and sees that this changed nothing. */
  async function planned(lesson: string, more: string[] = []): Promise<string> {
    const valid = await promisify(execFile)(process.execPath, ['dist/src/main.js', 'validate', lesson], { cwd: PROJECT });
    expect(valid.stdout).toMatch(/is sound: \d steps, (1 role|2 roles)\./);
    const plan = await ferry.run(['plan', lesson, ...ferry.hosts, ...more]);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toContain('Nothing was changed.');
    expect(await look()).toEqual(before);
    return plan.stdout;
  }

  async function ran(words: string[]): Promise<string> {
    const run = await ferry.run(words);
    expect(run.code, run.stderr).toBe(0);
    return run.stdout;
  }

  async function latestRun(): Promise<string> {
    return (JSON.parse(await ran(['status', '--json'])) as { run: string }).run;
  }

  /** Takes the latest run back, and sees past Ferry that everything is as it was. */
  async function takenBack(): Promise<void> {
    const back = await ferry.run(['rollback']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/, 0 kept on purpose, 0 differ\./);
    expect(await look()).toEqual(before);
    expect(await onHost('engine', 'cat /var/lib/ferry/lease 2>&1')).toContain('No such file');
  }

  it('the first runbook, as ferry init writes it, leaves a note', async () => {
    const folder = join(secrets, 'begun');
    await promisify(execFile)(process.execPath, ['dist/src/main.js', 'init', folder], { cwd: PROJECT });
    const runbook = join(folder, 'runbook.yaml');
    const role = ['--role', 'app=engine'];
    expect(await planned(runbook, role)).toContain('2 steps: 2 exact, 0 predicted, 0 opaque');
    await ran(['run', runbook, ...ferry.hosts, ...role, '--input', 'author=DBA']);
    expect(await onHost('engine', 'cat /root/ferry-was-here')).toBe('DBA was here.');
    await takenBack();

    // Done again: what it keeps stays until it is cleaned, and then there is no way back.
    await ran(['run', runbook, ...ferry.hosts, ...role, '--input', 'author=DBA']);
    const [kept, undone] = (JSON.parse(await ran(['runs', '--json'])) as { run: string }[]).map(({ run }) => run);
    expect(await ran(['clean', ...ferry.hosts, '--yes'])).toMatch(new RegExp(`${undone} .* rolled back .* engine`));
    expect(await ran(['clean', `${kept}`, '--plan'])).toContain('Nothing was changed.');
    expect((await ferry.run(['clean', `${kept}`])).stderr).toContain('CLEAN_UNCONFIRMED');
    expect(await onHost('engine', `ls /var/lib/ferry | grep -e ${kept} -e ${undone}`)).toBe(kept);
    expect(await ran(['clean', `${kept}`, '--yes'])).toMatch(/Freed \d+.* on engine\./);
    expect(await onHost('engine', `ls /var/lib/ferry | grep ${kept}`)).toBe('');
    const back = await ferry.run(['rollback']);
    expect([back.code, back.stderr]).toEqual([5, expect.stringContaining('RUN_CLEANED')]);
    await onHost('engine', 'rm /root/ferry-was-here');
    expect(await look()).toEqual(before);
  });

  it('01 asks a host and changes nothing', async () => {
    const lesson = 'examples/01-hello-host.yaml';
    expect(await planned(lesson)).toContain('4 steps: 4 exact, 0 predicted, 0 opaque');
    await ran(['run', lesson, ...ferry.hosts]);
    expect(await look()).toEqual(before);
    const log = await ran(['log', '--json']);
    expect(log).toContain(await onHost('engine', 'uname -sr'));
    await takenBack();
  });

  it('02 stops what runs, and starts that and nothing else', async () => {
    const lesson = 'examples/02-stop-and-start.yaml';
    expect(await planned(lesson)).toContain('stop ovirt-engine-dwhd (1 of 2 run)');
    await ran(['run', lesson, ...ferry.hosts, '--until', 'quiet']);
    expect(await dwhd()).toBe('inactive\ninactive');
    const pid = 'systemctl show -P MainPID ovirt-engine-dwhd';
    expect(await onHost('engine', pid)).toBe('0');
    await ran(['resume']);
    expect(await dwhd()).toBe('active\ninactive');
    await takenBack();
    expect(await dwhd()).toBe('active\ninactive');
  });

  it('03 changes one line of a conf file, and has nothing to do the second time', async () => {
    const lesson = 'examples/03-edit-a-conf.yaml';
    const file = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
    const old = await onHost('engine', `cat ${file}`);
    const plan = await planned(lesson);
    expect(plan).toContain('~ DWH_DB_SECURED_VALIDATION="False" -> "True"');
    await ran(['run', lesson, ...ferry.hosts]);
    const now = await onHost('engine', `cat ${file}`);
    expect(now).toBe(old.replace('DWH_DB_SECURED_VALIDATION="False"', 'DWH_DB_SECURED_VALIDATION="True"'));
    expect(now).not.toBe(old);
    expect(await onHost('engine', `stat -c '%a %U %G' ${file}`)).toBe('600 ovirt ovirt');
    expect(await ran(['run', lesson, ...ferry.hosts])).toBe('Already done: nothing was changed.\n');
    await takenBack();
  });

  it('04 writes a secret into a file and nowhere else', async () => {
    const lesson = 'examples/04-inputs-and-when.yaml';
    const given = ['--secret', `password=file:${join(secrets, 'password')}`];
    const plan = await planned(lesson, given);
    expect(plan).toMatch(/readme\s+skipped/);
    const run = await ran(['run', lesson, ...ferry.hosts, ...given, '--input', 'readme=true', '--input', 'database=l4']);
    const address = await onHost('engine', 'hostname');
    expect(await onHost('engine', 'cat /var/lib/ferry-lesson/l4.pgpass')).toBe(`${address}:5432:l4:ferry:${PASSWORD}`);
    expect(await onHost('engine', 'stat -c "%n %a" /var/lib/ferry-lesson /var/lib/ferry-lesson/*')).toBe(
      '/var/lib/ferry-lesson 700\n/var/lib/ferry-lesson/README 644\n/var/lib/ferry-lesson/l4.pgpass 600',
    );
    // As it is, and as JSON writes it.
    const log = await ran(['log', '--json']);
    for (const form of [PASSWORD, JSON.stringify(PASSWORD).slice(1, -1)]) expect(plan + run + log).not.toContain(form);
    const needle = `-F 'four" \`pw'`;
    expect(await onHost('engine', `grep -rl ${needle} /var/lib/ferry-lesson`)).toBe('/var/lib/ferry-lesson/l4.pgpass');
    expect(
      await onHost(
        'engine',
        `grep -rl ${needle} /var/lib/ferry /run/ferry /var/log; journalctl -q --no-pager | grep -c ${needle}`,
      ),
    ).toBe('0');
    await takenBack();
  });

  it('05 sends a file from host to host, and tidies up', async () => {
    const lesson = 'examples/05-copy-a-file.yaml';
    expect(await planned(lesson)).toContain('4 steps on 2 hosts');
    await ran(['run', lesson, ...ferry.hosts, '--until', 'sent']);
    expect(await onHost('engine', 'cat /root/ferry-lesson.txt')).toBe('Made on engine.');
    await ran(['resume']);
    expect(await onHost('newdb', 'cat /var/lib/ferry-lesson/from-engine.txt')).toBe('Made on engine.');
    expect(await onHost('engine', 'ls /root/ferry-lesson.txt 2>&1')).toContain('No such file');
    const left = `find / -xdev \\( -name '*.ferry*' -o -name 'ferry-stdin.*' -o -path '/run/ferry/*' \\) ! -path '/proc/*'; ls /run | grep ferry-`;
    for (const host of HOSTS) expect(await onHost(host, left)).toBe('');
    // The key made for the transfer is gone before the run ends, not with its rollback.
    expect(before.newdb).toContain(await onHost('newdb', 'sha256sum /root/.ssh/authorized_keys'));
    await takenBack();
  });

  it('a question holds no connection, and is answered by an approval after which the step is done', async () => {
    const runbook = join(secrets, 'asks.yaml');
    writeFileSync(
      runbook,
      `ferry: 1
name: asks
roles: { app: {} }
steps:
  - { id: note, host: app, uses: file.put, confirm: Write it?, with: { path: /root/ferry-asked, content: "yes\\n" } }
  - { id: tidy, host: app, uses: file.remove, with: { paths: [/root/ferry-asked], keep: false } }
`,
    );
    const sessions = async () => Number(await onHost('engine', 'ss -Htn state established sport = :22 | wc -l'));
    const run = ferry.start(['run', runbook, ...ferry.hosts, '--role', 'app=engine', '--json', '--wait', '2m']);
    run.ended.catch(() => undefined);
    const asked = await run.seen(({ type }) => type === 'gate.waiting');
    expect(await sessions()).toBe(1);
    await expect.poll(sessions, { timeout: 20_000, interval: 500 }).toBe(0);
    expect(await onHost('engine', 'cat /var/lib/ferry/lease')).toContain(asked.run);
    await ran(['approve', asked.run, 'note', '--comment', 'agreed']);
    expect(await run.ended).toMatchObject({ code: 0 });
    expect(await onHost('engine', 'cat /var/lib/ferry/lease 2>&1')).toContain('No such file');
    expect(await ran(['audit'])).toMatch(/approved: Write it\? \(agreed\)/);
    await takenBack();
  });

  it('06 does a step on each of two hosts, and hands on what each of them said', async () => {
    const lesson = 'examples/06-many-hosts.yaml';
    const on = ['--role', 'machines=engine,newdb'];
    const plan = await planned(lesson, on);
    expect(plan).toContain('7 steps on 2 hosts');
    expect(plan).toMatch(/1-2 {2}2 hosts {2}\? kernel .*\n +on engine, newdb\n/);
    await ran(['run', lesson, ...ferry.hosts, ...on]);
    const kernel = await onHost('engine', 'uname -r');
    expect(await onHost('newdb', 'cat /root/ferry-copy.txt')).toBe(`newdb: ${kernel}`);
    expect(await onHost('engine', 'cat /root/ferry-list.txt')).toBe(`engine: ${kernel}\nnewdb: ${kernel}`);
    // As systemd takes an @ for a template, the unit of a long command has none.
    expect(await onHost('newdb', 'cat /var/lib/ferry/*/copy@newdb.1/*/unit')).toMatch(/^ferry-.*-copy:newdb\.1-.*\.service$/);
    const log = await ran(['log', await latestRun(), 'copy']);
    expect(log).toMatch(/copy@engine on engine/);
    expect(log).toMatch(/copy@newdb on newdb/);
    await takenBack();
  });
});
