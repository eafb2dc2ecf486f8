import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/door': 'open', 'a/log': 'start.' };
const deadMan = { afterMs: 120_000, reload: 'add log reload.' };
const book = (value: string, uses = 'model.guarded') =>
  runbookOf([
    step('before', 'model.atomic', { key: 'one', value: 'new' }),
    step('door', uses, { key: 'door', value }, { deadMan }),
    step('after', 'model.atomic', { key: 'two', value: 'new' }),
  ]);
const cellsOf = ({ world }: ModelRun) => Object.fromEntries([...world.cells].sort());
const stepRecords = (run: ModelRun) =>
  run.journal
    .read('r-model')
    .filter((record) => record.step === 'door')
    .map(({ type }) => type);
const switches = ({ world }: ModelRun) => [...world.deadMen.values()].map(({ state }) => state);

describe('a step with a dead-man switch', () => {
  it('is armed before anything is applied, and confirmed by a login of its own once it shows its effect', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(stepRecords(run)).toEqual([
      ...['step.intended', 'step.kept', 'dead-man.armed', 'step.applied', 'dead-man.confirmed', 'step.verified'],
    ]);
    expect(run.world.logins).toBe(1);
    expect(switches(run)).toEqual(['confirmed']);
    expect(run.state.steps.get('door')?.putBackAt).toBe(null);
    expect(run.state.plan.lines[1]?.notes).toEqual(['put back by the host itself after 2 min, unless Ferry can log in anew']);
  });

  it('that shuts Ferry out is put back by its host; the run says so, and goes on or back as if it had not been', async () => {
    const run = new ModelRun(book('shut'), CELLS);
    expect(await run.start()).toMatchObject({
      outcome: 'failed',
      error: { code: 'DEAD_MAN_REVERTED', left: 'What step door changes on a is as it was before.' },
    });
    expect(cellsOf(run)).toMatchObject({ 'a/door': 'open', 'a/log': 'start.reload.' });
    expect(stepRecords(run).slice(-3)).toEqual(['step.applied', 'dead-man.reverted', 'step.failed']);
    // The second time with its own switch, and the same bytes to put back.
    expect(await run.resume()).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(switches(run)).toEqual(['reverted', 'reverted']);
    run.world.cells.set('a/log', 'start.');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cellsOf(run)).toEqual(CELLS);
    expect(run.state.proof?.every(({ verdict }) => verdict === 'equal')).toBe(true);
  });

  it('that shuts out new logins alone is put back at once, over the connection that is still open', async () => {
    const run = new ModelRun(book('locked'), CELLS);
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(cellsOf(run)).toMatchObject({ 'a/door': 'open', 'a/log': 'start.reload.' });
    expect(switches(run)).toEqual(['reverted']);
  });

  it('that fails is put back at once, so that nothing comes back later by itself', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    run.world.failOnce.add('door:set');
    expect(await run.start()).toMatchObject({
      outcome: 'failed',
      error: { code: 'COMMAND_FAILED', left: 'a has put back what step door changed: the old file is there.' },
    });
    expect(switches(run)).toEqual(['reverted']);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/door')).toBe('ajar');
    expect(switches(run)).toEqual(['reverted', 'confirmed']);
  });

  it('of which Ferry loses sight is left to its host, and told by resume', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    run.world.cutOnce.add('door:set');
    const waits = run.start();
    // The link comes back, and the host has waited in vain.
    setTimeout(() => {
      for (const { fire } of run.world.deadMen.values()) fire();
      run.world.away.clear();
    }, 50);
    expect(await waits).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(run.world.cells.get('a/door')).toBe('open');
  });

  it.each(['ajar', 'locked'])('changes nothing (%s) once its host has put it back, however late it comes', async (value) => {
    const run = new ModelRun(book(value), CELLS);
    const guarded = modelActions.get('model.guarded') as Action;
    const late: Action = {
      ...guarded,
      async apply(acting) {
        // The link was cut after the switch was armed, and is there again.
        for (const { fire } of run.world.deadMen.values()) fire();
        await guarded.apply?.(acting);
        return undefined;
      },
    };
    run.actions = new Map([...modelActions, ['model.guarded', late]]);
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(cellsOf(run)).toMatchObject({ 'a/door': 'open', 'a/log': 'start.reload.' });
    expect(stepRecords(run).slice(-3)).toEqual(['dead-man.armed', 'dead-man.reverted', 'step.failed']);
    run.actions = modelActions;
    const resumed = await run.resume();
    if (value === 'ajar') expect(resumed).toMatchObject({ outcome: 'finished' });
    else expect(resumed).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(switches(run)).toEqual(['reverted', value === 'ajar' ? 'confirmed' : 'reverted']);
    expect(run.world.cells.get('a/door')).toBe(value === 'ajar' ? 'ajar' : 'open');
  });

  it('that was put back, and is found done, is proven by a login of its own before it counts as such', async () => {
    const putBack = async (by: string) => {
      const run = new ModelRun(book(by), CELLS);
      run.world.failOnce.add('door:set');
      await run.start();
      expect(switches(run)).toEqual(['reverted']);
      run.world.cells.set('a/door', by);
      return run;
    };
    const good = await putBack('ajar');
    expect(await good.resume()).toMatchObject({ outcome: 'finished' });
    expect(good.world.logins).toBe(1);
    const bad = await putBack('locked');
    expect(await bad.resume()).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(stepRecords(bad)).not.toContain('step.verified');
    expect(bad.world.cells.get('a/door')).toBe('open');
  });

  it('that cannot be armed is not begun', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    run.world.noTimer = true;
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_UNARMED' } });
    expect(run.world.ran).toEqual(['a:before.1:set']);
    run.world.noTimer = false;
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('is blocked in the plan when it keeps nothing that could be put back', async () => {
    const run = new ModelRun(book('ajar', 'model.atomic'), CELLS);
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'STEP_BLOCKED' } });
  });
});

