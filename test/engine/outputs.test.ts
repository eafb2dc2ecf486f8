import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

describe('what a step hands on', () => {
  const atomic = modelActions.get('model.atomic') as Action;
  /** Tells at the end what its plan had foreseen otherwise. */
  const telling: Action = {
    ...atomic,
    async apply(acting) {
      await atomic.apply?.(acting);
      return { before: `told in attempt ${acting.ctx.attempt}` };
    },
  };
  const begun = () => {
    const book = runbookOf(
      [step('conf', 'model.atomic', { key: 'conf', value: 'new' }), step('last', 'model.atomic', { key: 'last', value: 'new' })],
      [{ name: 'start', afterStep: 0 }],
    );
    const run = new ModelRun(book, { 'a/conf': 'old' });
    run.actions = new Map([...modelActions, ['model.atomic', telling]]);
    return run;
  };
  const handedOn = (run: ModelRun) => run.state.steps.get('conf')?.outputs;

  it('is what it told at the end, also when it is done again after it was taken back', async () => {
    const run = begun();
    run.world.failOnce.add('last:set');
    await run.start();
    expect(handedOn(run)).toEqual({ before: 'told in attempt 1' });
    await run.rollBack({ to: 'start' });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(handedOn(run)).toEqual({ before: 'told in attempt 2' });
  });

  it('is what the first attempt promised, when a later one of the same go saw what that had changed', async () => {
    const run = begun();
    run.world.loseOnce.add('conf:set');
    await run.start();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.state.steps.get('conf')?.attempt).toBe(2);
    expect(handedOn(run)).toEqual({ before: 'old' });
  });

  it('is the same when a later attempt is joined after a crash', async () => {
    const once = modelActions.get('model.once') as Action;
    const mailing: Action = {
      ...once,
      plan(params, facts, site) {
        const planned = once.plan(params, facts, site);
        return planned.kind === 'change' ? { ...planned, outputs: { before: 'promised' } } : planned;
      },
      async apply(acting) {
        await once.apply?.(acting);
        return { before: `told in attempt ${acting.ctx.attempt}` };
      },
    };
    const run = new ModelRun(runbookOf([step('conf', 'model.once', { key: 'log', value: 'x' })]));
    run.actions = new Map([...modelActions, ['model.once', mailing]]);
    run.world.loseOnce.add('conf:add');
    await run.start();
    expect(await run.resume('after-apply conf')).toBe('died');
    expect(run.state.steps.get('conf')).toMatchObject({ phase: 'doubt', attempt: 2 });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran).toEqual(['a:conf.1:add', 'a:conf.2:add']);
    expect(handedOn(run)).toEqual({ before: 'promised' });
  });
});
