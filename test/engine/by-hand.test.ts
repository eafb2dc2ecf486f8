import { describe, expect, it } from 'vitest';
import { type Action, change } from '../../src/actions/action.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/unit1': 'up', 'a/unit2': 'up', 'a/conf': 'old' };
const uses = (id: string, key: string, from: string) => ({
  ...step(id, 'model.atomic', {}),
  with: {
    kind: 'map' as const,
    entries: [
      ['key', { kind: 'literal' as const, value: key, at: { file: 'model.yaml', line: 1, column: 1 } }],
      ['value', { kind: 'expression' as const, source: from, at: { file: 'model.yaml', line: 1, column: 1 } }],
    ] as const,
    at: { file: 'model.yaml', line: 1, column: 1 },
  },
});
const book = () =>
  runbookOf(
    [
      step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
      step('units', 'model.partial', { key: 'unit', value: 'down' }),
      step('mail', 'model.once', { key: 'log', value: 'x' }),
      uses('tell', 'told', 'string(steps.units.outputs.set.size())'),
    ],
    [{ name: 'set', afterStep: 1 }],
  );
/** The second of two units does not stop. */
const halfDone = async () => {
  const run = new ModelRun(book(), CELLS);
  run.world.loseOnce.add('units:set-unit2');
  return run;
};
const cells = (run: ModelRun) => Object.fromEntries(run.world.cells);
const types = (run: ModelRun, one: string) => run.journal.read('r-model').flatMap((r) => (r.step === one ? [r.type] : []));