describe('a guarded step that a person decides about', () => {
  /** Applied, and nobody has logged in anew yet. */
  const applied = async (value = 'ajar') => {
    const run = new ModelRun(book(value), CELLS);
    expect(await run.start('after-apply door')).toBe('died');
    return run;
  };
  const markDone = (run: ModelRun, dieAt?: number) => run.resume(dieAt, undefined, false, { markDone: 'door' });
  const skip = (run: ModelRun, dieAt?: number) =>
    run.resume(dieAt, undefined, false, { skip: { step: 'door', reason: 'not today' } });
  /** The time of every switch is over. */
  const wait = (run: ModelRun) => {
    for (const { fire } of run.world.deadMen.values()) fire();
  };

  it('is marked done once Ferry can log in anew, and nothing is put back later', async () => {
    const run = await applied();
    expect(await markDone(run)).toMatchObject({ outcome: 'finished' });
    expect(run.world.logins).toBe(1);
    expect(switches(run)).toEqual(['confirmed']);
    expect(stepRecords(run).slice(-2)).toEqual(['dead-man.confirmed', 'step.marked-done']);
    wait(run);
    expect(run.world.cells.get('a/door')).toBe('ajar');
    expect(run.state.steps.get('door')?.putBackAt).toBe(null);
  });

  it('is not marked done where it shuts out new logins: it is put back at once', async () => {
    const run = await applied('locked');
    expect(await markDone(run)).toMatchObject({ outcome: 'refused', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(run.world.cells.get('a/door')).toBe('open');
    expect(switches(run)).toEqual(['reverted']);
  });

  it('is not marked done on facts that its host puts back while they are looked at', async () => {
    const run = await applied();
    const read = run.world.read.bind(run.world);
    run.world.read = async (host, refs) => {
      const found = await read(host, refs);
      wait(run);
      return found;
    };
    expect(await markDone(run)).toMatchObject({ outcome: 'refused', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(run.state.steps.get('door')?.byHand).toBe(null);
  });

  it('is marked done after it was put back, when somebody has then done it by hand', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    run.world.failOnce.add('door:set');
    await run.start();
    expect(switches(run)).toEqual(['reverted']);
    run.world.cells.set('a/door', 'ajar');
    expect(await markDone(run)).toMatchObject({ outcome: 'finished' });
    expect(run.world.logins).toBe(1);
    expect(run.world.cells.get('a/door')).toBe('ajar');
  });

  it('is not marked done by hand either where that shuts out new logins', async () => {
    const run = new ModelRun(book('locked'), CELLS);
    run.world.failOnce.add('door:set');
    await run.start();
    run.world.cells.set('a/door', 'locked');
    expect(await markDone(run)).toMatchObject({ outcome: 'refused', error: { code: 'DEAD_MAN_REVERTED' } });
    expect(run.world.cells.get('a/door')).toBe('open');
    expect(run.state.steps.get('door')?.byHand).toBe(null);
  });

  it('is marked done in the dialogue after its time was over, which leaves the switch to its host', async () => {
    const doors = book('ajar');
    const run = new ModelRun(
      { ...doors, steps: doors.steps.map((one) => (one.id === 'door' ? { ...one, timeoutMs: 20 } : one)) },
      CELLS,
    );
    run.world.slowOnce.add('door:set');
    run.failureAnswers.push({ answer: 'mark-done' });
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.asked).toMatchObject([{ error: { code: 'STEP_TIMEOUT' }, refusal: null }]);
    expect(switches(run)).toEqual(['confirmed']);
    run.world.letSlowEnd();
  });

  it('is put back before it is skipped, not after the run has ended', async () => {
    const run = await applied();
    expect(await skip(run)).toMatchObject({ outcome: 'finished' });
    expect(switches(run)).toEqual(['reverted']);
    expect(run.world.cells.get('a/door')).toBe('open');
    expect(stepRecords(run).slice(-2)).toEqual(['dead-man.reverted', 'step.skipped']);
    expect(run.state.steps.get('door')).toMatchObject({ phase: 'skipped', putBackAt: null });
    run.world.cells.set('a/log', 'start.');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cellsOf(run)).toEqual(CELLS);
  });

  it('waits for nothing when its host had put it back before it was skipped', async () => {
    const run = await applied();
    wait(run);
    expect(await skip(run)).toMatchObject({ outcome: 'finished' });
    expect(run.state.steps.get('door')).toMatchObject({ phase: 'skipped', putBackAt: null });
  });

  it('is put back when it is cancelled, and done by the next resume', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    const guarded = modelActions.get('model.guarded') as Action;
    const inTwo: Action = {
      ...guarded,
      async apply(acting) {
        await guarded.apply?.(acting);
        await guarded.apply?.({ ...acting, on: { ...acting.on, change: (_name, script) => acting.on.change('again', script) } });
        return undefined;
      },
    };
    run.actions = new Map([...modelActions, ['model.guarded', inTwo]]);
    run.world.slowOnce.add('door:set');
    const started = run.start();
    await expect.poll(() => run.world.ran).toContain('a:door.1:set');
    run.cancel.abort();
    run.world.letSlowEnd();
    expect(await started).toMatchObject({ outcome: 'paused', error: { code: 'STEP_CANCELLED' } });
    expect(run.world.ran).not.toContain('a:door.1:again');
    expect(switches(run)).toEqual(['reverted']);
    expect(run.world.cells.get('a/door')).toBe('open');
    run.cancel = new AbortController();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(switches(run)).toEqual(['reverted', 'confirmed']);
  });

  it('is put back when Ferry itself goes wrong in it', async () => {
    const run = new ModelRun(book('ajar'), CELLS);
    const guarded = modelActions.get('model.guarded') as Action;
    const broken: Action = {
      ...guarded,
      async apply(acting) {
        await guarded.apply?.(acting);
        throw new TypeError('no such property');
      },
    };
    run.actions = new Map([...modelActions, ['model.guarded', broken]]);
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'INTERNAL' } });
    expect(switches(run)).toEqual(['reverted']);
    expect(run.state.steps.get('door')?.putBackAt).toBe(null);
  });

  it.each([
    ['marked done', markDone],
    ['skipped', skip],
  ])('is %s, and killed at every crash point of that, with nothing left that waits', async (_what, decide) => {
    const first = await applied();
    const before = first.passed.length;
    await decide(first);
    const points = first.passed.slice(before);
    expect(points.length).toBeGreaterThan(10);
    for (const [index, name] of points.entries()) {
      const run = await applied();
      expect(await decide(run, index + 1), name).toBe('died');
      const { phase, leases, steps } = run.state;
      const isDecided = steps.get('door')?.byHand !== null;
      if (phase !== 'finished' || leases.length > 0)
        expect(await (isDecided ? run.resume() : decide(run)), name).toMatchObject({ outcome: 'finished' });
      expect(switches(run), name).not.toContain('armed');
      expect(switches(run), name).toEqual(switches(first));
      expect(cellsOf(run), name).toEqual(cellsOf(first));
    }
  });
});

