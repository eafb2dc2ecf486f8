import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const CELLS = { 'a/log': 'start.', 'a/conf': 'old' };
const send = step('send', 'model.detached', { key: 'log', value: 'x' });

describe('a step that is cancelled', () => {
  it('has its long command ended, goes on record as failed, and gets a new attempt from resume', async () => {
    const run = new ModelRun(runbookOf([send]), CELLS);
    run.world.onPoll = () => run.cancel.abort();
    expect(await run.start()).toMatchObject({ outcome: 'paused', exit: 3, error: { code: 'STEP_CANCELLED' } });
    expect(run.world.commands.attempts.get('a/r-model/send.1')?.get('work')?.state).toBe('lost');
    expect(run.state.steps.get('send')).toMatchObject({ phase: 'failed', error: { code: 'STEP_CANCELLED' } });
    expect(run.state.steps.get('send')?.error?.left).toContain('what undoes it is on record');
    expect(run.state).toMatchObject({ phase: 'paused', pause: { reason: 'interrupt', step: 'send' } });
    run.world.onPoll = undefined;
    run.cancel = new AbortController();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran.filter((effect) => effect.endsWith(':work'))).toEqual(['a:send.1:work', 'a:send.2:work']);
    expect(run.world.cells.get('a/log')).toBe('start.x');
  });

  it('can be taken back', async () => {
    const run = new ModelRun(runbookOf([send]), CELLS);
    run.world.onPoll = () => run.cancel.abort();
    await run.start();
    run.cancel = new AbortController();
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.world.cells.get('a/log')).toBe('start.');
  });

  it('is cancelled within its time as well, and not told as a timeout', async () => {
    const run = new ModelRun(runbookOf([{ ...send, timeoutMs: 60_000 }]), CELLS);
    run.world.onPoll = () => run.cancel.abort();
    expect(await run.start()).toMatchObject({ outcome: 'paused', error: { code: 'STEP_CANCELLED' } });
  });

  it('lets its short command come to its end, and begins none after it', async () => {
    const run = new ModelRun(runbookOf([step('units', 'model.partial', { key: 'conf', value: 'x' })]), CELLS);
    run.world.slowOnce.add('units:set-conf1');
    let isOver = false;
    const work = run.start().finally(() => (isOver = true));
    await expect.poll(() => run.world.ran).toEqual(['a:units.1:set-conf1']);
    run.cancel.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    run.world.letSlowEnd();
    expect(await work).toMatchObject({ outcome: 'paused', error: { code: 'STEP_CANCELLED' } });
    expect(run.world.ran).toEqual(['a:units.1:set-conf1']);
    run.cancel = new AbortController();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('whose host cannot be reached is in doubt: nothing is known to be ended', async () => {
    const run = new ModelRun(runbookOf([send]), CELLS);
    run.world.onPoll = () => {
      run.cancel.abort();
      run.world.away.add('a');
    };
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'HOST_UNREACHABLE' } });
    expect(run.events.findLast(({ type }) => type === 'step.ended')).toMatchObject({ outcome: 'unknown' });
    run.world.onPoll = undefined;
    run.world.away.clear();
    run.cancel = new AbortController();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran.filter((effect) => effect.endsWith(':work'))).toHaveLength(1);
  });
});
