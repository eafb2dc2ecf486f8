import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { cutNetwork, labReset, restoreNetwork } from '../../lab/lab.ts';
import { ask, attemptsOf, commandsOf, contentOf, query, recordsOf, repeated, runningUnit, until } from '../kit/evidence.ts';
import { FerryOnLab, type Running } from '../kit/ferry-on-lab.ts';
import { holdReceiver, holdTable, holdUnit, type Release } from '../kit/holds.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
// What the engine and the data warehouse write to as soon as they run.
const LIVING = ['audit_log', 'dwh_history_timekeeping', 'vds_statistics'];
const HELD = ['he1', 'engine', 'newdb'];
const LEASE = 'cut -d" " -f1 /var/lib/ferry/lease 2>/dev/null || :';
// What loses more than Ferry is in the sample of test/faults otherwise.
const labDir = inject('labDir');
let ferry: FerryOnLab;
let run: string;
let release: Release | undefined;

/** What an undisturbed run leaves at two of its checkpoints and at its end. */
let undisturbed: { quiesced: Snapshot; copied: Snapshot; moved: Snapshot };

const freshHosts = () => labReset({ dir: labDir, hosts: ['engine', 'newdb'], say: () => undefined });
const unitOf = (step: string, effect: string) => `ferry-${run}-${step}.${attemptsOf(ferry, step).at(-1)}-${effect}.service`;
const waitsForLock = (host: string, program: string) =>
  until(`${program} to wait for a lock`, async () => {
    const sql = `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${program}' AND wait_event_type = 'Lock'`;
    return (await query(labDir, host, 'postgres', sql)) === '1';
  });

async function ok(words: string[]): Promise<void> {
  const ended = await ferry.run(words);
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
}

/** What a person sees after Ferry died in a step: where it was, and how to go on. */
async function statusNames(step: string): Promise<void> {
  const { code, stdout } = await ferry.run(['status']);
  expect(code).toBe(0);
  expect(stdout).toMatch(new RegExp(`^  in doubt +\\S+ +${step} `, 'm'));
  expect(stdout).toContain(`ferry resume ${run}`);
  expect(stdout).toContain(`ferry rollback ${run}`);
}

/** Half-moved hosts may look done, or blocked by what the run has made; what a person must read is that a run is unfinished. */
async function newRunIsRefused(): Promise<void> {
  const { code, stdout, stderr } = await ferry.run(['run', RUNBOOK, ...ferry.hosts]);
  expect(code, stdout + stderr).toBe(5);
  expect(stderr).toContain('RUN_UNFINISHED');
  expect(stderr).toContain(`ferry resume ${run}`);
}

/** The addresses a process has open connections to. */
function connectionsOf(pid: number): string {
  const lines = execFileSync('ss', ['-Htnp', 'state', 'established'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`pid=${pid},`)).join('\n');
}

/** The old database, frozen, and the new one hold the same rows in every table that nobody writes to. */
async function contentIsEqual(leaveOut: readonly string[] = []): Promise<void> {
  const [old, now] = await Promise.all(['engine', 'newdb'].map((host) => contentOf(labDir, host, 'engine', leaveOut)));
  expect(old?.split('\n')).toHaveLength(156 - leaveOut.length);
  expect(now).toBe(old);
}

/** Starts the verb that is to be killed, lets it come to where it is held, and kills it there. */
async function killWhen(words: string[], isHeld: () => Promise<void>): Promise<void> {
  const running = ferry.start([...words, '--json']);
  const { run: id } = await running.seen(() => true);
  run = id;
  await isHeld();
  await running.kill();
}

/** Goes on in a process of its own, which must find the step's detached command still running and join it. */
async function rejoins(step: string, effect: string, host: string, words: string[]): Promise<void> {
  const unit = unitOf(step, effect);
  const before = await runningUnit(labDir, host, unit);
  await statusNames(step);
  const attempts = attemptsOf(ferry, step);
  const resumed = ferry.start([...words, '--json']);
  const started = await resumed.seen((event) => event.type === 'step.started' && event.step === step);
  expect(started).toMatchObject({ reattached: true, attempt: attempts.at(-1) });
  expect(await runningUnit(labDir, host, unit)).toEqual(before);
  await release?.();
  await endsWell(resumed);
  expect(attemptsOf(ferry, step)).toEqual(attempts);
  expect((await commandsOf(labDir, run)).units).toContainEqual({
    name: `${host} ${step}.${attempts.at(-1)}-${effect}`,
    invocation: before.invocation,
  });
}

async function endsWell(running: Running): Promise<void> {
  const ended = await running.ended;
  expect(ended.code, ended.stdout.slice(-3000) + ended.stderr).toBe(0);
}

