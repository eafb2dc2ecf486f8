import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

/** How often what must not be done twice was done. */
const done = ({ world }: ModelRun) => world.ran.filter((effect) => /:(work|add)$/.test(effect));

const CELLS = { 'a/log': 'start.', 'a/conf': 'old' };

describe('a link that is cut while a command runs', () => {
  it.each([
    ['a long one that ended well', step('send', 'model.detached', { key: 'log', value: 'x' }), 'send:work'],
    ['a short one that ended well', step('send', 'model.once', { key: 'log', value: 'x' }), 'send:add'],
  ])('%s is not run again by resume, however long the link was away', async (_, one, effect) => {
    const run = new ModelRun(runbookOf([one]), CELLS);
    run.world.cutOnce.add(effect);
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'HOST_UNREACHABLE' } });
    expect(run.events.findLast(({ type }) => type === 'step.ended')).toMatchObject({ outcome: 'unknown' });
    // A resume that finds the host still away must not forget that nobody knows how the step ended.
    expect(await run.resume()).toMatchObject({ error: { code: 'HOST_UNREACHABLE' } });
    run.world.away.clear();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(done(run)).toHaveLength(1);
    expect(run.world.cells.get('a/log')).toBe('start.x');
  });

  it('a step on record as applied is verified, not applied again', async () => {
    const run = new ModelRun(runbookOf([step('send', 'model.detached', { key: 'log', value: 'x' })]), CELLS);
    const append = run.journal.append.bind(run.journal);
    run.journal.append = (id, record) => {
      if (record.type === 'step.applied') run.world.away.add('a');
      return append(id, record);
    };
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'HOST_UNREACHABLE' } });
    run.journal.append = append;
    run.world.away.clear();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(done(run)).toHaveLength(1);
  });

  it('a step that failed for a reason of its own gets a new attempt', async () => {
    const run = new ModelRun(runbookOf([step('send', 'model.detached', { key: 'log', value: 'x' })]), CELLS);
    run.world.failOnce.add('send:work');
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_FAILED' } });
    expect(run.state.steps.get('send')?.phase).toBe('failed');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(done(run)).toEqual(['a:send.1:work', 'a:send.2:work']);
  });
});

describe('a short command that takes longer than its step may', () => {
  it('is waited for no longer, nothing is begun after it, and resume finds what it did', async () => {
    const run = new ModelRun(
      runbookOf([{ ...step('units', 'model.partial', { key: 'conf', value: 'x' }), timeoutMs: 20 }]),
      CELLS,
    );
    run.world.slowOnce.add('units:set-conf1');
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'STEP_TIMEOUT' } });
    run.world.letSlowEnd();
    await new Promise((resolve) => setImmediate(resolve));
    expect(run.world.ran).toEqual(['a:units.1:set-conf1']);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/conf2')).toBe('x');
  });
});

describe('the limit of a step', () => {
  it.each([30 * 86_400_000, 60_000.5])('of %d ms does not end it before its time', async (timeoutMs) => {
    const run = new ModelRun(runbookOf([{ ...step('units', 'model.partial', { key: 'conf', value: 'x' }), timeoutMs }]), CELLS);
    run.world.slowOnce.add('units:set-conf1');
    const ended = run.start();
    // A timer that Node takes for too long ends after 1 ms; so two timers, one after the other, come after it.
    for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    run.world.letSlowEnd();
    expect(await ended).toMatchObject({ outcome: 'finished' });
  });

  it('is listened to by nobody once the step has ended, so that the run can leave the memory', async () => {
    const signals: AbortSignal[] = [];
    const known = modelActions.get('model.atomic');
    const watched: Action = {
      ...known,
      apply: async (acting) => {
        signals.push(acting.ctx.signal);
        return known?.apply?.(acting);
      },
    } as Action;
    const run = new ModelRun(runbookOf([step('edit', 'model.atomic', { key: 'conf', value: 'x' })]), CELLS);
    run.actions = new Map([...modelActions, ['model.atomic', watched]]);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(signals.map((signal) => getEventListeners(signal, 'abort').length)).toEqual([0]);
  });
});

describe('a question before a change', () => {
  it('is asked before the facts are read that the change rests on, for its answer may take hours', async () => {
    const run = new ModelRun(
      runbookOf([step('edit', 'model.atomic', { key: 'conf', value: 'new' }, { confirm: 'Change it?' })]),
      CELLS,
    );
    run.whileAsked = () => run.world.cells.set('a/conf', 'edited by hand');
    run.person = null;
    expect(await run.start()).toMatchObject({ error: { code: 'FACT_DRIFTED' } });
    expect(run.world.cells.get('a/conf')).toBe('edited by hand');
  });

  it('is followed by a plan on what is there then, when a person takes that for good', async () => {
    const run = new ModelRun(
      runbookOf([step('edit', 'model.atomic', { key: 'conf', value: 'new' }, { confirm: 'Change it?' })]),
      CELLS,
    );
    run.whileAsked = () => run.world.cells.set('a/conf', 'edited by hand');
    run.person = true;
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/conf')).toBe('new');
    await run.rollBack();
    expect(run.world.cells.get('a/conf')).toBe('edited by hand');
  });

  it('is asked once', async () => {
    const run = new ModelRun(
      runbookOf([step('edit', 'model.atomic', { key: 'conf', value: 'new' }, { confirm: 'Change it?' })]),
      CELLS,
    );
    let asked = 0;
    run.whileAsked = () => (asked += 1);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(asked).toBe(1);
  });
});