describe.each(['model.guarded', 'model.guarded-once'])('a controller killed around a dead-man switch (%s)', (uses) => {
  const points = async () => {
    const run = new ModelRun(book('ajar', uses), CELLS);
    await run.start();
    const first = run.passed.findIndex((point) => point.endsWith('door'));
    return run.passed.flatMap((name, index) => (index < first || !name.endsWith('door') ? [] : [{ name, point: index + 1 }]));
  };
  /** Kills a run at a point; with `late`, the time of its switch is over before anybody comes back. */
  const killed = async (point: number, late: boolean) => {
    const run = new ModelRun(book('ajar', uses), CELLS);
    expect(await run.start(point)).toBe('died');
    if (late) for (const { fire } of run.world.deadMen.values()) fire();
    return run;
  };
  const whole = { 'a/door': 'ajar', 'a/one': 'new', 'a/two': 'new' };

  it('is resumed to the end of an undisturbed run, with nothing left that waits', async () => {
    const all = await points();
    expect(all.length).toBeGreaterThan(14);
    for (const { name, point } of all) {
      for (const late of [false, true]) {
        const run = await killed(point, late);
        const wasReverted = switches(run).includes('reverted');
        const first = await run.resume();
        if (wasReverted) expect(first, name).toMatchObject({ outcome: 'failed', error: { code: 'DEAD_MAN_REVERTED' } });
        if (wasReverted) await run.resume();
        expect(run.state.phase, `${name} ${late}`).toBe('finished');
        expect(cellsOf(run), `${name} ${late}`).toMatchObject(whole);
        expect(switches(run), `${name} ${late}`).not.toContain('armed');
        expect(unsound(run), name).toEqual([]);
      }
    }
  });

  it('is rolled back to the state before, with nothing left that waits', async () => {
    for (const { name, point } of await points()) {
      for (const late of [false, true]) {
        const run = await killed(point, late);
        expect(await run.rollBack(), `${name} ${late}`).toMatchObject({ outcome: 'rolled-back', exit: 4 });
        run.world.cells.set('a/log', 'start.');
        expect(cellsOf(run), `${name} ${late}`).toEqual(CELLS);
        expect(switches(run), `${name} ${late}`).not.toContain('armed');
      }
    }
  });
});
