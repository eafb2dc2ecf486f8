import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { ask, commandsOf, contentOf, query, recordsOf, repeated, runningUnit, until } from '../kit/evidence.ts';
import { FerryOnLab, type Running } from '../kit/ferry-on-lab.ts';
import { holdTable, type Release } from '../kit/holds.ts';

// Each step of this runbook writes its name into a file on its host each time it does something.
const GATE = '/run/ferry-test-gate';
const COUNT = '/root/ferry-count';
const step = (id: string, role: string, shell: string, more = '') =>
  `  - { id: ${id}, host: ${role}, uses: command.run, with: { shell: '${shell}', undo: "sed -i /${id}/d ${COUNT}", irreversible: "it is counted"${more} } }`;
const RUNBOOK = `ferry: 1
name: count
roles: { one: {}, two: {} }
steps:
${step('first', 'one', `echo first >>${COUNT}`)}
${step('long', 'two', `echo long >>${COUNT}; while [ -e ${GATE} ]; do sleep 0.05; done; echo long-end >>${COUNT}`, ', long: true')}
${step('last', 'one', `echo last >>${COUNT}`)}
`;
// What the engine and the data warehouse write to as soon as they run.
const LIVING = ['audit_log', 'dwh_history_timekeeping', 'vds_statistics'];
const labDir = inject('labDir');
const folder = mkdtempSync(join(tmpdir(), 'ferry-takeover-'));
const runbook = join(folder, 'count.yaml');
writeFileSync(runbook, RUNBOOK);
let first: FerryOnLab;
let second: FerryOnLab;

const counted = async () =>
  (await Promise.all(['he1', 'he2'].map((host) => ask(labDir, host, `cat ${COUNT} 2>/dev/null || :`)))).join('|');
const open = () => ask(labDir, 'he2', `rm -f ${GATE}`);

/** A run of the first controller that is in the middle of its second step, and does nothing more. */
async function stopped(): Promise<{ running: Running; run: string }> {
  await ask(labDir, 'he2', `touch ${GATE}`);
  const running = first.start(['run', runbook, ...first.hosts, '--role', 'one=he1', '--role', 'two=he2', '--yes', '--json']);
  const { run } = await running.seen(({ type }) => type === 'run.started');
  await until('the long step to be under way', async () => (await counted()) === 'first|long');
  process.kill(running.pid, 'SIGSTOP');
  return { running, run };
}

/** What it says and does when it wakes up. */
async function wakes(running: Running): Promise<{ code: number | null; error: { code: string; message: string } }> {
  const before = await counted();
  process.kill(running.pid, 'SIGCONT');
  const { code, stderr } = await running.ended;
  expect(await counted()).toBe(before);
  return { code, error: JSON.parse(stderr.trim().split('\n').at(-1) ?? '').error };
}

beforeEach(async () => {
  first = new FerryOnLab(labDir);
  second = new FerryOnLab(labDir);
});
afterEach(async () => {
  await open();
  first.remove();
  second.remove();
  for (const host of ['he1', 'he2']) await ask(labDir, host, `rm -rf ${COUNT} /var/lib/ferry`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a first controller that hangs in the middle of a step', () => {
  it('is replaced by another process, which joins what runs and finishes, and changes nothing when it wakes up', async () => {
    const { running, run } = await stopped();
    const refused = await first.run(['takeover', run]);
    expect(refused).toMatchObject({ code: 5 });
    expect(refused.stderr).toContain(`Process ${running.pid} of this machine`);
    expect((await first.run(['resume', run])).stderr).toContain(`pid ${running.pid}`);
    const taken = await first.run(['takeover', run, '--yes']);
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.stdout).toMatch(/changes nothing any more on (he1, he2|he2, he1);/);

    const resumed = first.start(['resume', run, '--yes', '--json']);
    expect(await resumed.seen((event) => event.type === 'step.started' && event.step === 'long')).toMatchObject({
      reattached: true,
    });
    await open();
    expect((await resumed.ended).code).toBe(0);
    expect(await counted()).toBe('first\nlast|long\nlong-end');

    const records = recordsOf(first).length;
    expect(await wakes(running)).toMatchObject({ code: 5, error: { code: 'JOURNAL_FENCED' } });
    expect(recordsOf(first)).toHaveLength(records);
  });

  it('is refused by the hosts, when its run was taken over from a host by one that has none of its files', async () => {
    const { running, run } = await stopped();
    const taken = await second.run(['takeover', '--from', 'he2', ...second.hosts, '--yes']);
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.stdout).toContain('step.intended long on he2');
    await open();
    const resumed = await second.run(['resume', run, '--yes']);
    expect(resumed.code, resumed.stdout + resumed.stderr).toBe(0);
    expect(await counted()).toBe('first\nlast|long\nlong-end');
    expect(await wakes(running)).toMatchObject({ code: 5, error: { code: 'EPOCH_STALE' } });
    const again = await first.run(['resume', run, '--yes']);
    expect(again).toMatchObject({ code: 5 });
    expect(await counted()).toBe('first\nlast|long\nlong-end');
  });
});

