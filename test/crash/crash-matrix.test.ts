import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/conf': 'old', 'a/unit1': 'up', 'a/log': 'start.', 'b/conf': 'old' };

const everyShape = () =>
  runbookOf(
    [
      step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
      step('units', 'model.partial', { key: 'unit', value: 'down' }),
      step('look', 'model.check', { key: 'conf' }),
      step('dump', 'model.detached', { key: 'log', value: 'x' }),
      step('ask', 'model.gate', { question: 'go on?' }),
      step('line', 'model.line', {}, { role: 'b' }),
      step('start', 'model.atomic', { key: 'conf', value: 'new' }, { role: 'b' }),
    ],
    [{ name: 'quiet', afterStep: 2 }],
  );

const cellsOf = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());

/** Runs undisturbed, and tells how many crash points were passed and what state that leaves. */
async function undisturbed() {
  const run = new ModelRun(everyShape(), CELLS);
  expect(await run.start()).toMatchObject({ outcome: 'finished' });
  return { points: run.passed.length, passed: run.passed, cells: cellsOf(run) };
}

/** Nothing was done twice or beside what came after it, and what is not idempotent was done once in all. */
function expectNothingTwice(run: ModelRun) {
  expect(unsound(run)).toEqual([]);
  expect(run.world.cells.get('a/log')).toBe('start.x');
}

describe('a controller killed at every crash point of a run', () => {
  it('is resumed to the state of an undisturbed run, with nothing done twice', async () => {
    const { points, passed, cells } = await undisturbed();
    expect(points).toBeGreaterThan(40);
    for (let point = 1; point <= points; point += 1) {
      const run = new ModelRun(everyShape(), CELLS);
      expect(await run.start(point), passed[point - 1]).toBe('died');
      expect(await run.resume(), passed[point - 1]).toMatchObject({ outcome: 'finished' });
      expect(cellsOf(run), passed[point - 1]).toEqual(cells);
      expect(run.world.leases.size, passed[point - 1]).toBe(0);
      expectNothingTwice(run);
    }
  });

  it('can be rolled back instead, to the state before the run', async () => {
    const { points, passed } = await undisturbed();
    // The last points lie after run.finished; what is rolled back there is a finished run.
    for (let point = 1; point <= points; point += 1) {
      const run = new ModelRun(everyShape(), CELLS);
      await run.start(point);
      expect(await run.rollBack({ discardWrites: true }), passed[point - 1]).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), passed[point - 1]).toEqual(CELLS);
      expect(
        run.state.proof?.filter(({ verdict }) => verdict !== 'equal'),
        passed[point - 1],
      ).toEqual([]);
      expect(unsound(run), passed[point - 1]).toEqual([]);
      expect(run.world.leases.size, passed[point - 1]).toBe(0);
    }
  });

  it('is resumed when it is killed again during the resume', async () => {
    const { points, cells } = await undisturbed();
    for (let point = 3; point <= points; point += 5) {
      for (let second = 1; second <= 12; second += 1) {
        const run = new ModelRun(everyShape(), CELLS);
        await run.start(point);
        await run.resume(second);
        expect(await run.resume(), `${point}/${second}`).toMatchObject({ outcome: 'finished' });
        expect(cellsOf(run), `${point}/${second}`).toEqual(cells);
        expectNothingTwice(run);
      }
    }
  });
});

describe('a controller killed at every crash point of a rollback', () => {
  it('goes on with the rollback to the state before the run', async () => {
    const first = new ModelRun(everyShape(), CELLS);
    await first.start();
    const before = first.passed.length;
    await first.rollBack({ discardWrites: true });
    const points = first.passed.length - before;
    expect(points).toBeGreaterThan(15);
    for (let point = 1; point <= points; point += 1) {
      const run = new ModelRun(everyShape(), CELLS);
      await run.start();
      expect(await run.rollBack({ discardWrites: true }, point)).toBe('died');
      if (run.state.phase !== 'rolled-back')
        expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
      expect(cellsOf(run), first.passed[before + point - 1]).toEqual(CELLS);
      expect(unsound(run), first.passed[before + point - 1]).toEqual([]);
    }
  });
});