describe('a step that failed, with a person there', () => {
  it('is tried again when they say so, in a new attempt, and the run goes on', async () => {
    const run = await halfDone();
    run.failureAnswers.push({ answer: 'retry' });
    expect(await run.start()).toMatchObject({ outcome: 'finished', exit: 0 });
    expect(run.asked).toMatchObject([
      { step: 'units', host: 'a', outcome: 'failed', canMarkDone: true, back: ['set', null], refusal: null },
    ]);
    expect(types(run, 'units')).toEqual(expect.arrayContaining(['step.failed', 'step.retried', 'step.settled', 'step.verified']));
    expect(cells(run)).toMatchObject({ 'a/unit1': 'down', 'a/unit2': 'down' });
  });

  it('pauses the run when they do, and when nobody is there', async () => {
    for (const answers of [[], [{ answer: 'pause' as const }]]) {
      const run = await halfDone();
      run.failureAnswers.push(...answers);
      expect(await run.start()).toMatchObject({ outcome: 'failed', exit: 1 });
      expect(run.state.phase).toBe('paused');
    }
  });

  it('is marked done only once its facts agree; until then they are told which one differs, and asked again', async () => {
    const run = await halfDone();
    run.failureAnswers.push({ answer: 'mark-done' });
    expect(await run.start()).toMatchObject({ outcome: 'failed' });
    expect(run.asked[1]?.refusal).toMatchObject({
      code: 'STEP_NOT_DONE',
      message: expect.stringContaining('cell(unit2) on a is up'),
    });
    run.world.cells.set('a/unit2', 'down');
    expect(await run.resume(undefined, undefined, false, { markDone: 'units' })).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran.filter((ran) => ran.includes('units'))).toEqual(['a:units.1:set-unit1', 'a:units.1:set-unit2']);
    expect(run.state.steps.get('units')).toMatchObject({
      byHand: { what: 'marked done', by: 'me@model' },
      outputs: { set: ['unit1', 'unit2'] },
    });
    expect(run.world.cells.get('a/told')).toBe('2');
    await run.rollBack();
    expect(cells(run)).toEqual(CELLS);
  });

  it('is not marked done while it would still do what an earlier attempt of it had done and is not so any more', async () => {
    const run = await halfDone();
    await run.start();
    run.world.failOnce.add('units:set-unit2');
    expect(await run.resume()).toMatchObject({ outcome: 'failed' });
    expect(run.state.steps.get('units')).toMatchObject({ attempt: 2, change: { data: ['unit2'] } });
    run.world.cells.set('a/unit2', 'down');
    // What the first attempt had stopped has come up again.
    run.world.cells.set('a/unit1', 'up');
    expect(await run.resume(undefined, undefined, false, { markDone: 'units' })).toMatchObject({
      outcome: 'refused',
      error: { code: 'STEP_NOT_DONE', message: expect.stringContaining('cell(unit1) on a is up') },
    });
    run.world.cells.set('a/unit1', 'down');
    expect(await run.resume(undefined, undefined, false, { markDone: 'units' })).toMatchObject({ outcome: 'finished' });
  });

  it('is not marked done while it would still do something that no fact of it shows', async () => {
    const run = await halfDone();
    const partial = modelActions.get('model.partial') as Action;
    // A mark that only the step itself can leave.
    const marking: Action = {
      ...partial,
      plan(params, facts, site) {
        const planned = partial.plan(params, facts, site);
        return planned.kind === 'no-change'
          ? change({ summary: 'leave a mark', predicts: [], undo: null, undoSummary: '' })
          : planned;
      },
    };
    await run.start();
    run.actions = new Map([...modelActions, ['model.partial', marking]]);
    run.world.cells.set('a/unit2', 'down');
    expect(await run.resume(undefined, undefined, false, { markDone: 'units' })).toMatchObject({
      outcome: 'refused',
      error: { code: 'STEP_UNPROVABLE', message: expect.stringContaining('leave a mark') },
    });
  });

  it('is skipped with a reason: what it half did stays, is no drift, and is undone with the rest', async () => {
    const run = new ModelRun(
      runbookOf([
        step('units', 'model.partial', { key: 'unit', value: 'down' }),
        step('again', 'model.atomic', { key: 'unit1', value: 'off' }),
      ]),
      CELLS,
    );
    run.world.loseOnce.add('units:set-unit2');
    run.failureAnswers.push({ answer: 'skip', reason: 'it hangs' });
    run.person = null;
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.asked[0]?.skip).toMatchObject({
      refused: null,
      warnings: [expect.stringContaining('What it half did stays on a')],
    });
    expect(run.state.steps.get('units')).toMatchObject({ phase: 'skipped', byHand: { what: 'skipped', reason: 'it hangs' } });
    expect(run.events.some((event) => event.type === 'note' && event.text === 'units was skipped by me@model: it hangs')).toBe(
      true,
    );
    expect(cells(run)).toMatchObject({ 'a/unit1': 'off', 'a/unit2': 'up' });
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cells(run)).toEqual(CELLS);
  });

  it('is skipped, and what needs its outputs is refused by name', async () => {
    const run = await halfDone();
    run.failureAnswers.push({ answer: 'skip', reason: 'not today' });
    expect(await run.start()).toMatchObject({ outcome: 'failed', exit: 5, error: { code: 'OUTPUT_MISSING' } });
    expect(run.asked[0]?.skip.lacking).toEqual([{ step: 'tell', output: 'set' }]);
    expect(run.asked[1]).toMatchObject({
      step: 'tell',
      error: { message: expect.stringContaining('skipped by me@model (not today)') },
    });
  });

  it('is skipped after it was applied and did not show its effect: what it handed on is not known either', async () => {
    const run = new ModelRun(book(), CELLS);
    const partial = modelActions.get('model.partial') as Action;
    const half: Action = {
      ...partial,
      verifyTimeoutMs: 1,
      async apply(acting) {
        await partial.apply?.({ ...acting, change: { ...acting.change, data: ['unit1'] } });
      },
    };
    run.actions = new Map([...modelActions, ['model.partial', half]]);
    run.failureAnswers.push({ answer: 'skip', reason: 'unit2 is not needed' });
    expect(await run.start()).toMatchObject({ outcome: 'failed', exit: 5, error: { code: 'OUTPUT_MISSING' } });
    expect(run.asked[0]?.error.code).toBe('VERIFY_FAILED');
    expect(run.world.cells.has('a/told')).toBe(false);
  });

  it('is rolled back to a checkpoint, after the way there was looked at', async () => {
    const run = await halfDone();
    run.failureAnswers.push({ answer: 'back', to: 'set' });
    expect(await run.start()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cells(run)).toEqual({ ...CELLS, 'a/conf': 'new' });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('is asked about one by one when two fail side by side, and each answer counts for its own', async () => {
    const run = new ModelRun(
      runbookOf([
        step('first', 'model.atomic', { key: 'conf', value: 'new' }),
        { ...step('left', 'model.once', { key: 'y', value: '1' }), needs: ['first'] },
        { ...step('right', 'model.once', { key: 'z', value: '1' }), needs: ['first'] },
      ]),
      CELLS,
    );
    run.world.loseOnce.add('left:add');
    run.world.loseOnce.add('right:add');
    run.failureAnswers.push({ answer: 'skip', reason: 'no' }, { answer: 'retry' });
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.asked.map((asked) => asked.step)).toEqual(['left', 'right']);
    expect(['left', 'right'].map((id) => run.state.steps.get(id)?.phase)).toEqual(['skipped', 'done']);
    expect(run.world.ran.filter((ran) => ran.includes('right'))).toEqual(['a:right.1:add', 'a:right.2:add']);
  });
});

