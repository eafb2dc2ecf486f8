import { describe, expect, it } from 'vitest';
import { rollBackFailed } from '../../src/engine/rollback.ts';
import type { RunContext } from '../../src/engine/run-context.ts';
import { wayBack, withWrites, writtenSince } from '../../src/engine/way-back.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const set = (key: string, role: string) => step(`${key}-${role}`, 'model.atomic', { key, value: 'new' }, { role });
const CELLS = { 'a/one': 'old', 'b/two': 'old', 'a/three': 'old' };
const moved = () => new ModelRun(runbookOf([set('one', 'a'), set('two', 'b'), set('three', 'a')]), CELLS);
const cellsOf = ({ world }: ModelRun) => Object.fromEntries(world.cells);

describe('a rollback while a host is away', () => {
  it('takes back what is on the others, owes the rest on record, and works that off later with the proof', async () => {
    const run = moved();
    await run.start();
    run.world.away.add('b');
    expect(await run.rollBack()).toMatchObject({
      outcome: 'paused',
      exit: 3,
      error: { code: 'UNDO_OWED', left: '2 of 3 steps are undone.' },
    });
    expect(cellsOf(run)).toEqual({ ...CELLS, 'b/two': 'new' });
    expect(run.state.phase).toBe('rolling-back');
    expect([...run.state.steps.values()].map(({ phase }) => phase)).toEqual(['undone', 'owed', 'undone']);
    expect(run.state.proof).toBe(null);
    expect([...run.world.leases.keys()]).toEqual(['a']);

    run.world.away.clear();
    const before = run.world.ran.length;
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.world.ran.slice(before)).toEqual(['b:two-b.undo.1:restore']);
    expect(cellsOf(run)).toEqual(CELLS);
    expect(run.state.proof?.every(({ verdict }) => verdict === 'equal')).toBe(true);
    expect(run.world.leases.size).toBe(0);
  });

  it('that goes away in its middle is no reason to stop', async () => {
    const run = moved();
    await run.start();
    run.world.cutOnce.add('two-b:restore');
    expect(await run.rollBack()).toMatchObject({ error: { code: 'UNDO_OWED' } });
    expect(cellsOf(run)['a/one']).toBe('old');
    run.world.away.clear();
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toEqual(CELLS);
  });

  it('is refused when no host answers, and says that nothing was taken back', async () => {
    const run = moved();
    await run.start();
    run.world.away.add('a').add('b');
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'HOST_UNREACHABLE', left: 'Nothing was taken back.' });
    expect(run.state.phase).toBe('finished');
  });

  it('cannot count what was written there, and asks as if something was', async () => {
    const run = new ModelRun(runbookOf([set('one', 'a'), step('line', 'model.line', {}, { role: 'b' })]), CELLS);
    await run.start();
    run.world.away.add('b');
    run.answer = null;
    await expect(run.rollBack()).rejects.toMatchObject({
      code: 'WRITE_LINE_CROSSED',
      message: expect.stringContaining('cannot be counted'),
    });
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)['a/one']).toBe('old');
  });
});

describe('a rollback across the write line', () => {
  const crossed = () =>
    new ModelRun(
      runbookOf([
        step('data', 'model.keeping', { key: 'data', value: 'rows' }, { role: 'b' }),
        step('line', 'model.line', {}, { role: 'b' }),
        step('start', 'model.atomic', { key: 'unit', value: 'up' }),
      ]),
      { 'a/unit': 'down' },
    );

  it('takes nothing away under writers that it cannot stop', async () => {
    const run = crossed();
    await run.start();
    run.world.away.add('a');
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'paused', error: { code: 'UNDO_OWED' } });
    expect(run.state.steps.get('data')).toMatchObject({ phase: 'done', blockedBy: ['start'] });
    expect(run.world.cells.get('b/data')).toBe('rows');
    run.world.away.clear();
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toEqual({ 'a/unit': 'down', 'b/kept': 'rows' });
  });

  it('is gone on with after it was cut off, and looked at, although there is nothing to count any more', async () => {
    const undisturbed = crossed();
    await undisturbed.start();
    const began = undisturbed.passed.length;
    await undisturbed.rollBack({ discardWrites: true });
    const run = crossed();
    await run.start();
    await run.rollBack({ discardWrites: true }, undisturbed.passed.slice(began).indexOf('after-undo data') + 1);
    run.world.failCounting = true;
    await run.inContext(async (context) => {
      const way = await withWrites(context, wayBack(context, undefined));
      expect(way.writeLine && (await writtenSince(context, way.writeLine))).toEqual([
        expect.stringContaining('cannot be counted'),
      ]);
      return { outcome: 'paused', error: null, exit: 3 };
    });
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
  });
});

describe('a rollback that was cut off', () => {
  const cut = async (to: string | undefined, before: string) => {
    const make = () => new ModelRun(runbookOf([set('one', 'a'), set('two', 'b'), set('three', 'a')], CHECKPOINTS), CELLS);
    const undisturbed = make();
    await undisturbed.start();
    const began = undisturbed.passed.length;
    await undisturbed.rollBack({ ...(to ? { to } : {}) });
    const run = make();
    await run.start();
    const dieAt = undisturbed.passed.slice(began).indexOf(before) + 1;
    expect(dieAt).toBeGreaterThan(0);
    expect(await run.rollBack({ ...(to ? { to } : {}) }, dieAt)).toBe('died');
    return run;
  };
  const CHECKPOINTS = [
    { name: 'first', afterStep: 1 },
    { name: 'second', afterStep: 2 },
  ];

  it('is shown as the way it will go on', async () => {
    const run = await cut('first', 'before-undo two-b');
    expect((await run.preview()).map(({ step: id }) => id)).toEqual(['two-b']);
    await run.rollBack();
    expect(cellsOf(run)).toEqual({ ...CELLS, 'a/one': 'new' });
  });

  it('cannot go to a checkpoint it has gone past already', async () => {
    const run = await cut(undefined, 'before-undo one-a');
    await expect(run.rollBack({ to: 'second' })).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toEqual(CELLS);
  });
});

describe('a run that goes back by itself when it fails', () => {
  it('does not do so across the write line: it stays as its failure left it, and says why', async () => {
    const run = new ModelRun(
      runbookOf([
        set('one', 'a'),
        step('line', 'model.line', {}, { role: 'b' }),
        step('start', 'model.detached', { key: 'three', value: 'x' }),
      ]),
      CELLS,
    );
    run.world.failOnce.add('start:work');
    run.person = null;
    const failure = await run.start();
    if (failure === 'died') throw new Error('it died');
    const end = await run.inContext((context: RunContext) => rollBackFailed(context, failure));
    expect(end).toEqual(failure);
    expect(run.state.phase).toBe('paused');
    expect(run.events.at(-1)).toMatchObject({
      type: 'rollback.called-off',
      error: { message: expect.stringMatching(/^Not rolled back by itself: .*loses what they wrote/) },
    });
  });
});