describe('two controllers', () => {
  it('on one host: the second is told who has it, where, and since when, and a lost state folder is no way to lose a run', async () => {
    const { running, run } = await stopped();
    const { stderr, code } = await second.run([
      'run',
      runbook,
      ...second.hosts,
      '--role',
      'one=he1',
      '--role',
      'two=he2',
      '--yes',
    ]);
    expect(code).toBe(5);
    expect(stderr.replaceAll(/\s+/g, ' ')).toMatch(
      new RegExp(`LEASE_HELD he[12] is held by run ${run} \\(\\S+@\\S+, since 20\\d\\d-`),
    );
    process.kill(running.pid, 'SIGCONT');
    await running.kill();
    first.remove();

    const taken = await second.run(['takeover', '--from', 'he1', ...second.hosts, '--yes']);
    expect(taken.code, taken.stderr).toBe(0);
    const back = await second.run(['rollback', run, '--yes']);
    expect(back.code, back.stdout + back.stderr).toBe(4);
    expect(await counted()).toBe('|');
    expect(await ask(labDir, 'he2', 'systemctl list-units --all --plain --no-legend "ferry-r-*"')).toBe('');
  });
});

describe('a controller lost with its disk in the middle of a restore', () => {
  let release: Release | undefined;
  beforeAll(() => labReset({ dir: labDir, hosts: ['engine', 'newdb'], say: () => undefined }));
  afterEach(() => release?.());
  afterAll(() => labReset({ dir: labDir, hosts: ['engine', 'newdb'], say: () => undefined }));

  it('is replaced by one that rebuilds the run, joins the restore, and comes to the end; an audit finds what is done to its records', async () => {
    const quiesced = await first.run(['run', 'runbooks/ovirt/migrate-engine-db.yaml', ...first.hosts, '--until', 'quiesced']);
    expect(quiesced.code, quiesced.stdout + quiesced.stderr).toBe(0);
    // All rows are in by the time constraints are added.
    release = await holdTable(labDir, 'newdb', 'pg_constraint', 'SHARE');
    const running = first.start(['resume', '--json']);
    const { run } = await running.seen(({ type }) => type === 'run.started');
    const waiting = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_restore' AND wait_event_type = 'Lock'`;
    await until('pg_restore to wait', async () => (await query(labDir, 'newdb', 'postgres', waiting)) === '1');
    await running.kill();
    const recorded = recordsOf(first).length;
    first.remove();

    const unit = `ferry-${run}-restore.1-restore.service`;
    const before = await runningUnit(labDir, 'newdb', unit);
    const taken = await second.run(['takeover', '--from', 'engine', ...second.hosts, '--yes']);
    expect(taken.code, taken.stderr).toBe(0);
    expect(taken.stdout).toContain('step.intended restore on newdb');
    // What was recorded after it went with the folder.
    expect(recordsOf(second).findIndex(({ type }) => type === 'run.taken-over')).toBeLessThanOrEqual(recorded);

    const resumed = second.start(['resume', run, '--json']);
    const joined = await resumed.seen((event) => event.type === 'step.started' && event.step === 'restore');
    expect(joined).toMatchObject({ reattached: true, attempt: 1 });
    expect(await runningUnit(labDir, 'newdb', unit)).toEqual(before);
    await release();
    const ended = await resumed.ended;
    expect(ended.code, ended.stdout.slice(-2000) + ended.stderr).toBe(0);
    expect(repeated(await commandsOf(labDir, run))).toEqual([]);
    const [old, now] = await Promise.all(['engine', 'newdb'].map((host) => contentOf(labDir, host, 'engine', LIVING)));
    expect(now).toBe(old);

    const intact = await second.run(['audit', run]);
    expect(intact.code, intact.stdout + intact.stderr).toBe(0);
    expect(intact.stdout).toMatch(/took it over from .* rebuilt from the records on newdb/);
    for (const host of ['he1', 'engine', 'newdb'])
      expect(intact.stdout).toMatch(new RegExp(`^  ${host} +has the first \\d+$`, 'm'));
    const journal = join(second.stateDir, 'journal.db');
    const write = (sql: string) => {
      const database = new DatabaseSync(journal);
      database.exec(sql);
      database.close();
    };
    const last = recordsOf(second).findLast(({ type }) => type === 'step.intended')?.seq ?? 0;
    write(`CREATE TABLE aside AS SELECT * FROM records WHERE seq >= ${last}; DELETE FROM records WHERE seq >= ${last}`);
    expect(await second.run(['audit', run, '--offline'])).toMatchObject({ code: 0 });
    const cut = await second.run(['audit', run]);
    expect(cut).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(new RegExp(`from record ${last} on: it is not in this\\s+journal`)),
    });
    write(
      `INSERT INTO records SELECT * FROM aside; UPDATE records SET body = json_set(body, '$.summary', 'nothing') WHERE seq = ${last}`,
    );
    expect(await second.run(['audit', run, '--offline'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('AUDIT_BROKEN'),
    });
  });
});