describe('what cannot be decided', () => {
  const refused = async (run: ModelRun, byHand: Parameters<ModelRun['resume']>[3]) => {
    const ran = run.world.ran.length;
    const end = await run.resume(undefined, undefined, false, byHand);
    expect(end).toMatchObject({ outcome: 'refused' });
    expect(run.world.ran.length).toBe(ran);
    return end === 'died' ? null : { code: end.error?.code, exit: end.exit };
  };

  it('is a step the run does not have, or does not stand at', async () => {
    const run = await halfDone();
    await run.start();
    expect(await refused(run, { markDone: 'unit' })).toEqual({ code: 'RUN_STEP_UNKNOWN', exit: 64 });
    expect(await refused(run, { skip: { step: 'mail', reason: 'x' } })).toEqual({ code: 'STEP_NOT_AT_TURN', exit: 5 });
    expect(await refused(run, { skip: { step: 'conf', reason: 'x' } })).toEqual({ code: 'STEP_NOT_AT_TURN', exit: 5 });
    expect(await refused(run, { markDone: 'units' })).toEqual({ code: 'STEP_NOT_DONE', exit: 5 });
  });

  it('is to skip a gate or the write line', async () => {
    const run = new ModelRun(
      runbookOf([step('ask', 'model.gate', { question: 'go on?' }), step('line', 'model.line', {})]),
      CELLS,
    );
    run.answer = null;
    await run.start();
    expect(await refused(run, { skip: { step: 'ask', reason: 'x' } })).toEqual({ code: 'STEP_NOT_SKIPPABLE', exit: 5 });
    expect(run.state.steps.get('ask')?.phase).toBe('waiting');
    const other = new ModelRun(runbookOf([step('ask', 'model.check', { key: 'conf' }), step('line', 'model.line', {})]), CELLS);
    await other.start(1);
    expect(await other.resume(undefined, undefined, false, { skip: { step: 'ask', reason: 'x' } })).toMatchObject({
      outcome: 'finished',
    });
    const line = new ModelRun(runbookOf([step('line', 'model.line', {})]), CELLS);
    await line.start(1);
    expect(await refused(line, { skip: { step: 'line', reason: 'x' } })).toEqual({ code: 'STEP_NOT_SKIPPABLE', exit: 5 });
  });

  it('is to mark done what no fact tells, or what still runs', async () => {
    const run = new ModelRun(runbookOf([step('dump', 'model.detached', { key: 'log', value: 'x' })]), CELLS);
    run.world.loseOnce.add('dump:work');
    await run.start();
    expect(await refused(run, { markDone: 'dump' })).toEqual({ code: 'STEP_UNPROVABLE', exit: 5 });
    const slow = new ModelRun(
      runbookOf([{ ...step('dump', 'model.detached', { key: 'log', value: 'x' }), timeoutMs: 20 }]),
      CELLS,
    );
    slow.world.commands.detachedPolls = Number.POSITIVE_INFINITY;
    await slow.start();
    expect(await refused(slow, { markDone: 'dump' })).toEqual({ code: 'STEP_STILL_RUNS', exit: 5 });
    slow.world.commands.detachedPolls = 1;
    expect(await slow.resume()).toMatchObject({ outcome: 'finished' });
    expect(slow.world.cells.get('a/log')).toBe('x');
  });
});

