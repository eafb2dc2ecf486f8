import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { DisturbedRun } from '../kit/disturbed-run.ts';
import { contentOf, recordsOf } from '../kit/evidence.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import { SmallDisk } from '../kit/small-disk.ts';

// What the engine and the data warehouse write to as soon as they run.
const LIVING = ['audit_log', 'dwh_history_timekeeping', 'vds_statistics'];
const labDir = inject('labDir');
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
const told = { runs: 0, again: 0, lost: 0, leaks: 0, kinds: new Map<string, number>() };

let before: Snapshot;
let after: Snapshot;
/** Crash points that an undisturbed run comes to, by step. */
let points: Map<string, string[]>;
let run: DisturbedRun;

const freshHosts = () => labReset({ dir: labDir, say: () => undefined });

/** Every crash point of a run that is on record: around each record of a step, and around its acts. */
function pointsOf(ran: DisturbedRun): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { type, step } of recordsOf(ran.ferry)) {
    if (step === null || !/^step\.(intended|kept|applied|verified|checked)$/.test(type)) continue;
    const acts: Record<string, string[]> = {
      'step.intended': [`before-apply ${step}`],
      'step.applied': [`after-apply ${step}`],
    };
    const around = [`before-record ${type}:${step}`, `after-record ${type}:${step}`];
    const inOrder = type === 'step.applied' ? [...(acts[type] ?? []), ...around] : [...around, ...(acts[type] ?? [])];
    found.set(step, [...(found.get(step) ?? []), ...inOrder]);
  }
  return found;
}

/** The run goes on to its end, which must be that of an undisturbed run in all that can be seen past Ferry. */
async function endsUndisturbed(): Promise<void> {
  const ended = await run.go();
  expect(ended.code, ended.stderr.slice(-2000) + ended.stdout.slice(-2000)).toBe(0);
  await isAs(after, LIVING);
}

async function isAs(wanted: Snapshot, leaveOut: readonly string[] | null): Promise<void> {
  told.runs += 1;
  for (const fault of run.faults) {
    const kind =
      fault
        .split(':')[0]
        ?.replace(/ of \w+ cut/, ' cut')
        .replace(/reboot of .*/, 'reboot of a host') ?? '';
    told.kinds.set(kind, (told.kinds.get(kind) ?? 0) + 1);
  }
  // Counted first: a test that fails is one that lost something.
  told.lost += 1;
  expect(await snapshot(labDir)).toEqual(wanted);
  if (leaveOut) {
    const [old, now] = await Promise.all(['engine', 'newdb'].map((host) => contentOf(labDir, host, 'engine', leaveOut)));
    expect(old?.split('\n').length).toBeGreaterThan(100);
    expect(now).toBe(old);
  }
  await run.commandsRanOnce();
  told.again += run.attemptsAgain;
  told.lost -= 1;
  const leaks = await run.leaks();
  told.leaks += leaks.length;
  expect(leaks).toEqual([]);
}

beforeAll(async () => {
  before = await snapshot(labDir);
  run = new DisturbedRun(labDir);
  expect((await run.go()).code).toBe(0);
  after = await snapshot(labDir);
  points = pointsOf(run);
  run.remove();
});

afterEach(async () => {
  await run.letGo();
  run.remove();
});

afterAll(async () => {
  await labReset({ dir: labDir, say: () => undefined });
  const kinds = [...told.kinds].map(([kind, count]) => `${count} ${kind}`).join(', ');
  const count = [...told.kinds.values()].reduce((sum, one) => sum + one, 0);
  process.stdout.write(
    `crash matrix on the lab${isWhole ? '' : ' (a sample; npm run test:crash does all)'}: ${count} faults in ${told.runs} runs: ${kinds}; ${told.again} commands of new attempts, each begun after the end of the one before; ${told.lost} runs lost or doubled something, ${told.leaks} leaks\n`,
  );
});

