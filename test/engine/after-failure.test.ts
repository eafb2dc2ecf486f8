import { describe, expect, it } from 'vitest';
import { afterFailure } from '../../src/engine/after-failure.ts';
import { executeRun } from '../../src/engine/run.ts';
import { isoTime } from '../../src/lib/clock.ts';
import { statusText } from '../../src/renderers/status.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const RUN = 'r-model';
const rolledBack = { outcome: 'rolled-back', exit: 4 };

/** A run whose third step fails. */
function failing(more: Parameters<typeof runbookOf>[0] = []): ModelRun {
  const edit = step('edit', 'model.atomic', { key: 'conf', value: 'new' });
  const run = new ModelRun(runbookOf([edit, ...more, step('send', 'model.atomic', { key: 'log', value: 'x' })]), {
    'a/conf': 'old',
  });
  run.world.failOnce.add('send:set');
  return run;
}
/** What `ferry run --on-failure "pause ..., then rollback"` does once the run has begun. */
async function worked(run: ModelRun, rollBackAfterMs: number | null, resumed = false) {
  if (!resumed) await run.begin();
  return run.inContext(async (context) =>
    afterFailure(context, await executeRun(context, { resumed, rollBackAfterMs }), rollBackAfterMs),
  );
}
const notes = (run: ModelRun) => run.events.flatMap((event) => (event.type === 'note' ? [event.text] : []));
const calledOff = (run: ModelRun) =>
  run.events.flatMap((event) => (event.type === 'rollback.called-off' ? [event.error.message] : []));
const append = (run: ModelRun, type: string) => run.journal.append(RUN, { type, epoch: 1, body: { by: 'anna@admin2' } });
const due = (run: ModelRun) => expect.poll(() => run.events.some(({ type }) => type === 'rollback.due')).toBe(true);

