import { describe, expect, it } from 'vitest';
import { CELLS, cellsOf, moved } from '../kit/forked-run.ts';

describe('what a rollback leaves behind', () => {
  it('is on record with its reason, told, and worked off in one go once it is mended', async () => {
    const run = await moved((one) => {
      one.world.failOnce.add('right:restore');
      one.world.failOnce.add('left:restore');
    });
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({
      exit: 3,
      error: { code: 'UNDO_FAILED', message: expect.stringMatching(/^right on b, left on a could not .*before it: one\.$/) },
    });
    const { steps } = run.state;
    expect(['right', 'left', 'one'].map((id) => [steps.get(id)?.phase, steps.get(id)?.blockedBy])).toEqual([
      ['undo-failed', []],
      ['undo-failed', []],
      ['done', ['right', 'left']],
    ]);
    expect(run.events.filter((event) => event.type === 'undo.ended' && event.outcome !== 'ok')).toMatchObject([
      { step: 'right', outcome: 'failed', error: { hint: null } },
      { step: 'left', outcome: 'failed' },
      { step: 'one', outcome: 'blocked', waitsFor: ['right', 'left'] },
    ]);
    await expect(run.rollBack({ to: 'moved' })).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    const before = run.world.ran.length;
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.world.ran.slice(before).map((effect) => effect.split(':')[1])).toEqual([
      'right.undo.2',
      'left.undo.2',
      'one.undo.1',
    ]);
    expect(cellsOf(run)).toEqual({ ...CELLS, 'b/kept': 'rows' });
    expect([...run.state.steps.values()].flatMap(({ blockedBy }) => blockedBy)).toEqual([]);
  });

  it('stays as it is where another controller has taken the run', async () => {
    const run = await moved();
    run.world.takenOver.add('a');
    expect(await run.rollBack({ to: 'moved' })).toMatchObject({ error: { code: 'EPOCH_STALE' }, exit: 5 });
    expect(run.state.steps.get('start')?.phase).toBe('undone');
    const whole = await moved();
    whole.world.takenOver.add('a').add('b');
    await whole.rollBack({ discardWrites: true });
    expect(cellsOf(whole)['b/data']).toBe('rows');
    expect(whole.state.steps.get('data')?.blockedBy).toContain('beside');
  });

  it('begins no further undo once a person stops it, and goes on when told', async () => {
    const run = await moved();
    run.world.onPoll = undefined;
    run.stopAt = 'after-undo start';
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'paused', error: null, exit: 3 });
    expect(run.state.pause).toMatchObject({ reason: 'interrupt' });
    expect(run.world.cells.get('b/data')).toBe('rows');
    run.stopAt = null;
    run.answer = null;
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toEqual({ ...CELLS, 'b/kept': 'rows' });
  });
});