describe('a run disturbed again and again, and resumed each time, ends as one that nothing happened to', () => {
  beforeAll(freshHosts);

  it('when writes of the journal are torn, its disk is full, a command dies, a link is cut, and Ferry is killed around its acts', async () => {
    const disk = new SmallDisk(24);
    run = new DisturbedRun(labDir, disk.folder);
    try {
      await run.scribbleAt('after-record step.kept:prepare.access');
      await run.killAt('after-apply stop-services');
      await run.fillDiskIn('dump', disk);
      await run.cutIn('copy', 5, 'newdb');
      await run.tearAt('after-record step.intended:restore');
      await run.killCommandIn('restore');
      await run.killFerryIn('restore');
      await run.killAt('before-record step.applied:point-engine');
      await run.tearAt('after-record step.verified:start-services');
      await run.killAt('before-record run.finished:');
      await endsUndisturbed();
    } finally {
      disk.remove();
    }
  });
});

/** Not left out but not there, unless all of it is asked for. */
if (isWhole) describe('the whole matrix', wholeMatrix);

function wholeMatrix(): void {
  beforeEach(freshHosts);

  for (const [turn, words] of ['first', 'second', 'third', 'fourth'].entries()) {
    it(`Ferry killed in every step: the ${words} of four ways round`, async () => {
      run = new DisturbedRun(labDir);
      for (const [index, [, own]] of [...points].entries()) {
        const first = (turn * 3 + index) % own.length;
        await run.killAt(own[first] ?? '');
      }
      await endsUndisturbed();
    });
  }

  it('Ferry killed in the middle of what takes long', async () => {
    run = new DisturbedRun(labDir);
    await run.killFerryWhile('ExecStop', 'ovirt-engine-dwhd', 'deactivating');
    await run.killFerryIn('dump');
    await run.killFerryIn('copy');
    await run.killFerryIn('restore');
    await run.killFerryWhile('ExecStartPre', 'ovirt-engine', 'activating');
    await endsUndisturbed();
  });

  it('long commands killed on their hosts', async () => {
    run = new DisturbedRun(labDir);
    for (const step of ['dump', 'copy', 'restore'] as const) await run.killCommandIn(step);
    await endsUndisturbed();
  });

  it('every sshd killed under long commands', async () => {
    run = new DisturbedRun(labDir);
    for (const step of ['dump', 'copy', 'restore'] as const) await run.killSshdIn(step);
    await endsUndisturbed();
  });

  it('PostgreSQL killed under dump and restore', async () => {
    run = new DisturbedRun(labDir);
    await run.killPostgresIn('dump');
    await run.killPostgresIn('restore');
    await endsUndisturbed();
  });

  it('hosts rebooted under long commands', async () => {
    run = new DisturbedRun(labDir);
    await run.rebootIn('dump');
    await run.rebootIn('copy', 'newdb');
    await run.rebootIn('restore');
    await endsUndisturbed();
  });

  for (const seconds of [5, 60]) {
    it(`the network cut for ${seconds} s under long commands`, async () => {
      run = new DisturbedRun(labDir);
      await run.cutIn('dump', seconds);
      await run.cutIn('copy', seconds, 'newdb');
      await run.cutIn('restore', seconds);
      await endsUndisturbed();
    });
  }

  it('a rollback killed at each of its undos, and gone on with', async () => {
    run = new DisturbedRun(labDir);
    await run.killAt('after-record step.verified:point-dwhd');
    const undone = recordsOf(run.ferry).flatMap(({ type, step }) => (type === 'step.intended' && step !== null ? [step] : []));
    for (const [index, step] of undone.reverse().entries()) {
      const point = [
        `before-undo ${step}`,
        `after-record step.undoing:${step}`,
        `after-undo ${step}`,
        `after-record step.undone:${step}`,
      ];
      await run.killRollbackAt(point[index % point.length] ?? '');
    }
    await run.killRollbackAt('before-record rollback.finished:');
    expect((await run.rollBack()).code).toBe(4);
    await isAs(before, null);
  });
}