describe('a run that fails', () => {
  it('stays paused, or is rolled back at once, as it was told', async () => {
    const stays = failing();
    expect(await worked(stays, null)).toMatchObject({ outcome: 'failed', exit: 1 });
    expect(stays.state).toMatchObject({ phase: 'paused', pause: { rollbackAt: null } });
    const goes = failing();
    expect(await worked(goes, 0)).toMatchObject(rolledBack);
    expect(goes.world.cells.get('a/conf')).toBe('old');
  });

  it('is rolled back when its time is over and nobody took it on, with lock and connections given up meanwhile', async () => {
    const run = failing();
    const ended = worked(run, 300);
    await due(run);
    const { pause } = run.state;
    expect(pause?.rollbackAt && pause.rollbackAt > isoTime()).toBe(true);
    expect(run.events.find(({ type }) => type === 'rollback.due')).toMatchObject({ rollbackAt: pause?.rollbackAt });
    expect(run.journal.lock).toBeNull();
    expect(run.world.rests).toBe(1);
    expect(run.world.cells.get('a/conf')).toBe('new');
    expect(await ended).toMatchObject(rolledBack);
    expect(run.journal.lock).toBe('ours');
    expect(isoTime() >= (pause?.rollbackAt ?? '')).toBe(true);
    expect(run.world.cells.get('a/conf')).toBe('old');
  });

  it.each(['run.resumed', 'gate.approved', 'run.abandoned'])('is left alone once somebody took it on (%s)', async (type) => {
    const run = failing();
    const ended = worked(run, 60_000);
    await due(run);
    append(run, type);
    expect(await ended).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_FAILED' } });
    expect(calledOff(run)).toEqual([`Not rolled back by itself: somebody took it on (${type}).`]);
    expect(run.world.cells.get('a/conf')).toBe('new');
  });

  it('is left alone once another controller took it over, and nothing more goes on record', async () => {
    const run = failing();
    const ended = worked(run, 60_000);
    await due(run);
    run.journal.append(RUN, { type: 'run.taken-over', epoch: 2, body: { by: 'anna@admin2' } });
    expect(await ended).toMatchObject({ outcome: 'failed' });
    expect(calledOff(run)).toEqual(['Not rolled back by itself: anna@admin2 took it over.']);
    expect(run.journal.read(RUN).at(-1)?.type).toBe('run.taken-over');
  });

  it('is left alone when at its time another Ferry works on it that has put nothing on record yet', async () => {
    const run = failing();
    const ended = worked(run, 200);
    await due(run);
    run.journal.lock = 'theirs';
    expect(await ended).toMatchObject({ outcome: 'failed' });
    expect(calledOff(run)).toEqual(['Not rolled back by itself: another Ferry works on the run.']);
    expect(run.state.phase).toBe('paused');
  });

  it('is rolled back all the same after another Ferry has only looked', async () => {
    const run = failing();
    const ended = worked(run, 300);
    await due(run);
    let looks = 0;
    run.journal.isOpen = () => (looks += 1) === 1;
    expect(await ended).toMatchObject(rolledBack);
  });

  it('is left alone when the other comes between the last look and the lock', async () => {
    const run = failing();
    const open = run.journal.open.bind(run.journal);
    run.journal.open = (id) => {
      append(run, 'run.resumed');
      open(id);
    };
    expect(await worked(run, 50)).toMatchObject({ outcome: 'failed' });
    expect(run.journal.lock).toBeNull();
    expect(run.world.cells.get('a/conf')).toBe('new');
  });

  it('stays paused when it is told so meanwhile', async () => {
    const run = failing();
    const ended = worked(run, 60_000);
    await due(run);
    run.cancel.abort();
    expect(await ended).toMatchObject({ outcome: 'failed' });
    const calledOffBy = 'it was told to leave the run paused';
    expect(run.state).toMatchObject({ phase: 'paused', pause: { step: 'send', rollbackAt: null, calledOff: calledOffBy } });
    expect(calledOff(run)).toEqual([`Not rolled back by itself: ${calledOffBy}.`]);
    expect(statusText(run.state, { width: 100, colour: false })).toContain(`due      not rolled back by itself: ${calledOffBy}`);
    // Whoever comes next finds it free.
    expect(run.journal.lock).toBeNull();
  });

  it('announces no rollback when it had been told to stop before it failed', async () => {
    const run = failing();
    run.stopAt = 'before-apply send';
    expect(await worked(run, 60_000)).toMatchObject({ outcome: 'failed' });
    expect(run.state.pause?.rollbackAt).toBeNull();
    expect(run.events.map(({ type }) => type)).not.toContain('rollback.due');
    expect(notes(run)).toContainEqual('Not rolled back by itself: it was told to stop.');
  });

  it.each([0, 100])('says on record why its rollback (after %d ms) did not begin, and stays as it failed', async (ms) => {
    const run = failing();
    await run.begin();
    const end = await run.inContext(async (context) => {
      const failed = await executeRun(context, { resumed: false, rollBackAfterMs: ms });
      run.world.away.add('a');
      return afterFailure(context, failed, ms);
    });
    expect(end).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_FAILED' } });
    expect(calledOff(run)).toEqual([expect.stringMatching(/^Not rolled back by itself: .*no route/)]);
    expect(run.state).toMatchObject({
      phase: 'paused',
      pause: { rollbackAt: null, calledOff: expect.stringContaining('no route') },
    });
    run.world.away.clear();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('is never rolled back by itself across the write line, and says so', async () => {
    const run = failing([step('line', 'model.line', {}), step('start', 'model.atomic', { key: 'writers', value: 'on' })]);
    expect(await worked(run, 50)).toMatchObject({ outcome: 'failed' });
    expect(run.state.pause?.rollbackAt).toBeNull();
    expect(notes(run)).toContainEqual('Not rolled back by itself: the write line is crossed.');
    expect(run.world.cells.get('a/conf')).toBe('new');
  });

  it('waits for a person as long as it takes: a gate is no failure', async () => {
    const run = new ModelRun(runbookOf([step('go', 'model.gate', { question: 'Go on?' })]));
    run.answer = null;
    expect(await worked(run, 1)).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(run.state.pause?.rollbackAt).toBeNull();
  });
});