describe('a step that the run did nothing of', () => {
  it('is marked done as somebody did it by hand, and a rollback leaves it and says so', async () => {
    const run = new ModelRun(runbookOf([step('conf', 'model.atomic', { key: 'conf', value: 'new' })]), CELLS);
    await run.start(3);
    expect(run.state.steps.get('conf')?.phase).toBe('waiting');
    run.world.cells.set('a/conf', 'new');
    expect(await run.resume(undefined, undefined, false, { markDone: 'conf' })).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran).toEqual([]);
    expect(run.events.find(({ type }) => type === 'failure.answered')).toMatchObject({
      warnings: ['The run did nothing of it, so a rollback undoes nothing of it.'],
    });
    await run.rollBack();
    expect(run.state.proof).toMatchObject([{ verdict: 'differs', why: 'conf was marked done by me@model' }]);
  });
});

describe('a checkpoint right before a step that is decided about', () => {
  it.each([
    ['marked done', { markDone: 'units' }],
    ['skipped', { skip: { step: 'units', reason: 'x' } }],
  ])('is reached also when Ferry had died before it was: %s', async (_what, byHand) => {
    const run = await halfDone();
    run.world.loseOnce.clear();
    expect(await run.start('after-record step.verified:conf')).toBe('died');
    run.world.cells.set('a/unit1', 'down');
    run.world.cells.set('a/unit2', 'down');
    run.person = null;
    await run.resume(undefined, undefined, false, byHand);
    expect(run.state.checkpoints).toEqual(['set']);
  });
});

describe('a controller killed at every crash point of a decision', () => {
  it.each([
    ['skip', { skip: { step: 'units', reason: 'x' } }],
    ['mark done', { markDone: 'units' }],
  ])('of %s goes on when it is given again, and goes back to before the run', async (_what, byHand) => {
    const short = async () => {
      const run = new ModelRun(runbookOf(book().steps.slice(0, 3)), CELLS);
      run.world.loseOnce.add('units:set-unit2');
      await run.start();
      run.world.cells.set('a/unit2', 'down');
      return run;
    };
    const first = await short();
    const before = first.passed.length;
    expect(await first.resume(undefined, undefined, false, byHand)).toMatchObject({ outcome: 'finished' });
    const points = first.passed.slice(before);
    expect(points.length).toBeGreaterThan(10);
    for (let point = 1; point <= points.length; point += 1) {
      const run = await short();
      expect(await run.resume(point, undefined, false, byHand), points[point - 1]).toBe('died');
      const decided = run.state.steps.get('units')?.byHand !== null;
      if (run.state.phase !== 'finished' || run.state.leases.length > 0)
        expect(await run.resume(undefined, undefined, false, decided ? {} : byHand), points[point - 1]).toMatchObject({
          outcome: 'finished',
        });
      expect(unsound(run), points[point - 1]).toEqual([]);
      expect(cells(run), points[point - 1]).toEqual(cells(first));
      await run.rollBack();
      expect(cells(run), points[point - 1]).toEqual(CELLS);
    }
  });
});
