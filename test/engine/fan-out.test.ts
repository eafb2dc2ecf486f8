import { describe, expect, it } from 'vitest';
import { decide } from '../../src/engine/decide.ts';
import { fanOutRun, onEach } from '../kit/model-fan-out.ts';
import type { ModelRun } from '../kit/model-run.ts';
import { step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const WORKERS = ['w1', 'w2', 'w3'];
const CELLS = {
  'a/conf': 'old',
  ...Object.fromEntries(
    WORKERS.flatMap((host) => [
      [`${host}/conf`, 'old'],
      [`${host}/log`, `${host}.`],
    ]),
  ),
};
const cellsOf = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());

/** A step before, three of them on three hosts, two at a time, and one after. */
const book = (undo: 'all' | 'host' = 'all') => [
  step('before', 'model.atomic', { key: 'conf', value: 'busy' }),
  onEach('stop', 'model.detached', { key: 'log', value: 'x' }, { concurrency: 2 }),
  onEach('conf', 'model.atomic', { key: 'conf', value: '=host.name' }, { concurrency: 2, undo }),
  onEach('see', 'model.check', { key: '=steps.conf.outputs[host.name].before == "old" ? "conf" : "other"' }),
  step('after', 'model.atomic', { key: 'conf', value: 'new' }),
];

describe('a step on many hosts', () => {
  it('is done on each, with what is known of that host', async () => {
    const run = fanOutRun(book(), CELLS);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(cellsOf(run)).toEqual({
      'a/conf': 'new',
      ...{ 'w1/conf': 'w1', 'w2/conf': 'w2', 'w3/conf': 'w3' },
      ...{ 'w1/log': 'w1.x', 'w2/log': 'w2.x', 'w3/log': 'w3.x' },
    });
    expect(run.state.steps.get('see@w2')?.outputs).toMatchObject({ value: 'w2' });
    expect(run.world.leases.size).toBe(0);
  });

  it('holds the lease of every one of them', async () => {
    const run = fanOutRun(book(), CELLS);
    const held: string[][] = [];
    run.world.onPoll = () => void held.push([...run.world.leases.keys()].sort());
    await run.start();
    expect(held[0]).toEqual(['a', 'w1', 'w2', 'w3']);
  });

  it('is under way on as many hosts at once as the runbook says, and on all without a word', async () => {
    const most = async (concurrency: number | null) => {
      const run = fanOutRun([onEach('stop', 'model.detached', { key: 'log', value: 'x' }, { concurrency })], CELLS);
      let highest = 0;
      run.world.onPoll = () => {
        const running = [...run.world.commands.attempts.values()]
          .flatMap((folder) => [...folder.values()])
          .filter(({ kind, state }) => kind === 'detached' && state === 'running');
        highest = Math.max(highest, running.length);
      };
      expect(await run.start()).toMatchObject({ outcome: 'finished' });
      return highest;
    };
    expect([await most(1), await most(2), await most(null)]).toEqual([1, 2, 3]);
  });

  it('begins nothing more after a failure on one of them, and what comes after waits for all', async () => {
    const run = fanOutRun(book(), CELLS);
    run.world.failOnce.add('stop@w1:work');
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_FAILED' } });
    expect(run.state.pause?.step).toBe('stop@w1');
    expect(run.state.steps.get('stop@w2')?.phase).toBe('done');
    expect(run.state.steps.get('stop@w3')?.phase).toBe('waiting');
    expect(run.state.steps.get('conf@w2')?.phase).toBe('waiting');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(cellsOf(run)).toMatchObject({ 'w1/log': 'w1.x', 'w2/log': 'w2.x', 'w3/log': 'w3.x', 'a/conf': 'new' });
    expect(run.world.ran.filter((effect) => effect.includes('work')).sort()).toEqual([
      ...['w1:stop@w1.1:work', 'w1:stop@w1.2:work', 'w2:stop@w2.1:work', 'w3:stop@w3.1:work'],
    ]);
  });

  it('counts those that were begun before among those under way', async () => {
    const run = fanOutRun([onEach('stop', 'model.detached', { key: 'log', value: 'x' }, { concurrency: 2 })], CELLS);
    run.world.loseOnce.add('stop@w3:work');
    run.world.loseOnce.add('stop@w1:work');
    await run.start();
    const { state } = run;
    // As after a crash with another order of the hosts: w3 was begun.
    (state.steps.get('stop@w3') as { phase: string }).phase = 'doubt';
    expect(decide(state, run.runbook, undefined).ready.map(({ id }) => id)).toEqual(['stop@w1', 'stop@w3']);
    (state.steps.get('stop@w1') as { phase: string }).phase = 'waiting';
    expect(decide(state, run.runbook, undefined).ready.map(({ id }) => id)).toEqual(['stop@w1', 'stop@w3']);
    (state.steps.get('stop@w2') as { phase: string }).phase = 'doubt';
    expect(decide(state, run.runbook, undefined).ready.map(({ id }) => id)).toEqual(['stop@w2', 'stop@w3']);
  });
});