describe('a rollback across the write line that is killed and gone on with', () => {
  const movedRun = () =>
    new ModelRun(
      runbookOf(
        [
          step('data', 'model.keeping', { key: 'data', value: 'rows' }),
          step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
          step('line', 'model.line', {}),
          step('start', 'model.atomic', { key: 'unit1', value: 'up' }),
          step('late', 'model.atomic', { key: 'conf', value: 'newer' }, { role: 'b' }),
        ],
        [
          { name: 'copied', afterStep: 2 },
          { name: 'moved', afterStep: 4 },
        ],
      ),
      { 'a/conf': 'old', 'b/conf': 'old' },
    );

  it('keeps what was written at whatever point it was killed', async () => {
    const first = movedRun();
    await first.start();
    const before = first.passed.length;
    await first.rollBack({ discardWrites: true });
    expect(first.world.cells.get('a/kept')).toBe('rows');
    const points = first.passed.length - before;
    for (let point = 1; point <= points; point += 1) {
      const run = movedRun();
      await run.start();
      expect(await run.rollBack({ discardWrites: true }, point)).toBe('died');
      if (run.state.phase !== 'rolled-back') await run.rollBack({ discardWrites: true });
      expect(cellsOf(run), first.passed[before + point - 1]).toEqual(cellsOf(first));
      expect(unsound(run), first.passed[before + point - 1]).toEqual([]);
    }
  });

  it('is not agreed to by a rollback that stays on this side of the line', async () => {
    const run = movedRun();
    await run.start();
    const passed = run.passed.length;
    await run.rollBack({ to: 'moved' });
    const undone = run.passed.findIndex((point, index) => index >= passed && point === 'after-undo late') - passed + 1;
    const killed = movedRun();
    await killed.start();
    expect(await killed.rollBack({ to: 'moved' }, undone)).toBe('died');
    killed.answer = null;
    await expect(killed.rollBack({ to: 'copied' })).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED' });
    expect(killed.world.cells.get('a/conf')).toBe('new');
    expect(await killed.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(killed.world.cells.get('a/unit1')).toBe('up');
  });
});

describe('a way back in two hops', () => {
  // The first hop undid the writers, and the second took the database for one nobody had written to: it was dropped.
  it('asks about what was written also when the writers are undone already, and keeps it', async () => {
    const run = new ModelRun(
      runbookOf(
        [
          step('data', 'model.keeping', { key: 'data', value: 'rows' }),
          step('line', 'model.line', {}),
          step('start', 'model.atomic', { key: 'unit1', value: 'up' }),
        ],
        [{ name: 'ready', afterStep: 2 }],
      ),
      {},
    );
    await run.start();
    expect(await run.rollBack({ to: 'ready' })).toMatchObject({ outcome: 'rolled-back' });
    run.answer = null;
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED', args: { to: '' } });
    expect(run.world.cells.get('a/data')).toBe('rows');
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toEqual({ 'a/kept': 'rows' });
  });

  it('asks when somebody wrote although nothing of the run came after the line', async () => {
    const run = new ModelRun(
      runbookOf(
        [
          step('data', 'model.keeping', { key: 'data', value: 'rows' }),
          step('line', 'model.line', {}),
          step('ask', 'model.gate', { question: 'go on?' }),
        ],
        [],
      ),
      {},
    );
    run.answer = null;
    expect(await run.start()).toMatchObject({ outcome: 'paused' });
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED', args: { written: 'cells: 1 write' } });
    expect(run.world.cells.get('a/data')).toBe('rows');
  });

  it('keeps bytes anew when a step is done again, so that what came between is not lost', async () => {
    const run = new ModelRun(
      runbookOf(
        [step('first', 'model.atomic', { key: 'x', value: '1' }), step('conf', 'model.saving', { key: 'conf', value: 'new' })],
        [{ name: 'before', afterStep: 1 }],
      ),
      { 'a/conf': 'old' },
    );
    await run.start();
    await run.rollBack({ to: 'before' });
    run.world.cells.set('a/conf', 'mended by hand');
    expect(await run.resume(undefined, undefined, true)).toMatchObject({ outcome: 'finished' });
    expect([...run.world.kept.values()]).toEqual(['old', 'mended by hand']);
    expect(run.state.steps.get('conf')?.generation).toBe(1);
  });
});

describe('a host that was to stay as it is', () => {
  // It was not held, and the guard there said that the run had been given up.
  it('is leased when a fact that moved turns its step into a change', async () => {
    const run = new ModelRun(
      runbookOf(
        [
          step('ask', 'model.gate', { question: 'go on?' }),
          step('same', 'model.atomic', { key: 'conf', value: 'old' }, { role: 'b' }),
        ],
        [],
      ),
      { 'b/conf': 'old' },
    );
    run.answer = null;
    expect(await run.start()).toMatchObject({ outcome: 'paused' });
    expect(run.world.leases.has('b')).toBe(false);
    run.world.cells.set('b/conf', 'meddled');
    run.answer = true;
    const held: boolean[] = [];
    const open = run.world.openAttempt.bind(run.world);
    run.world.openAttempt = (host, id) => {
      held.push(run.world.leases.has(host));
      return open(host, id);
    };
    expect(await run.resume(undefined, undefined, true)).toMatchObject({ outcome: 'finished' });
    expect(held).toEqual([true]);
    expect(run.world.cells.get('b/conf')).toBe('old');
    expect(run.world.leases.size).toBe(0);
  });
});

describe('a command that died on its host', () => {
  it('is proven lost, and only then a new attempt is made', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    run.world.loseOnce.add('dump:work');
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_LOST' } });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran.filter((effect) => effect.includes('work'))).toEqual(['a:dump.1:work', 'a:dump.2:work']);
    expectNothingTwice(run);
  });

  it('half-way through a step of two effects, is followed by an attempt that does the rest, and undo still undoes both', async () => {
    const run = new ModelRun(everyShape(), { ...CELLS, 'a/unit2': 'up' });
    run.world.loseOnce.add('units:set-unit2');
    expect(await run.start()).toMatchObject({ outcome: 'failed' });
    expect(run.world.cells.get('a/unit1')).toBe('down');
    expect(run.world.cells.get('a/unit2')).toBe('up');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.state.steps.get('units')?.outputs).toEqual({ set: ['unit1', 'unit2'] });
    await run.rollBack({ discardWrites: true });
    expect(cellsOf(run)).toEqual({ ...CELLS, 'a/unit2': 'up' });
  });
});

