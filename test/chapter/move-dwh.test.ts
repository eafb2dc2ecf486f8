import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { ChapterRun, crashPoints, somePoints } from '../kit/chapter-run.ts';
import { ask } from '../kit/evidence.ts';
import { MovedDwh } from '../kit/moved-dwh.ts';

const RUNBOOK = 'runbooks/ovirt/move-dwh.yaml';
const GATE = 'service.ask-removal';
const labDir = inject('labDir');

/** Where the database is to be, and what stands in the inventory's place for it. */
const VARIANTS = [
  { name: "to the service's machine", database: 'dwh' },
  { name: 'to a third machine', database: 'newdb' },
  { name: 'not at all', database: 'engine' },
] as const;

const freshHosts = () => labReset({ dir: labDir, say: () => undefined });

describe.each(VARIANTS)('moving the data warehouse, its database $name', ({ database }) => {
  const words = [RUNBOOK, '--role', `new_db=${database}`];
  let moved: MovedDwh;
  let run: ChapterRun;
  let points: string[] = [];
  beforeAll(async () => {
    moved = await MovedDwh.from(labDir, database);
  });
  afterEach(async () => {
    run.remove();
    await freshHosts();
  });

  it('stops at the gate before the old one is removed, goes on when that is approved, and finds all in its new place', async () => {
    run = new ChapterRun(labDir, words);
    await run.goesTo(GATE);
    await moved.isMoved();
    expect(await ask(labDir, 'engine', 'dpkg-query -W ovirt-engine-dwh')).toContain('4.5.9');
    await run.approve(GATE);
    await run.goesTo(null);
    points = crashPoints(run);
    await moved.isMoved();
    expect(await ask(labDir, 'engine', 'dpkg-query -W -f "\\${db:Status-Status}" ovirt-engine-dwh || :')).not.toBe('installed');
    // The package's own conf file is left to the package manager, Grafana's credentials to engine-setup.
    expect(await ask(labDir, 'engine', "find /etc/ovirt-engine-dwh -type f -printf '%f\\n' | sort")).toBe(
      '10-setup-grafana-database.conf\novirt-engine-dwhd.conf',
    );
    await run.leavesNothing();
  });

  it('goes back from the gate to what was', async () => {
    run = new ChapterRun(labDir, words);
    await run.goesTo(GATE);
    const back = await run.rollBack(['--discard-writes']);
    expect(back.code, back.stdout.slice(-3000) + back.stderr).toBe(4);
    expect(back.stdout).toContain(' 0 differ.');
    await moved.isBack();
    await run.leavesNothing();
  });

  it('ends the same when it is killed at three points taken by chance, and resumed each time', async () => {
    run = new ChapterRun(labDir, words, ['--yes']);
    for (const point of somePoints(points, 3)) await run.killAt(point);
    await run.goesTo(null);
    await moved.isMoved();
    await run.leavesNothing();
  });
});
