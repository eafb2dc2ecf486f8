import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { ModelJournal } from '../kit/model-world.ts';
import { takeFrom } from '../kit/taking-over.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/conf': 'old', 'a/unit1': 'up', 'a/log': 'start.', 'b/conf': 'old', 'b/log': 'start.' };
const everyShape = () =>
  runbookOf(
    [
      step('conf', 'model.saving', { key: 'conf', value: 'new' }),
      step('units', 'model.partial', { key: 'unit', value: 'down' }),
      step('look', 'model.check', { key: 'conf' }),
      step('dump', 'model.detached', { key: 'log', value: 'x' }, { needs: ['look'] }),
      step('mail', 'model.once', { key: 'log', value: 'y' }, { role: 'b', needs: ['look'] }),
      step('ask', 'model.gate', { question: 'go on?' }, { needs: ['dump', 'mail'] }),
      step('line', 'model.line', {}, { role: 'b' }),
      step('start', 'model.atomic', { key: 'conf', value: 'new' }, { role: 'b' }),
    ],
    [{ name: 'quiet', afterStep: 2 }],
  );
const cellsOf = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());

/** Kills the controller at a crash point, loses its journal, and takes the run over from a host that has records; false when none has. */
async function lostAt(from: 'a' | 'b', began: (run: ModelRun) => Promise<unknown>): Promise<ModelRun | null> {
  const run = new ModelRun(everyShape(), CELLS);
  expect(await began(run)).toBe('died');
  if (!run.world.leases.has(from)) return null;
  const journal = new ModelJournal(run.world);
  await takeFrom(run, from, journal);
  run.journal = journal;
  return run;
}

describe('a controller lost with its disk at every crash point of a run', () => {
  it('is replaced by one that knows of it from the hosts, and comes to the same end with nothing done twice', async () => {
    const undisturbed = new ModelRun(everyShape(), CELLS);
    await undisturbed.start();
    const points = undisturbed.passed.length;
    expect(points).toBeGreaterThan(50);
    let rebuilt = 0;
    for (let point = 1; point <= points; point += 1) {
      const about = undisturbed.passed[point - 1];
      const run = await lostAt(point % 2 ? 'a' : 'b', (one) => one.start(point));
      if (!run) continue;
      rebuilt += 1;
      expect(await run.resume(), about).toMatchObject({ outcome: 'finished' });
      expect(cellsOf(run), about).toEqual(cellsOf(undisturbed));
      expect(unsound(run), about).toEqual([]);
      expect(run.world.leases.size, about).toBe(0);
    }
    expect(rebuilt).toBeGreaterThan(40);
  });

  it('can have its run taken back by the other', async () => {
    const undisturbed = new ModelRun(everyShape(), CELLS);
    await undisturbed.start();
    for (let point = 1; point <= undisturbed.passed.length; point += 1) {
      const about = undisturbed.passed[point - 1];
      const run = await lostAt(point % 2 ? 'b' : 'a', (one) => one.start(point));
      if (!run) continue;
      expect(await run.rollBack({ discardWrites: true }), about).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), about).toEqual(CELLS);
      expect(unsound(run), about).toEqual([]);
    }
  });

  it('is replaced in the middle of a rollback too', async () => {
    const first = new ModelRun(everyShape(), CELLS);
    await first.start();
    const before = first.passed.length;
    await first.rollBack({ discardWrites: true });
    const points = first.passed.length - before;
    for (let point = 1; point <= points; point += 1) {
      const about = first.passed[before + point - 1];
      const run = await lostAt('a', async (one) => {
        await one.start();
        return one.rollBack({ discardWrites: true }, point);
      });
      if (!run) continue;
      expect(await run.rollBack({ discardWrites: true }), about).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), about).toEqual(CELLS);
      expect(unsound(run), about).toEqual([]);
    }
  });
});