describe('a controller killed at every crash point of a run on many hosts', () => {
  it('is resumed to the state of an undisturbed run, or taken back, with nothing done twice', async () => {
    const undisturbed = fanOutRun(book(), CELLS);
    await undisturbed.start();
    const { passed } = undisturbed;
    expect(passed.length).toBeGreaterThan(80);
    for (let point = 1; point <= passed.length; point += 1) {
      const run = fanOutRun(book(), CELLS);
      expect(await run.start(point), passed[point - 1]).toBe('died');
      const back = fanOutRun(book(), CELLS);
      await back.start(point);
      expect(await run.resume(), passed[point - 1]).toMatchObject({ outcome: 'finished' });
      expect(cellsOf(run), passed[point - 1]).toEqual(cellsOf(undisturbed));
      expect(unsound(run)).toEqual([]);
      expect(await back.rollBack(), passed[point - 1]).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(back), passed[point - 1]).toEqual(CELLS);
      expect(run.world.leases.size + back.world.leases.size).toBe(0);
    }
  });
});

describe('a rollback of steps on many hosts', () => {
  const rolled = async (undo: 'all' | 'host', disturb: (run: ModelRun) => unknown) => {
    const run = fanOutRun(book(undo), CELLS);
    await run.start();
    disturb(run);
    const end = await run.rollBack();
    return { run, end, cells: cellsOf(run) };
  };
  const goneOn = async (run: ModelRun) => {
    run.world.away.clear();
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cellsOf(run)).toEqual(CELLS);
  };

  it('undoes nothing that comes before a step, on any host, until the step is undone on all', async () => {
    const { run, end, cells } = await rolled('all', ({ world }) => world.failOnce.add('conf@w2:restore'));
    expect(end).toMatchObject({ outcome: 'paused', error: { code: 'UNDO_FAILED' } });
    expect(cells).toMatchObject({ 'w1/conf': 'old', 'w2/conf': 'w2', 'w3/conf': 'old', 'a/conf': 'busy' });
    expect(cells).toMatchObject({ 'w1/log': 'w1.x', 'w2/log': 'w2.x', 'w3/log': 'w3.x' });
    await goneOn(run);
  });

  it('waits so for a host that is away, too', async () => {
    const { run, end, cells } = await rolled('all', ({ world }) => world.away.add('w2'));
    expect(end).toMatchObject({ outcome: 'paused' });
    expect(cells).toMatchObject({ 'w1/conf': 'old', 'w3/conf': 'old', 'a/conf': 'busy', 'w1/log': 'w1.x', 'w3/log': 'w3.x' });
    await goneOn(run);
  });

  it('goes back on each host by itself where the runbook says so, when one of them fails', async () => {
    const { run, end, cells } = await rolled('host', ({ world }) => world.failOnce.add('conf@w2:restore'));
    expect(end).toMatchObject({ outcome: 'paused', error: { code: 'UNDO_FAILED' } });
    expect(cells).toMatchObject({ 'w1/log': 'w1.', 'w2/log': 'w2.x', 'w3/log': 'w3.', 'w2/conf': 'w2', 'a/conf': 'busy' });
    await goneOn(run);
  });

  it('and when one of them is away', async () => {
    const { run, end, cells } = await rolled('host', ({ world }) => world.away.add('w2'));
    expect(end).toMatchObject({ outcome: 'paused', error: { code: 'UNDO_OWED' } });
    expect(cells).toMatchObject({ 'w1/log': 'w1.', 'w3/log': 'w3.', 'w2/log': 'w2.x', 'w2/conf': 'w2' });
    await goneOn(run);
  });

  it('undoes on no more hosts at once than it was done on', async () => {
    const run = fanOutRun([onEach('conf', 'model.atomic', { key: 'conf', value: 'new' }, { concurrency: 1 })], CELLS);
    await run.start();
    const began = run.events.length;
    await run.rollBack();
    const undos = run.events.slice(began).flatMap((event) => (event.type.startsWith('undo.') ? [event.type] : []));
    expect(undos).toEqual(['undo.started', 'undo.ended', 'undo.started', 'undo.ended', 'undo.started', 'undo.ended']);
  });

  it('goes on when it was killed at any point', async () => {
    const whole = fanOutRun(book('host'), CELLS);
    await whole.start();
    const before = whole.passed.length;
    await whole.rollBack();
    const points = whole.passed.length - before;
    expect(points).toBeGreaterThan(30);
    for (let point = 1; point <= points; point += 1) {
      const run = fanOutRun(book('host'), CELLS);
      await run.start();
      expect(await run.rollBack({}, point)).toBe('died');
      if (run.state.phase !== 'rolled-back') expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), whole.passed[before + point - 1]).toEqual(CELLS);
      expect(unsound(run)).toEqual([]);
    }
  });
});
