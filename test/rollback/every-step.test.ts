import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { cutNetwork, execOn, restoreNetwork } from '../../lab/lab.ts';
import { foldRun } from '../../src/engine/fold.ts';
import type { RollbackPreview } from '../../src/engine/preview-rollback.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import { changesBetween, changesTold, linesNow } from '../kit/told-changes.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const labDir = inject('labDir');

// Every step before the write line that changes something; the last of them with all the others behind it.
const STEPS = [
  'prepare.settings',
  'prepare.role',
  'prepare.database',
  'prepare.extension',
  'prepare.access',
  'maintenance',
  'stop-services',
  'fence-old',
  'dump',
  'copy',
  'restore',
  'carry',
  'point-engine',
  'point-dwhd',
] as const;
// A failure late in the run, and so all behind it, is taken back further down.
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
if (!isWhole)
  process.stdout.write('rollbacks from each step, and one compared with what was foreseen, are left to npm run test:crash\n');

/** The records of the latest run, read past Ferry. */
function recordsOf(ferry: FerryOnLab) {
  const database = new DatabaseSync(join(ferry.stateDir, 'journal.db'), { readOnly: true });
  const rows = database.prepare('SELECT * FROM records ORDER BY run, seq').all();
  database.close();
  const records = rows.map((row) => ({ ...row, body: JSON.parse(String(row.body)) })) as unknown as (JournalRecord & {
    run: string;
  })[];
  return records.filter(({ run }) => run === records.at(-1)?.run);
}

/** Its state, as the journal tells it. */
function stateOf(ferry: FerryOnLab) {
  const records = recordsOf(ferry);
  return foldRun(records[0]?.run ?? '', records);
}

if (isWhole) {
  describe('a rollback from before the write line', fromEachStep);
  describe('a rollback that was looked at first', asForeseen);
}

function fromEachStep(): void {
  let before: Snapshot;
  let ferry: FerryOnLab;

  beforeAll(async () => {
    before = await snapshot(labDir);
  });
  afterEach(() => ferry.remove());

  for (const [index, step] of STEPS.entries()) {
    // Alternately the failure comes before the change and after it, which are the two ends of what undo must cope with.
    const point = index % 2 === 0 ? 'after-apply' : 'before-apply';

    it(`leaves everything as it was when ${step} fails ${point.replace('-', ' ')}`, async () => {
      ferry = new FerryOnLab(labDir);
      const failed = await ferry.run(['run', RUNBOOK, ...ferry.hosts], { FERRY_FAIL_AT: `${point} ${step}` });
      expect(failed.code, failed.stderr).toBe(1);
      expect(failed.stdout + failed.stderr).toContain('FERRY_FAIL_AT');
      expect(stateOf(ferry)).toMatchObject({ phase: 'paused', pause: { step } });

      const preview = await ferry.run(['rollback', '--plan']);
      expect(preview.code).toBe(0);
      expect(preview.stdout).toContain(`${index + 1} step${index === 0 ? '' : 's'}, last first`);

      const back = await ferry.run(['rollback']);
      expect(back.code, back.stderr).toBe(4);
      expect(await snapshot(labDir)).toEqual(before);
      const { proof, leases, phase } = stateOf(ferry);
      expect(phase).toBe('rolled-back');
      expect(leases).toEqual([]);
      expect(proof?.filter(({ verdict }) => verdict === 'differs')).toEqual([]);
      expect(proof?.filter(({ verdict }) => verdict === 'kept')).toEqual([]);
      expect(proof?.length).toBeGreaterThan(20);
      expect(back.stdout).toContain(`${proof?.length} equal, 0 kept on purpose, 0 differ.`);
    });
  }
}