/** No command of the run ran twice, each unit is a detached command of its own, and none is left lying about. */
async function commandsRanOnce(dead: string[] = []): Promise<void> {
  const commands = await commandsOf(labDir, run);
  expect(repeated(commands)).toEqual([]);
  const detached = commands.logged.filter((line) => line.includes(' detached=')).map((line) => line.replace(' detached=', '-'));
  expect(commands.units.map(({ name }) => name).sort()).toEqual(detached.sort());
  expect(commands.folders.filter((folder) => folder.endsWith(' -'))).toEqual(dead.map((folder) => `${folder} -`));
  for (const host of ['engine', 'newdb']) {
    expect(await ask(labDir, host, 'systemctl list-units --all --plain --no-legend "ferry-r-*"')).toBe('');
    expect(await ask(labDir, host, 'pgrep -fa "[/]var/lib/ferry/" || :')).toBe('');
  }
}

beforeAll(async () => {
  ferry = new FerryOnLab(labDir);
  await ok(['run', RUNBOOK, ...ferry.hosts, '--until', 'quiesced']);
  const quiesced = await snapshot(labDir);
  await ok(['resume', '--until', 'copied']);
  const copied = await snapshot(labDir);
  await ok(['resume']);
  undisturbed = { quiesced, copied, moved: await snapshot(labDir) };
  ferry.remove();
});

afterEach(async () => {
  await release?.();
  release = undefined;
});

afterAll(() => labReset({ dir: labDir, say: () => undefined }));

describe('a run killed with SIGKILL in the middle of a step', () => {
  beforeAll(async () => {
    await freshHosts();
    ferry = new FerryOnLab(labDir);
  });
  afterAll(() => ferry.remove());

  it('stop-services: one unit is still stopping, and resume waits for it', async () => {
    release = await holdUnit(labDir, 'engine', 'ovirt-engine-dwhd', 'ExecStop');
    const states = 'systemctl is-active ovirt-engine ovirt-engine-dwhd ovirt-fence-kdump-listener | tr "\\n" " "; true';
    await killWhen(['run', RUNBOOK, ...ferry.hosts], () =>
      until(
        'two stopped units and one that stops',
        async () => (await ask(labDir, 'engine', states)) === 'inactive deactivating inactive',
      ),
    );
    await statusNames('stop-services');
    const resumed = ferry.start(['resume', '--until', 'quiesced', '--json']);
    await resumed.seen((event) => event.type === 'note' && event.text.includes('stop-services'));
    expect(await ask(labDir, 'engine', states)).toBe('inactive deactivating inactive');
    await release();
    await endsWell(resumed);
    expect(attemptsOf(ferry, 'stop-services')).toEqual([1]);
    expect(await snapshot(labDir)).toEqual(undisturbed.quiesced);
    await commandsRanOnce();
  });

  it('dump: pg_dump goes on by itself, and resume joins it', async () => {
    release = await holdTable(labDir, 'engine', 'audit_log', 'ACCESS EXCLUSIVE');
    await killWhen(['resume'], () => waitsForLock('engine', 'pg_dump'));
    await rejoins('dump', 'dump', 'engine', ['resume', '--until', 'copied']);
    await isCopied();
  });

  inCopy();

  it('restore: pg_restore goes on by itself, and resume joins it', async () => {
    await goBackToQuiesced();
    // All rows are in by the time constraints are added.
    release = await holdTable(labDir, 'newdb', 'pg_constraint', 'SHARE');
    await killWhen(['resume'], () => waitsForLock('newdb', 'pg_restore'));
    await rejoins('restore', 'restore', 'newdb', ['resume', '--until', 'copied']);
    await isCopied();
  });

  it('point-engine: the file was changed and nobody wrote that down', async () => {
    await newRunIsRefused();
    const killed = await ferry.run(['resume'], { FERRY_CRASH_AT: 'after-apply point-engine' });
    expect(killed.code).toBe(null);
    expect(recordsOf(ferry).at(-1)).toMatchObject({ type: 'step.kept', step: 'point-engine' });
    await statusNames('point-engine');
    const finished = await ferry.run(['resume'], { FERRY_CRASH_AT: 'after-record run.finished:' });
    expect(finished.code).toBe(null);
    expect(attemptsOf(ferry, 'point-engine')).toEqual([1]);
    await isMoved();
    await commandsRanOnce();
  });

  it('giving its hosts back: resume does it', async () => {
    for (const host of HELD) expect(await ask(labDir, host, LEASE)).toBe(run);
    await ok(['resume']);
    for (const host of HELD) expect(await ask(labDir, host, LEASE)).toBe('');
    expect(await snapshot(labDir)).toEqual(undisturbed.moved);
    const again = await ferry.run(['resume']);
    expect(again).toMatchObject({ code: 64, stdout: '' });
    expect(again.stderr).toContain('RUN_OVER');
  });
});

describe('a run that loses more than Ferry', losesMore);

