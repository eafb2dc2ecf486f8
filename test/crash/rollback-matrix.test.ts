import { afterAll, describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const CELLS = { 'a/one': 'old', 'a/left': 'old', 'b/right1': 'old', 'b/right2': 'old', 'a/joined': 'old', 'b/unit': 'down' };

/** A fork, a join, the write line in the middle, and writers after it; every step takes something back that can be seen. */
const graph = () =>
  runbookOf(
    [
      step('one', 'model.atomic', { key: 'one', value: 'new' }),
      step('left', 'model.saving', { key: 'left', value: 'new' }, { needs: ['one'] }),
      step('right', 'model.partial', { key: 'right', value: 'new' }, { role: 'b', needs: ['one'] }),
      step('look', 'model.check', { key: 'left' }, { needs: ['left', 'right'] }),
      step('data', 'model.keeping', { key: 'data', value: 'rows' }, { role: 'b', needs: ['look'] }),
      step('line', 'model.line', {}, { role: 'b', needs: ['data'] }),
      step('start', 'model.atomic', { key: 'unit', value: 'up' }, { role: 'b', needs: ['line'] }),
      step('beside', 'model.detached', { key: 'joined', value: 'x' }, { needs: ['line'] }),
    ],
    [
      { name: 'ready', afterStep: 1 },
      { name: 'moved', afterStep: 6 },
    ],
  );

const disturbances: Record<string, (run: ModelRun) => void> = {
  'nothing in its way': () => undefined,
  'a host away': (run) => void run.world.away.add('b'),
  'a host that goes away in the middle': (run) => void run.world.cutOnce.add('data:remove'),
  'an undo that fails': (run) => void run.world.failOnce.add('right:restore'),
  'an undo that dies without a trace': (run) => void run.world.loseOnce.add('left:restore'),
  'the writers that cannot be stopped': (run) => void run.world.failOnce.add('start:restore'),
};
const targets: Record<string, { to?: string; discardWrites?: boolean; left: Record<string, string> }> = {
  'to the start, across the line': { discardWrites: true, left: { ...CELLS, 'b/kept': 'rows' } },
  'to a checkpoint across the line': { to: 'ready', discardWrites: true, left: { ...CELLS, 'a/one': 'new', 'b/kept': 'rows' } },
  'to a checkpoint on this side of it': {
    to: 'moved',
    left: { ...CELLS, 'a/one': 'new', 'a/left': 'new', 'b/right1': 'new', 'b/right2': 'new', 'b/data': 'rows' },
  },
};

const cellsOf = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());
let killed = 0;

async function moved(disturb: (run: ModelRun) => void): Promise<ModelRun> {
  const run = new ModelRun(graph(), CELLS);
  expect(await run.start()).toMatchObject({ outcome: 'finished' });
  disturb(run);
  return run;
}

/** Types `ferry rollback` until it is done, with the hosts back and nobody there to be asked. */
async function workOff(run: ModelRun, about: string): Promise<void> {
  run.answer = null;
  for (let times = 0; times < 4 && run.state.phase === 'rolling-back'; times += 1) {
    run.world.away.clear();
    await run.rollBack();
  }
  expect(run.state.phase, about).not.toBe('rolling-back');
}

/** No command twice in an attempt; no data taken away before the writers were stopped; each undo before what it stands on. */
function expectSound(run: ModelRun, about: string): void {
  expect(run.world.ran.length, about).toBe(new Set(run.world.ran).size);
  const last = (id: string) => run.world.ran.findLastIndex((effect) => effect.includes(`:${id}.undo.`));
  const first = (id: string) => run.world.ran.findIndex((effect) => effect.includes(`:${id}.undo.`));
  for (const [writer, data] of [
    ['start', 'data'],
    ['start', 'left'],
    ['beside', 'data'],
  ] as const)
    if (first(data) >= 0) expect(last(writer), `${about}: ${writer} before ${data}`).toBeLessThan(first(data));
}

describe.each(Object.entries(targets))('a rollback %s', (_, { left, ...options }) => {
  // What goes wrong behind the checkpoint is none of its business.
  const behind = ['a host that goes away in the middle', 'an undo that fails', 'an undo that dies without a trace'];
  const cases = Object.entries(disturbances).filter(([name]) => options.to !== 'moved' || !behind.includes(name));
  describe.each(cases)('with %s', (_name, disturb) => {
    it('is killed at every point, gone on with, and ends as if it had not been', async () => {
      const undisturbed = await moved(disturb);
      const began = undisturbed.passed.length;
      // Where not one host answers, or none the way needs, it may be refused or have nothing in its way.
      await undisturbed.rollBack(options);
      const passed = undisturbed.passed.slice(began);
      await workOff(undisturbed, 'undisturbed');
      expect(cellsOf(undisturbed)).toEqual(left);
      expect(passed.length).toBeGreaterThan(8);
      for (let point = 1; point <= passed.length; point += 1) {
        const about = `${point}: ${passed[point - 1]}`;
        const run = await moved(disturb);
        expect(await run.rollBack(options, point), about).toBe('died');
        killed += 1;
        // Killed before it was on record, it is typed anew, with the consent that is not on record either.
        run.world.away.clear();
        if (run.state.phase === 'finished') await run.rollBack(options);
        await workOff(run, about);
        expect(cellsOf(run), about).toEqual(left);
        expect(
          run.state.proof?.filter(({ verdict }) => verdict === 'differs'),
          about,
        ).toEqual([]);
        expectSound(run, about);
        // It can be gone through again, or was: nothing holds the hosts for good.
        if (run.state.phase === 'rolled-back' && run.world.leases.size > 0) await run.rollBack();
        expect(run.world.leases.size, about).toBe(options.to ? 2 : 0);
      }
    });

    it('is killed again while it works off what was left', async () => {
      const first = await moved(disturb);
      await first.rollBack(options);
      if (first.state.phase !== 'rolling-back') return expect(cellsOf(first)).toEqual(left);
      const began = first.passed.length;
      await workOff(first, 'undisturbed');
      const points = first.passed.length - began;
      for (let point = 1; point <= points; point += 3) {
        const run = await moved(disturb);
        await run.rollBack(options);
        run.answer = null;
        run.world.away.clear();
        expect(await run.rollBack({}, point), String(point)).toBe('died');
        killed += 1;
        await workOff(run, String(point));
        expect(cellsOf(run), String(point)).toEqual(left);
        expectSound(run, String(point));
      }
    });
  });
});

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
    const run = await moved(() => undefined);
    run.world.takenOver.add('a');
    expect(await run.rollBack({ to: 'moved' })).toMatchObject({ error: { code: 'UNDO_FAILED' } });
    expect(run.state.steps.get('start')?.phase).toBe('undone');
    const whole = await moved(() => undefined);
    whole.world.takenOver.add('a').add('b');
    await whole.rollBack({ discardWrites: true });
    expect(cellsOf(whole)['b/data']).toBe('rows');
    expect(whole.state.steps.get('data')?.blockedBy).toContain('beside');
  });

  it('begins no further undo once a person stops it, and goes on when told', async () => {
    const run = await moved(() => undefined);
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

afterAll(() => {
  console.log(`rollback matrix: ${killed} controllers killed, nothing lost, nothing done twice`);
});