function asForeseen(): void {
  const ferry = new FerryOnLab(labDir);
  afterAll(() => ferry.remove());

  it('does what it was seen to do, step by step, and nothing else', async () => {
    const failed = await ferry.run(['run', RUNBOOK, ...ferry.hosts], { FERRY_FAIL_AT: 'after-apply point-dwhd' });
    expect(failed.code, failed.stderr).toBe(1);
    // As other hands would: one edit that undo takes back, and one unit that is where undo wants it.
    const dwhd = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
    await execOn(labDir, 'engine', `echo 'BY_HAND="1"' >>${dwhd}; systemctl start ovirt-engine-notifier`);
    const before = await linesNow(labDir);
    const preview = await ferry.run(['rollback', '--plan', '--json']);
    expect(preview.code, preview.stderr).toBe(0);
    expect(changesBetween(before, await linesNow(labDir))).toEqual({});
    const { steps, writeLine } = JSON.parse(preview.stdout) as RollbackPreview;
    expect(writeLine).toBeNull();
    expect(steps.filter(({ unknown, stops, kept }) => unknown !== null || stops !== null || kept.length > 0)).toEqual([]);
    const told = changesTold(steps);
    expect(told).toMatchObject({
      'engine: BY_HAND="1"': -1,
      'engine: ENGINE_DB_HOST="newdb.lab.example"': -2,
      'engine: ENGINE_DB_HOST="localhost"': 2,
      'newdb: database engine': -1,
      'he1: maintenance none': 1,
    });

    // The unit was not running before the run, so the proof does not hold: other hands have started it.
    const back = await ferry.run(['rollback']);
    expect(back.code, back.stderr).toBe(1);
    expect(back.stdout).toMatch(/PROOF_FAILED\s[\s\S]*unitState\(ovirt-engine-notifier\.service\)\s+on\s+engine/);
    expect(changesBetween(before, await linesNow(labDir))).toEqual(told);
    await execOn(labDir, 'engine', 'systemctl stop ovirt-engine-notifier');
    const undone = recordsOf(ferry).filter(({ type }) => type === 'step.undone');
    expect(undone.map(({ step }) => step)).toEqual(steps.map(({ step }) => step));
    expect(stateOf(ferry).kept).toEqual([]);
    const again = await ferry.run(['rollback', '--plan', '--json']);
    expect(again.code).toBe(64);
    expect(again.stderr).toContain('there is nothing to roll back');
  });
}

describe('a rollback while the new server cannot be reached', () => {
  const ferry = new FerryOnLab(labDir);
  afterAll(async () => {
    await restoreNetwork(labDir, 'newdb');
    ferry.remove();
  });

  it('has the old side at work again at once, owes the rest, and takes that back when the server is there', async () => {
    const before = await snapshot(labDir);
    const failed = await ferry.run(['run', RUNBOOK, ...ferry.hosts], { FERRY_FAIL_AT: 'after-apply restore' });
    expect(failed.code, failed.stderr).toBe(1);
    await cutNetwork(labDir, 'newdb');
    const half = await ferry.run(['rollback']);
    expect(half.code, half.stderr).toBe(3);
    expect(half.stdout + half.stderr).toMatch(/UNDO_OWED\s+What is on newdb is not taken back[\s\S]*\d+ of \d+ steps are undone/);
    const there = await snapshot(labDir);
    for (const what of Object.keys(before).filter((key) => !key.includes('newdb'))) expect(there[what], what).toBe(before[what]);
    expect(there['newdb: databases']).not.toBe(before['newdb: databases']);
    expect((await ferry.run(['status'])).stdout).toMatch(/owed +newdb +restore/);

    await restoreNetwork(labDir, 'newdb');
    const back = await ferry.run(['rollback']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toContain('0 differ');
    expect(await snapshot(labDir)).toEqual(before);
    expect(stateOf(ferry)).toMatchObject({ phase: 'rolled-back', leases: [] });
  });
});

describe('a rollback to a checkpoint', () => {
  const ferry = new FerryOnLab(labDir);
  afterAll(() => ferry.remove());

  it('takes back what came after it, keeps the lease, and the run goes on from there', async () => {
    const before = await snapshot(labDir);
    const failed = await ferry.run(['run', RUNBOOK, ...ferry.hosts], { FERRY_FAIL_AT: 'after-apply dump' });
    expect(failed.code, failed.stderr).toBe(1);
    const back = await ferry.run(['rollback', '--to', 'prepared']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toContain('0 differ');
    const there = await snapshot(labDir);
    expect(there['engine: units']).toBe(before['engine: units']);
    expect(there['he1: maintenance']).toBe(before['he1: maintenance']);
    expect(there['newdb: databases']).not.toBe(before['newdb: databases']);
    expect((await execOn(labDir, 'engine', 'cat /var/lib/ferry/lease')).stdout).toContain(stateOf(ferry).run);

    const on = await ferry.run(['resume', '--until', 'quiesced']);
    expect(on.code, on.stderr).toBe(0);
    expect((await ferry.run(['rollback'])).code).toBe(4);
    expect(await snapshot(labDir)).toEqual(before);
  });
});