describe('the way back', () => {
  it('across the write line is refused unless writes may be discarded, and says what was written', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    await run.start();
    run.answer = null;
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED', args: { written: 'cells: 1 write' } });
    expect(run.state.phase).toBe('finished');
  });

  it('to a checkpoint leaves what is before it, and the run can be resumed from there', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    await run.start();
    expect(await run.rollBack({ to: 'quiet', discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(run.world.cells.get('a/conf')).toBe('new');
    expect(run.world.cells.get('a/log')).toBe('start.');
    expect(run.world.leases.size).toBe(2);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expectNothingTwice(run);
  });
});

describe('a run that finds something changed by other hands', () => {
  it('stops before the step and names the fact, from what to what', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    run.answer = null;
    expect(await run.start()).toMatchObject({ outcome: 'paused', exit: 3, error: { code: 'GATE_WAITS' } });
    run.world.cells.set('b/conf', 'meddled');
    run.answer = true;
    run.person = null;
    expect(await run.resume()).toMatchObject({ outcome: 'failed', exit: 5, error: { code: 'FACT_DRIFTED' } });
    expect(run.state.pause?.error?.message).toMatch(/from old \(read .*\) to meddled \(read .*Z\)/);
  });

  const meddledWith = async () => {
    const run = new ModelRun(everyShape(), CELLS);
    run.answer = null;
    await run.start();
    run.world.cells.set('b/conf', 'meddled');
    run.answer = true;
    return run;
  };

  it('goes on when a person lets the steps that hang on it be planned anew, and puts back what was there then', async () => {
    const run = await meddledWith();
    run.person = true;
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('b/conf')).toBe('new');
    await run.rollBack({ discardWrites: true });
    expect(run.world.cells.get('b/conf')).toBe('meddled');
  });

  it('goes on with --replan, which takes what moved before and nothing that moves after', async () => {
    const run = await meddledWith();
    run.person = null;
    expect(await run.resume(undefined, undefined, true)).toMatchObject({ outcome: 'finished' });
    expect(
      run.events.some(
        (event) => event.type === 'note' && event.text.includes('is meddled now (it was old); planned anew: start'),
      ),
    ).toBe(true);
    const later = await meddledWith();
    later.person = null;
    later.answer = null;
    expect(await later.resume(undefined, undefined, true)).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    later.world.cells.set('b/conf', 'again');
    later.answer = true;
    expect(await later.resume()).toMatchObject({ outcome: 'failed', error: { code: 'FACT_DRIFTED' } });
  });
});

