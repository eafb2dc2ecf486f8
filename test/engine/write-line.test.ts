import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

/** A database made before a checkpoint and one after it, the line, and a writer behind it. */
const book = (writer: boolean) =>
  runbookOf(
    [
      step('early', 'model.keeping', { key: 'early', value: 'rows' }),
      step('late', 'model.keeping', { key: 'late', value: 'rows' }, { role: 'b' }),
      step('line', 'model.line', {}),
      step('ask', 'model.gate', { question: 'go on?' }),
      ...(writer ? [step('start', 'model.atomic', { key: 'unit', value: 'up' })] : []),
      ...(writer ? [step('after', 'model.atomic', { key: 'after', value: 'new' }, { role: 'b' })] : []),
    ],
    [{ name: 'made', afterStep: 1 }, { name: 'drawn', afterStep: 3 }, ...(writer ? [{ name: 'started', afterStep: 5 }] : [])],
  );

/** What is left after a rollback of both databases; `kept` is where what was written into one went. */
const cellsOf = ({ world }: ModelRun) => [...world.cells.keys()].sort().join(' ');

/** A run up to its end, or to the question behind the line; what the counters tell is `written`. */
async function moved(written: string[], upTo: 'line' | 'end' = 'end') {
  const run = new ModelRun(book(true), {});
  run.world.written = written;
  if (upTo === 'line') run.answer = null;
  await run.start();
  run.answer = null;
  run.person = null;
  return run;
}

describe('a rollback and the write line', () => {
  it('is not asked about before the line was drawn', async () => {
    const run = new ModelRun(book(true), {});
    run.world.loseOnce.add('late:make');
    await run.start();
    run.answer = null;
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cellsOf(run)).toBe('');
  });

  it('is not asked about at the line, when nobody wrote', async () => {
    const run = await moved([], 'line');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cellsOf(run)).toBe('');
  });

  it('is asked about at the line, when somebody wrote by hand, and keeps it', async () => {
    const run = await moved(['cells: 3 writes'], 'line');
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED', args: { written: 'cells: 3 writes' } });
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toBe('a/kept b/kept');
  });

  it('is asked about at the line, when the counters are gone', async () => {
    const run = await moved([], 'line');
    run.world.failCounting = true;
    await expect(run.rollBack()).rejects.toMatchObject({ args: { written: expect.stringContaining('cannot be counted') } });
    expect(cellsOf(run)).toBe('a/early b/late');
  });

  it('is asked about once it was crossed, whatever the counters tell', async () => {
    const run = await moved([]);
    await expect(run.rollBack()).rejects.toMatchObject({ args: { written: 'nothing was counted so far' } });
    run.person = true;
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toBe('a/kept b/kept');
  });

  it('is not asked about by a rollback that stays behind it, and is by the next hop', async () => {
    const run = await moved(['cells: 3 writes']);
    expect(await run.rollBack({ to: 'started' })).toMatchObject({ outcome: 'rolled-back' });
    expect(await run.rollBack({ to: 'drawn' })).toMatchObject({ outcome: 'rolled-back' });
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED' });
    expect(cellsOf(run)).toBe('a/early b/late');
  });

  it('is asked about by hand-started writers also after a hop that was cut off behind it', async () => {
    const run = await moved(['cells: 3 writes'], 'line');
    const began = run.passed.length;
    await run.rollBack({ to: 'drawn' });
    const points = run.passed.slice(began);
    const killed = await moved(['cells: 3 writes'], 'line');
    await killed.rollBack({ to: 'drawn' }, points.indexOf('after-record rollback.started:') + 1);
    expect(killed.state.phase).toBe('rolling-back');
    await expect(killed.rollBack({ to: 'made' })).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED' });
    expect(await killed.rollBack({ to: 'made', discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(killed)).toBe('a/early b/kept');
  });

  it('is asked about when writers came after a rollback that nobody had to be asked about was stopped', async () => {
    const run = await moved([], 'line');
    run.stopAt = 'after-record rollback.started:';
    expect(await run.rollBack()).toMatchObject({ outcome: 'paused' });
    run.stopAt = null;
    run.world.written = ['cells: 9 writes'];
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED', args: { written: 'cells: 9 writes' } });
    expect(await run.rollBack({ discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toBe('a/kept b/kept');
  });

  it('is not asked about once more by a rollback that has begun to take away what is counted', async () => {
    const run = await moved([], 'line');
    run.world.failOnce.add('early:remove');
    expect(await run.rollBack()).toMatchObject({ outcome: 'paused', error: { code: 'UNDO_FAILED' } });
    run.world.written = ['cells: 9 writes'];
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
  });

  it('is asked about once a step behind it was marked done that the run had not begun: its writers run', async () => {
    const run = await moved([], 'line');
    run.answer = true;
    run.stopAt = 'after-record step.confirmed:ask';
    run.person = true;
    await run.resume();
    expect(run.state.steps.get('start')?.phase).toBe('waiting');
    run.stopAt = 'after-record run.resumed:';
    run.world.cells.set('a/unit', 'up');
    run.person = null;
    await run.resume(undefined, undefined, false, { markDone: 'start' });
    expect(run.state.steps.get('start')).toMatchObject({ phase: 'done', attempt: 0 });
    expect(run.state.writeLine).toMatchObject({ isCrossed: true });
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED' });
    expect(cellsOf(run)).toContain('a/early');
  });

  it('that was gone back across keeps what was written, and nothing that is made anew afterwards', async () => {
    const run = await moved(['cells: 3 writes']);
    expect(await run.rollBack({ to: 'made', discardWrites: true })).toMatchObject({ outcome: 'rolled-back' });
    expect(cellsOf(run)).toBe('a/early b/kept');
    run.world.cells.delete('b/kept');
    run.world.written = [];
    // Forward again, to the question behind the line: nobody has written into what was made this time.
    expect(await run.resume()).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(cellsOf(run)).toBe('a/early b/late');
    expect((await run.preview()).map(({ step: id }) => id)).toEqual(['late', 'early']);
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    // What was made before the checkpoint stood there while they wrote.
    expect(cellsOf(run)).toBe('a/kept');
  });

  it('that was gone back across and then forward across again is asked about again', async () => {
    const run = await moved(['cells: 3 writes']);
    await run.rollBack({ to: 'made', discardWrites: true });
    run.answer = true;
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    run.answer = null;
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'WRITE_LINE_CROSSED' });
    expect(cellsOf(run)).toContain('b/late');
  });
});
