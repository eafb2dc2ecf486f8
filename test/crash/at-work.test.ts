import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/conf': 'old', 'a/pipe': 'before.', 'b/pipe': 'before.', 'a/log': 'start.', 'b/packages': 'there.' };

/** Commands of every life: short ones, one that lasts, one that lasts both ways, and two at once on two hosts. */
const longOnes = () =>
  runbookOf([
    step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
    step('dump', 'model.detached', { key: 'log', value: 'x' }),
    step('stream', 'model.stream', { key: 'pipe', value: 'rows', with: 'b' }),
    step('remove', 'model.lengthy', { key: 'packages', value: 'gone' }, { role: 'b' }),
  ]);
const AFTER = { 'a/conf': 'new', 'a/pipe': 'begun.rows', 'b/pipe': 'begun.rows', 'a/log': 'start.x', 'b/packages': 'there.gone' };

const cellsOf = (run: ModelRun) => Object.fromEntries(run.world.cells);

async function startedRun(): Promise<ModelRun> {
  const run = new ModelRun(longOnes(), CELLS);
  expect(await run.start()).toMatchObject({ outcome: 'finished' });
  expect(cellsOf(run)).toEqual(AFTER);
  expect(unsound(run)).toEqual([]);
  return run;
}

/** A run whose controller died at each of its crash points at which commands are at work, with the hosts they are on. */
async function atWork(began: (run: ModelRun, point: number) => Promise<unknown>, points: readonly string[]) {
  const found: { about: string; point: number; hosts: readonly string[] }[] = [];
  for (const [index, about] of points.entries()) {
    const run = new ModelRun(longOnes(), CELLS);
    await began(run, index + 1);
    const hosts = run.world.commands.busyHosts();
    if (hosts.length > 0) found.push({ about, point: index + 1, hosts });
  }
  return found;
}

describe('a controller that dies while commands are at work, which do not hear of it', () => {
  const begin = (run: ModelRun, point: number) => run.start(point);
  const died = async (point: number) => {
    const run = new ModelRun(longOnes(), CELLS);
    expect(await begin(run, point)).toBe('died');
    return run;
  };

  it('finds them again: each is done once, and comes to its end before anything follows it', async () => {
    const { passed } = await startedRun();
    const points = await atWork(begin, passed);
    expect(new Set(points.map(({ about }) => about))).toEqual(new Set(passed.filter((point) => point.startsWith('in-effect'))));
    expect(points.some(({ hosts }) => hosts.length === 2)).toBe(true);
    for (const { about, point } of points) {
      const run = await died(point);
      expect(await run.resume(), about).toMatchObject({ outcome: 'finished' });
      expect(cellsOf(run), about).toEqual(AFTER);
      expect(unsound(run), about).toEqual([]);
    }
  });

  it('ends what is left of an attempt before it makes another, when a host has died with its part', async () => {
    const { passed } = await startedRun();
    let again = 0;
    for (const { about, point, hosts } of await atWork(begin, passed)) {
      for (const host of hosts) {
        const run = await died(point);
        run.world.commands.reboot(host);
        expect(await run.resume(), `${about}, ${host}`).toMatchObject({ outcome: 'finished' });
        expect(cellsOf(run), `${about}, ${host}`).toEqual(AFTER);
        expect(unsound(run), `${about}, ${host}`).toEqual([]);
        again += run.world.ran.filter((one) => one.includes('stream.2:work')).length;
      }
    }
    expect(again).toBeGreaterThan(2);
  });

  it('ends what lasts before it takes it back, and waits for what does not', async () => {
    const { passed } = await startedRun();
    for (const { about, point } of await atWork(begin, passed)) {
      const run = await died(point);
      expect(await run.rollBack(), about).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), about).toEqual(CELLS);
      expect(unsound(run), about).toEqual([]);
    }
  });

  it('waits for an undo that is at work before it begins that undo again', async () => {
    const whole = await startedRun();
    const earlier = whole.passed.length;
    expect(await whole.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    const begun = async (run: ModelRun, point: number) => {
      await run.start();
      return run.rollBack({}, point);
    };
    const all = whole.passed.slice(earlier);
    const points = await atWork(begun, all);
    expect(new Set(points.map(({ about }) => about))).toEqual(new Set(all.filter((point) => point.startsWith('in-effect'))));
    for (const { about, point, hosts } of points) {
      for (const host of [null, ...hosts]) {
        const run = await startedRun();
        expect(await run.rollBack({}, point), about).toBe('died');
        if (host !== null) run.world.commands.reboot(host);
        expect(await run.rollBack(), `${about}, ${host}`).toMatchObject({ outcome: 'rolled-back' });
        expect(cellsOf(run), `${about}, ${host}`).toEqual(CELLS);
        expect(unsound(run), `${about}, ${host}`).toEqual([]);
      }
    }
  });
});

describe('a command at work when its host puts back what it guards', () => {
  it('is over before the step is done anew', async () => {
    const deadMan = { afterMs: 1000, reload: null };
    const run = new ModelRun(runbookOf([step('door', 'model.guarded-long', { key: 'door', value: 'ajar' }, { deadMan })]), {
      'a/door': 'open',
    });
    // So long that it is still there when all else is done.
    run.world.commands.detachedPolls = 50;
    expect(await run.start('in-effect door:set')).toBe('died');
    for (const armed of run.world.deadMen.values()) armed.fire();
    expect(await run.resume()).toMatchObject({ error: { code: 'DEAD_MAN_REVERTED' } });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran).toEqual(['a:door.1:set', 'a:door.2:set']);
    expect(unsound(run)).toEqual([]);
  });
});