describe('a host held by another run', () => {
  it('refuses the run, and leases taken on the way are given back', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    run.world.leases.set('b', { run: 'r-other', holder: 'you@there', since: 'now' });
    expect(await run.start()).toMatchObject({ outcome: 'refused', exit: 5, error: { code: 'LEASE_HELD' } });
    expect([...run.world.leases.keys()]).toEqual(['b']);
    expect(cellsOf(run)).toEqual(CELLS);
  });
});

describe('a step with a timeout', () => {
  it('stops waiting, says so, and is joined again by a resume', async () => {
    const run = new ModelRun(
      runbookOf([{ ...step('dump', 'model.detached', { key: 'log', value: 'x' }), timeoutMs: 20 }]),
      CELLS,
    );
    run.world.commands.detachedPolls = Number.POSITIVE_INFINITY;
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'STEP_TIMEOUT' } });
    run.world.commands.detachedPolls = 1;
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran.filter((effect) => effect.includes('work'))).toEqual(['a:dump.1:work']);
    expectNothingTwice(run);
  });
});

describe('a check under done', () => {
  it('that must act to know its answer is refused, for nobody would have looked', async () => {
    const book = { ...everyShape(), done: [step('look', 'model.check', { key: 'conf' })] };
    await expect(new ModelRun(book, CELLS).start()).rejects.toMatchObject({ code: 'DONE_CHECK_UNFIT' });
  });
});

describe('an undo that needs kept bytes', () => {
  const book = () => runbookOf([step('keeps', 'model.saving', { key: 'conf', value: 'new' })]);

  it('is not run when the run died before they were kept, for nothing was applied then', async () => {
    const undisturbed = new ModelRun(book(), CELLS);
    await undisturbed.start();
    const point = undisturbed.passed.indexOf('before-keep keeps') + 1;
    expect(point).toBeGreaterThan(0);
    const run = new ModelRun(book(), CELLS);
    expect(await run.start(point)).toBe('died');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(run.world.ran).toEqual([]);
    expect(cellsOf(run)).toEqual(CELLS);
  });

  it('is run when they were', async () => {
    const run = new ModelRun(book(), CELLS);
    await run.start();
    expect(run.world.cells.get('a/conf')).toBe('new');
    await run.rollBack();
    expect(cellsOf(run)).toEqual(CELLS);
  });
});

describe('two steps side by side that both fail', () => {
  it('are both on record as failed', async () => {
    const steps = [
      step('first', 'model.detached', { key: 'x', value: '1' }),
      { ...step('left', 'model.detached', { key: 'y', value: '1' }), needs: ['first'] },
      { ...step('right', 'model.detached', { key: 'z', value: '1' }), needs: ['first'] },
    ];
    const run = new ModelRun(runbookOf(steps), CELLS);
    run.world.loseOnce.add('left:work');
    run.world.loseOnce.add('right:work');
    expect(await run.start()).toMatchObject({ outcome: 'failed' });
    expect(['left', 'right'].map((id) => run.state.steps.get(id)?.phase)).toEqual(['failed', 'failed']);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });
});

describe('a checkpoint that was not reached', () => {
  it('is nothing to go back to', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    run.world.loseOnce.add('units:set-unit1');
    await run.start();
    await expect(run.rollBack({ to: 'quiet' })).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });
});

describe('a host that is gone when the run is done', () => {
  it('keeps its lease, and the run is finished all the same and says so', async () => {
    const run = new ModelRun(everyShape(), CELLS);
    const release = run.world.releaseLease.bind(run.world);
    run.world.releaseLease = (host, id) => (host === 'b' ? Promise.reject(new Error('gone')) : release(host, id));
    expect(await run.start()).toMatchObject({ outcome: 'finished', exit: 0 });
    expect(run.state.leases).toEqual(['b']);
    expect(run.events.some((event) => event.type === 'note' && event.text.includes('ferry unlock b'))).toBe(true);
  });
});

describe('a step that does something nobody can take back', () => {
  it('is named by the rollback, which takes back what it can of it', async () => {
    const run = new ModelRun(runbookOf([step('tell', 'model.lasting', { key: 'conf', value: 'new' })], []), CELLS);
    run.answer = true;
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(await run.rollBack({ discardWrites: false })).toMatchObject({ outcome: 'rolled-back' });
    expect(run.events.find(({ type }) => type === 'rollback.started')).toMatchObject({
      steps: [{ step: 'tell', summary: 'back to old' }],
      irreversible: [{ step: 'tell', host: 'a', why: 'word was sent' }],
    });
    expect(cellsOf(run)).toEqual(CELLS);
  });
});