function losesMore(): void {
  beforeAll(async () => {
    await freshHosts();
    ferry = new FerryOnLab(labDir);
  });
  afterAll(() => ferry.remove());

  it('begins the dump again when that was killed too, and only then', async () => {
    await ok(['run', RUNBOOK, ...ferry.hosts, '--until', 'quiesced']);
    release = await holdTable(labDir, 'engine', 'audit_log', 'ACCESS EXCLUSIVE');
    await killWhen(['resume'], () => waitsForLock('engine', 'pg_dump'));
    const unit = unitOf('dump', 'dump');
    const part = '/var/lib/ferry-migrate-engine-db/engine.dump.part';
    await ask(labDir, 'engine', `systemctl kill -s KILL ${unit}`);
    await until(
      'systemd to see it dead',
      async () => (await ask(labDir, 'engine', `systemctl is-active ${unit} || :`)) === 'failed',
    );
    await ask(labDir, 'engine', `echo half >>${part}`);
    await release();

    const resumed = ferry.start(['resume', '--until', 'copied', '--json']);
    expect(await resumed.seen((event) => event.type === 'step.started' && event.step === 'dump')).toMatchObject({
      reattached: false,
      attempt: 2,
    });
    await endsWell(resumed);
    const told = recordsOf(ferry)
      .filter((one) => one.step === 'dump')
      .map(({ type, body }) => `${type} ${body.attempt ?? ''}`.trim());
    expect(told).toEqual([
      'step.intended 1',
      'step.lost 1',
      'step.settled 1',
      'step.intended 2',
      'step.applied',
      'step.verified',
    ]);
    const order = (await ask(labDir, 'engine', 'journalctl -o cat --no-pager')).split('\n');
    const died = order.findIndex((line) => line.startsWith(unit) && line.includes('code=killed'));
    const again = order.findIndex((line) => line.includes('step=dump attempt=2 detached=dump'));
    expect(died).toBeGreaterThan(0);
    expect(again).toBeGreaterThan(died);
    expect(await ask(labDir, 'engine', 'ls /var/lib/ferry-migrate-engine-db')).toBe('engine.dump');
    expect(await ask(labDir, 'engine', 'head -c 5 /var/lib/ferry-migrate-engine-db/engine.dump')).toBe('PGDMP');
    await isCopied(['engine dump.1/dump']);
  });

  it('finds its way alone when the network is cut during the restore', async () => {
    await goBackToQuiesced();
    release = await holdTable(labDir, 'newdb', 'pg_constraint', 'SHARE');
    const running = ferry.start(['resume', '--until', 'copied', '--json']);
    await waitsForLock('newdb', 'pg_restore');
    const address = await ask(labDir, 'newdb', "hostname -I | cut -d' ' -f1");
    await cutNetwork(labDir, 'newdb');
    try {
      await until('Ferry to notice', async () => !connectionsOf(running.pid).includes(`${address}:22`));
    } finally {
      await restoreNetwork(labDir, 'newdb');
    }
    await release();
    await endsWell(running);
    await isCopied(['engine dump.1/dump']);
  });

  it('settles a step that was intended only, and a start that goes on without it', async () => {
    const killed = await ferry.run(['resume'], { FERRY_CRASH_AT: 'after-record step.intended:point-engine' });
    expect(killed.code).toBe(null);
    await statusNames('point-engine');

    release = await holdUnit(labDir, 'engine', 'ovirt-engine', 'ExecStartPre');
    const state = 'systemctl is-active ovirt-engine || :';
    await killWhen(['resume'], () =>
      until('the engine to be starting', async () => (await ask(labDir, 'engine', state)) === 'activating'),
    );
    await statusNames('start-services');
    const resumed = ferry.start(['resume', '--json'], { FERRY_CRASH_AT: 'after-record step.verified:start-services' });
    await resumed.seen((event) => event.type === 'note' && event.text.includes('start-services'));
    expect(await ask(labDir, 'engine', state)).toBe('activating');
    await release();
    expect((await resumed.ended).code).toBe(null);
    await newRunIsRefused();
    await ok(['resume']);
    expect(attemptsOf(ferry, 'start-services')).toEqual([1]);
    await isMoved();
    await commandsRanOnce(['engine dump.1/dump']);
  });
}

async function isCopied(dead: string[] = []): Promise<void> {
  expect(await snapshot(labDir)).toEqual(undisturbed.copied);
  await contentIsEqual();
  await commandsRanOnce(dead);
}

async function isMoved(): Promise<void> {
  expect(await snapshot(labDir)).toEqual(undisturbed.moved);
  await contentIsEqual(LIVING);
}

async function goBackToQuiesced(): Promise<void> {
  const back = await ferry.run(['rollback', '--to', 'quiesced']);
  expect(back.code, back.stderr).toBe(4);
  expect(await snapshot(labDir)).toEqual(undisturbed.quiesced);
}

function inCopy(): void {
  it('copy: the sender goes on by itself, and resume joins it', async () => {
    await goBackToQuiesced();
    release = await holdReceiver(labDir, 'newdb');
    const part = 'stat -c %s /var/lib/ferry-migrate-engine-db/engine.dump.ferry-part 2>/dev/null || :';
    await killWhen(['resume'], () => until('100 kB to have come', async () => (await ask(labDir, 'newdb', part)) === '100000'));
    await rejoins('copy', 'send', 'engine', ['resume', '--until', 'copied']);
    await isCopied();
  });
}
