import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { ask, recordsOf, until } from '../kit/evidence.ts';
import { FerryOnLab, type Running } from '../kit/ferry-on-lab.ts';

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
    expect(taken.stdout).toContain('On he1, he2 nothing but this changes anything of it now.');

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
