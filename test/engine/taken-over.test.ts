import { describe, expect, it } from 'vitest';
import { createOutcome } from '../../src/renderers/outcome.ts';
import { statusText } from '../../src/renderers/status.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/log': 'start.', 'b/log': 'start.' };
const long = (id: string, role: string, needs: string[] = []) =>
  step(id, 'model.detached', { key: 'log', value: `${id}.` }, { role, needs });
const moved = () => new ModelRun(runbookOf([long('dump', 'a'), long('restore', 'b')]), CELLS);
const types = (run: ModelRun) => run.journal.read('r-model').map((record) => record.type);

/** Another controller takes the run over while a step of this one is under way. */
function takenOverDuring(run: ModelRun, during: string, also: () => void = () => undefined): void {
  run.world.onPoll = (id) => {
    if (id !== during) return;
    run.world.onPoll = undefined;
    run.journal.takeOver('r-model', { by: 'you@there' });
    also();
  };
}

describe('the controller of a run that was taken over', () => {
  it('begins nothing more, records nothing more, and says who took it over', async () => {
    const run = moved();
    takenOverDuring(run, 'dump');
    await expect(run.start()).rejects.toMatchObject({
      code: 'JOURNAL_FENCED',
      exit: 5,
      args: { by: 'you@there', ours: 1, theirs: 2 },
    });
    expect(types(run).at(-1)).toBe('run.taken-over');
    expect(run.state).toMatchObject({ phase: 'paused', epoch: 2, pause: { reason: 'taken over' }, leases: ['a', 'b'] });
    expect(run.world.cells.get('b/log')).toBe('start.');
  });

  it('leaves a run that is gone on with as if it had been there alone', async () => {
    const run = moved();
    takenOverDuring(run, 'dump');
    await run.start().catch(() => undefined);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(Object.fromEntries(run.world.cells)).toEqual({ 'a/log': 'start.dump.', 'b/log': 'start.restore.' });
    expect(unsound(run)).toEqual([]);
  });

  it('is refused by the hosts where the epoch was raised, and loses to the journal in what it says of that', async () => {
    const run = moved();
    takenOverDuring(run, 'dump', () => run.world.epochs.set('a/r-model', 2));
    await expect(run.start()).rejects.toMatchObject({ code: 'JOURNAL_FENCED' });
  });

  it('ends in the same way where two of its steps were under way', async () => {
    const run = new ModelRun(
      runbookOf([step('look', 'model.check', { key: 'log' }), long('dump', 'a', ['look']), long('restore', 'b', ['look'])]),
      CELLS,
    );
    takenOverDuring(run, 'dump');
    await expect(run.start()).rejects.toMatchObject({ code: 'JOURNAL_FENCED' });
    expect(types(run).at(-1)).toBe('run.taken-over');
    expect([run.state.steps.get('dump')?.phase, run.state.steps.get('restore')?.phase]).toEqual(['doubt', 'doubt']);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('b/log')).toBe('start.restore.');
  });

  it('stops a rollback too, which is gone on with by the other', async () => {
    const run = moved();
    await run.start();
    const change = run.world.acting.bind(run.world);
    run.world.acting = (host, id, signal) => {
      if (id.undo && id.step === 'restore' && id.epoch === 1) run.journal.takeOver('r-model', { by: 'you@there' });
      return change(host, id, signal);
    };
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'JOURNAL_FENCED' });
    expect(types(run).at(-1)).toBe('run.taken-over');
    expect(run.state.phase).toBe('rolling-back');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(Object.fromEntries(run.world.cells)).toEqual(CELLS);
  });
});

// It was told to take the run back here, that a step may be half done, and to go on and back by commands that are refused.
it('the controller whose state folder was thought lost says where the run goes on, and offers nothing', async () => {
  const run = moved();
  run.failureAnswers.push({ answer: 'retry' });
  run.world.onPoll = () => void run.world.epochs.set('b/r-model', 2);
  const end = await run.start();
  expect(end).toMatchObject({
    outcome: 'failed',
    exit: 5,
    error: { code: 'EPOCH_STALE', left: 'What was begun here is settled there.' },
  });
  expect(run.asked).toEqual([]);
  const page = { width: 200, colour: false };
  const text = createOutcome().text({ run: 'r-model', ...(end as Exclude<typeof end, 'died'>) }, page);
  expect(text).toMatch(/was taken over and goes on at you@there \(epoch 2, ours is 1\)/);
  for (const told of [text, statusText(run.state, page, false)])
    expect(told).not.toMatch(/ferry (resume|rollback|takeover)|half done|go (on|back) {2}/);
});

it('every host of a step has all records up to its intent before anything of it runs', async () => {
  const run = moved();
  const told: string[] = [];
  run.world.onPoll = (id) => {
    const [copy] = [...run.world.copies].flatMap(([at, lines]) => (at === `${id === 'dump' ? 'a' : 'b'}/r-model` ? [lines] : []));
    const { lines } = run.journal.linesAfter('r-model', 0);
    expect(copy).toEqual(lines);
    told.push(`${id}: ${JSON.parse(copy?.at(-1) ?? '{}').type}`);
  };
  await run.start();
  expect([...new Set(told)]).toEqual(['dump: step.intended', 'restore: step.intended']);
  run.world.onPoll = undefined;
  await run.rollBack();
  const types = run.world.copies.get('a/r-model')?.map((line) => JSON.parse(line).type);
  expect(types?.at(-1)).toBe('step.undoing');
});
