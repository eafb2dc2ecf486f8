import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadRunbook } from '../../src/runbook/load.ts';
import { modelGraph } from './model-graph.ts';
import { ModelRun } from './model-run.ts';
import { unsound } from './unsound.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
/** The cost of a matrix grows with the square of its steps: a long runbook gets a thinner sample, and fewer second deaths. */
const strideOf = (points: number) => (isWhole ? 1 : Math.max(4, Math.ceil(points / 30)));
const secondDeathsOf = (points: number) => (!isWhole ? 1 : points > 450 ? 2 : points > 130 ? 6 : 24);

const count = { points: 0, deaths: 0, reboots: 0, resumed: 0, rolledBack: 0, toCheckpoint: 0, lost: 0, doubled: 0, overlaps: 0 };

async function graphOf(file: string) {
  const loaded = await loadRunbook(join(PROJECT, file), { readFile: (path) => readFile(path), lint: false });
  if (!('runbook' in loaded)) throw new Error(`${file} does not load`);
  return modelGraph(loaded.runbook);
}

const sorted = (cells: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(cells).sort());
const cellsOf = (run: ModelRun) => sorted(Object.fromEntries(run.world.cells));

interface End {
  readonly cells: Readonly<Record<string, string>>;
  /** The commands that must have come to their end: `host:step:name`. */
  readonly commands: readonly string[];
}

/** Compares hosts with what they should be, and counts before it fails: a count of zero then says something. */
function expectHosts(run: ModelRun, wanted: End, what: string): void {
  const { overlaps, doubled, completed } = run.world.commands;
  const missing = wanted.commands.filter((one) => !completed.includes(one));
  count.overlaps += overlaps.length;
  count.doubled += doubled.length;
  if (missing.length > 0 || JSON.stringify(cellsOf(run)) !== JSON.stringify(wanted.cells)) count.lost += 1;
  expect(unsound(run), what).toEqual([]);
  expect(missing, what).toEqual([]);
  expect(cellsOf(run), what).toEqual(wanted.cells);
  expect(run.world.leases.size, what).toBe(0);
}

/** What is made new is kept when writers may have come after it. */
const keptOf = (run: ModelRun) => Object.fromEntries(Object.entries(cellsOf(run)).filter(([key]) => key.endsWith('/kept')));

/**
 * Tests that Ferry can die at every crash point of each runbook in a folder: on model hosts, resumed and rolled back, and prints
 * the counts. Each folder has a test file of its own, so that two cores share the work.
 */
export function crashMatrix(folder: 'runbooks' | 'examples'): void {
  const runbooks = readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `${folder}/${file}`);

  afterAll(() => {
    process.stdout.write(
      `crash matrix in memory${isWhole ? '' : ' (a sample; npm run test:crash does all)'}: ${runbooks.length} ${folder}, ${count.points} crash points, ${count.deaths} deaths of Ferry, ${count.reboots} of them with a reboot of a host at work: ${count.resumed} resumed, ${count.rolledBack} rolled back, ${count.toCheckpoint} back to a checkpoint and on; ${count.lost} lost, ${count.doubled} doubled, ${count.overlaps} at work beside what came after them\n`,
    );
  });

  describe.each(runbooks)('the graph of %s, Ferry killed at every crash point of every step', (file) => {
    it('is resumed to the state of an undisturbed run, and rolled back to the state from before', async () => {
      const { runbook, cells, addedOnce } = await graphOf(file);
      const before = sorted(cells);
      const undisturbed = new ModelRun(runbook, cells);
      expect(await undisturbed.start()).toMatchObject({ outcome: 'finished' });
      const { completed: commands } = undisturbed.world.commands;
      const after: End = { cells: cellsOf(undisturbed), commands };
      expect(after.cells).toMatchObject(addedOnce);
      expect(new Set(commands).size).toBe(commands.length);
      expect(unsound(undisturbed)).toEqual([]);
      expect(undisturbed.passed.length).toBeGreaterThan(runbook.steps.length);
      const stride = strideOf(undisturbed.passed.length);
      const secondDeaths = secondDeathsOf(undisturbed.passed.length);
      for (const [index, point] of undisturbed.passed.entries()) {
        if (index % stride !== 0) continue;
        count.points += 1;
        const dead = async () => {
          const run = new ModelRun(runbook, cells);
          expect(await run.start(index + 1), point).toBe('died');
          count.deaths += 1;
          return run;
        };
        const resumed = await dead();
        const busy = resumed.world.commands.busyHosts();
        expect(await resumed.resume(), point).toMatchObject({ outcome: 'finished' });
        expectHosts(resumed, after, point);
        count.resumed += 1;

        const back = await dead();
        expect(await back.rollBack({ discardWrites: true }), point).toMatchObject({ outcome: 'rolled-back' });
        expectHosts(back, { cells: sorted({ ...before, ...keptOf(back) }), commands: [] }, point);
        count.rolledBack += 1;

        const last = back.state.plan.checkpoints.length > 0 ? await dead() : null;
        const reached = last?.state.checkpoints.at(-1);
        if (last && reached !== undefined && last.state.phase !== 'finished') {
          expect(await last.rollBack({ to: reached, discardWrites: true }), point).toMatchObject({ outcome: 'rolled-back' });
          expect(await last.resume(undefined, undefined, true), point).toMatchObject({ outcome: 'finished' });
          expectHosts(last, { cells: sorted({ ...after.cells, ...keptOf(last) }), commands }, point);
          count.toCheckpoint += 1;
        }

        // What was at work when Ferry died: its host dies too, one after the other where there are more.
        for (const host of busy) {
          const rebooted = await dead();
          rebooted.world.commands.reboot(host);
          count.reboots += 1;
          expect(await rebooted.resume(), `${point}, ${host} rebooted`).toMatchObject({ outcome: 'finished' });
          expectHosts(rebooted, after, `${point}, ${host} rebooted`);
        }

        for (let second = 1; second <= secondDeaths; second += 1) {
          const twice = await dead();
          if ((await twice.resume(second)) === 'died') count.deaths += 1;
          if (twice.state.phase !== 'finished' || twice.state.leases.length > 0)
            expect(await twice.resume(), `${point}, then ${second}`).toMatchObject({ outcome: 'finished' });
          expectHosts(twice, after, `${point}, then ${second}`);
        }
      }
    });
  });
}
