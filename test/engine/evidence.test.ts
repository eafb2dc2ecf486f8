import { describe, expect, it } from 'vitest';
import { seeDoubts } from '../../src/engine/evidence.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/unit1': 'up', 'a/unit2': 'up' };
const units = () => new ModelRun(runbookOf([step('units', 'model.partial', { key: 'unit', value: 'down' })]), CELLS);
const halfDone = async () => {
  const run = units();
  run.world.loseOnce.add('units:set-unit2');
  await run.start();
  return run;
};
const half = {
  attempt: 1,
  verdict: 'partly',
  hosts: [
    {
      host: 'a',
      commands: [
        { name: 'set-unit1', state: 'exited', code: 0 },
        { name: 'set-unit2', state: 'lost', code: null },
      ],
    },
  ],
  facts: [
    { key: 'cell(unit1)', before: 'up', planned: 'down', now: 'down', stands: 'as-planned' },
    { key: 'cell(unit2)', before: 'up', planned: 'down', now: 'up', stands: 'as-before' },
  ],
};

describe('a step in doubt that is settled', () => {
  it('has the evidence on record and told, before anything is done about it', async () => {
    const run = await halfDone();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.events.find(({ type }) => type === 'step.settled')).toMatchObject({ step: 'units', host: 'a', ...half });
    const types = run.journal.read('r-model').flatMap((record) => (record.step === 'units' ? [record] : []));
    const settled = types.findIndex(({ type }) => type === 'step.settled');
    expect(types[settled]?.body).toMatchObject(half);
    expect(types.findIndex(({ type, body }) => type === 'step.intended' && body.attempt === 2)).toBeGreaterThan(settled);
  });

  it('is settled to the same end when the controller is killed at every crash point of it', async () => {
    const first = await halfDone();
    const before = first.passed.length;
    await first.resume();
    const points = first.passed.slice(before);
    expect(points).toContain('after-record step.settled:units');
    for (let point = 1; point <= points.length; point += 1) {
      const run = await halfDone();
      expect(await run.resume(point), points[point - 1]).toBe('died');
      if (run.state.phase !== 'finished' || run.state.leases.length > 0)
        expect(await run.resume(), points[point - 1]).toMatchObject({ outcome: 'finished' });
      expect(unsound(run), points[point - 1]).toEqual([]);
      expect(Object.fromEntries(run.world.cells)).toEqual({ 'a/unit1': 'down', 'a/unit2': 'down' });
      await run.rollBack();
      expect(Object.fromEntries(run.world.cells)).toEqual(CELLS);
    }
  });
});

describe('a look at steps in doubt', () => {
  it('tells the same without waiting, and changes nothing', async () => {
    const run = await halfDone();
    const records = run.journal.read('r-model').length;
    const ran = run.world.ran.length;
    let seen: unknown;
    await run.inContext(async (context) => {
      seen = await seeDoubts(context);
      return { outcome: 'paused', error: null, exit: 0 };
    });
    expect(seen).toMatchObject([{ step: 'units', host: 'a', ...half }]);
    expect(run.journal.read('r-model').length).toBe(records);
    expect(run.world.ran.length).toBe(ran);
  });

  it('says that a step is done whose facts are all as planned', async () => {
    const run = await halfDone();
    run.world.cells.set('a/unit2', 'down');
    await run.inContext(async (context) => {
      expect(await seeDoubts(context)).toMatchObject([{ verdict: 'done' }]);
      return { outcome: 'paused', error: null, exit: 0 };
    });
  });
});
