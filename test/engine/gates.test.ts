import { describe, expect, it } from 'vitest';
import { recordAnswer } from '../../src/cli/answer-gate.ts';
import { type GateView, gateToAnswer, waitingGates } from '../../src/engine/gate-view.ts';
import type { Json } from '../../src/lib/json.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const CELLS = { 'a/conf': 'old', 'b/conf': 'old' };
const RUN = 'r-model';

/** A run whose second step asks; nobody sits at its terminal unless a test says so. */
function asking(second = step('go', 'model.gate', { question: 'Go on?' })): ModelRun {
  const run = new ModelRun(
    runbookOf([
      step('first', 'model.atomic', { key: 'note', value: 'x' }),
      second,
      step('last', 'model.atomic', { key: 'end', value: 'x' }),
    ]),
    CELLS,
  );
  run.answer = null;
  return run;
}

const edit = (more: Parameters<typeof step>[3] = { confirm: 'Change the conf?' }) =>
  step('go', 'model.atomic', { key: 'conf', value: 'new' }, more);
/** What `ferry approve` and `ferry reject` do, from another process. */
function answer(run: ModelRun, verdict: 'approved' | 'rejected' = 'approved', comment?: string, named?: string): GateView {
  run.world.dead = false;
  const shown = gateToAnswer(run.state, named, 'approve');
  recordAnswer(run.journal, shown, verdict, comment);
  return shown;
}
const types = (run: ModelRun) => run.journal.read(RUN).map(({ type }) => type);
const caught = (work: () => unknown) => {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};

describe('a question that nobody is there to answer', () => {
  it('pauses the run at once, says what was asked, and is answered by an approval that resume then uses', async () => {
    const run = asking();
    expect(await run.start()).toMatchObject({ outcome: 'paused', exit: 3, error: { code: 'GATE_WAITS' } });
    expect(run.state.gates.go).toMatchObject({ asked: { question: 'Go on?' }, answer: null });
    const shown = answer(run, 'approved', 'counts agree');
    expect(shown).toMatchObject({ step: 'go', question: 'Go on?', askedAt: expect.any(String) });
    expect(run.journal.read(RUN).findLast(({ type }) => type === 'gate.approved')?.body).toMatchObject({
      question: 'Go on?',
      plan: run.state.plan.digest,
      digest: shown.digest,
      comment: 'counts agree',
      by: expect.stringContaining('@'),
    });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(types(run).filter((type) => type === 'gate.asked')).toHaveLength(1);
    expect(run.events.find(({ type }) => type === 'gate.answered')).toMatchObject({ step: 'go', comment: 'counts agree' });
    expect(run.journal.read(RUN).find(({ type }) => type === 'step.confirmed')?.body).toMatchObject({
      by: run.state.gates.go?.answer?.by,
    });
  });

  it('holds up no step that does not need it', async () => {
    const run = new ModelRun(
      runbookOf([
        step('first', 'model.atomic', { key: 'one', value: 'x' }),
        { ...step('go', 'model.gate', { question: 'Go on?' }), needs: ['first'] },
        { ...step('beside', 'model.atomic', { key: 'two', value: 'x' }), needs: ['first'] },
        { ...step('after', 'model.atomic', { key: 'three', value: 'x' }), needs: ['beside'] },
      ]),
      CELLS,
    );
    run.answer = null;
    expect(await run.start()).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(run.world.cells.get('a/three')).toBe('x');
    expect(types(run).lastIndexOf('run.paused')).toBe(types(run).length - 1);
  });

  it('waits as long as it was told to, with connections at rest, and takes an approval that comes meanwhile', async () => {
    const run = asking();
    run.waitMs = 60_000;
    const ended = run.start();
    await expect.poll(() => run.events.some(({ type }) => type === 'gate.waiting')).toBe(true);
    expect(run.events.find(({ type }) => type === 'gate.waiting')).toMatchObject({ isHeld: true, until: expect.any(String) });
    answer(run);
    expect(await ended).toMatchObject({ outcome: 'finished' });
    expect(types(run)).not.toContain('run.paused');
  });

  it('pauses when that time is over', async () => {
    const run = asking();
    run.waitMs = 50;
    expect(await run.start()).toMatchObject({ outcome: 'paused', exit: 3, error: { code: 'GATE_WAITS' } });
  });

  it('is not waited for by a controller that was fenced: what it would do is for the other one to do', async () => {
    const run = asking();
    run.waitMs = 60_000;
    const ended = run.start();
    await expect.poll(() => run.events.some(({ type }) => type === 'gate.waiting')).toBe(true);
    run.journal.append(RUN, { type: 'run.taken-over', epoch: 2, body: { by: 'anna@admin2' } });
    answer(run);
    await expect(ended).rejects.toMatchObject({ code: 'JOURNAL_FENCED', args: { by: 'anna@admin2', ours: 1, theirs: 2 } });
    expect(types(run).at(-1)).toBe('gate.approved');
  });

  it('is not waited for any longer when a step beside it fails', async () => {
    const run = new ModelRun(
      runbookOf([
        step('first', 'model.atomic', { key: 'one', value: 'x' }),
        { ...step('go', 'model.gate', { question: 'Go on?' }), needs: ['first'] },
        { ...step('beside', 'model.atomic', { key: 'two', value: 'x' }), needs: ['first'] },
      ]),
      CELLS,
    );
    run.answer = null;
    run.waitMs = 60_000;
    run.world.failOnce.add('beside:set');
    expect(await run.start()).toMatchObject({ outcome: 'failed', error: { code: 'COMMAND_FAILED' } });
  });
});

describe('a question that stands in the terminal', () => {
  it('is answered as well by an approval from another one', async () => {
    const run = asking();
    run.answer = true;
    run.person = null;
    run.whileAsked = () => new Promise(() => undefined);
    const ended = run.start();
    await expect.poll(() => run.state.gates.go?.asked).toBeTruthy();
    answer(run);
    expect(await ended).toMatchObject({ outcome: 'finished' });
    // The question was taken back, not answered.
    expect(types(run)).not.toContain('gate.confirmed');
  });

  it('pauses the run on a no, and begins nothing beside it', async () => {
    const run = asking();
    run.answer = false;
    expect(await run.start()).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(run.state.steps.get('last')?.phase).toBe('waiting');
  });
});

describe('a no', () => {
  it('pauses the run with who, when and why; resume asks again', async () => {
    const run = asking();
    await run.start();
    answer(run, 'rejected', 'the counts differ');
    run.waitMs = 0;
    const again = run.resume();
    expect(await again).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    run.waitMs = 60_000;
    const waiting = run.resume();
    await expect.poll(() => run.events.filter(({ type }) => type === 'gate.waiting').length).toBe(3);
    answer(run, 'rejected', 'the counts differ');
    const end = await waiting;
    expect(end).toMatchObject({ outcome: 'paused', exit: 3, error: { code: 'GATE_REJECTED' } });
    expect(end !== 'died' && end.error?.message).toMatch(/ said no to step go at .*: the counts differ/);
    expect(run.state.pause).toMatchObject({ reason: 'gate', step: 'go' });
  });

  it('may be followed by a yes, which resume uses', async () => {
    const run = asking();
    await run.start();
    answer(run, 'rejected');
    answer(run, 'approved');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });
});

describe('an approval', () => {
  it('may come before the run has come to the step, and is used there', async () => {
    const run = asking(edit());
    run.answer = null;
    await run.start('before-record step.intended:first');
    const shown = answer(run, 'approved', undefined, 'go');
    expect(shown).toMatchObject({ digest: null, question: 'Change the conf?', diff: expect.any(Array) });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(types(run)).not.toContain('gate.asked');
  });

  it('is asked for a step that cannot be taken back', async () => {
    const run = asking(step('go', 'model.lasting', { key: 'conf', value: 'new' }));
    expect(await run.start()).toMatchObject({ error: { code: 'GATE_WAITS' } });
    expect(answer(run)).toMatchObject({ question: 'go cannot be taken back: word was sent. Go on?', undo: 'back to old' });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('is void once other hands have moved what it was given for and the step is planned anew', async () => {
    const run = asking(edit());
    await run.start();
    answer(run);
    run.world.cells.set('a/conf', 'edited by hand');
    run.person = null;
    expect(await run.resume(undefined, undefined, true)).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(run.state.gates.go).toMatchObject({ answer: null, stale: { verdict: 'approved' } });
    expect(run.world.cells.get('a/conf')).toBe('edited by hand');
    answer(run);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('holds for one attempt, and not after a rollback', async () => {
    const run = asking(edit());
    await run.start();
    answer(run);
    run.world.failOnce.add('go:set');
    expect(await run.resume()).toMatchObject({ outcome: 'failed' });
    expect(await run.resume()).toMatchObject({ error: { code: 'GATE_WAITS' } });
  });

  it('survives the death of a controller that had it and had not begun the step', async () => {
    const run = asking(edit());
    await run.start();
    answer(run);
    expect(await run.resume('before-record step.intended:go')).toBe('died');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(types(run).filter((type) => type === 'gate.asked')).toHaveLength(1);
  });
});

describe('a question before a step that was begun', () => {
  it('leaves on record why the step had failed', async () => {
    const run = asking(edit());
    run.answer = true;
    run.world.failOnce.add('go:set');
    await run.start();
    run.answer = null;
    expect(await run.resume()).toMatchObject({ error: { code: 'GATE_WAITS' } });
    expect(run.state.steps.get('go')).toMatchObject({ phase: 'failed', error: { code: 'COMMAND_FAILED' } });
    answer(run, 'rejected');
    expect(await run.resume()).toMatchObject({ error: { code: 'GATE_WAITS' } });
    expect(run.state.steps.get('go')?.error?.code).toBe('COMMAND_FAILED');
    expect(types(run).filter((type) => type === 'step.failed')).toHaveLength(1);
    answer(run);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });

  it('leaves one in doubt there, settled and not called failed', async () => {
    const run = asking(edit());
    run.yes = true;
    expect(await run.start('before-apply go')).toBe('died');
    run.yes = false;
    expect(await run.resume()).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
    expect(types(run)).toContain('step.settled');
    expect(run.state.steps.get('go')).toMatchObject({ phase: 'doubt', error: null });
    answer(run);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.ran).toEqual(['a:first.1:set', 'a:go.2:set', 'a:last.1:set']);
  });

  it('asks of one that its host has put back no second time to be told so', async () => {
    const deadMan = { afterMs: 120_000, reload: null };
    const run = asking(step('go', 'model.guarded', { key: 'conf', value: 'new' }, { confirm: 'Change the conf?', deadMan }));
    run.yes = true;
    expect(await run.start('after-apply go')).toBe('died');
    run.yes = false;
    expect(await run.resume()).toMatchObject({ error: { code: 'GATE_WAITS' } });
    answer(run);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });
});

describe('a step that somebody has decided about', () => {
  it('waits for no answer any more', async () => {
    const run = new ModelRun(
      runbookOf([
        edit(),
        step('after', 'model.gate', { question: 'Go on?' }),
        step('last', 'model.atomic', { key: 'x', value: 'y' }),
      ]),
      CELLS,
    );
    run.answer = null;
    await run.start();
    expect(waitingGates(run.state)).toEqual(['go']);
    await run.resume(undefined, undefined, false, { skip: { step: 'go', reason: 'done elsewhere' } });
    expect(waitingGates(run.state)).toEqual(['after']);
    expect(answer(run)).toMatchObject({ step: 'after' });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });
});

describe('an answer that fits nothing', () => {
  // It went on record for the new plan, of which nobody had seen a line.
  it('is refused when an edited runbook was taken between what was shown and the yes', async () => {
    const run = new ModelRun(runbookOf([step('wait', 'model.gate', { question: 'now?' }), edit()]), CELLS);
    run.answer = null;
    await run.start();
    const shown = gateToAnswer(run.state, 'go', 'approve');
    const { epoch, plan, sources, machines, secrets } = run.state;
    const revised = {
      ...plan,
      digest: 'f'.repeat(64),
      lines: plan.lines.map((line) => ({ ...line, summary: 'drops everything' })),
    };
    const body = { plan: revised, sources, machines, secrets, changes: [] } as unknown as { [name: string]: Json };
    run.journal.append(RUN, { type: 'run.revised', epoch, body });
    expect(caught(() => recordAnswer(run.journal, shown, 'approved', undefined))).toMatchObject({ code: 'APPROVAL_STALE' });
    expect(run.state.gates.go?.answer ?? null).toBe(null);
  });

  it('is refused, and nothing goes on record', async () => {
    const run = asking(edit());
    await run.start();
    const before = types(run).length;
    expect(caught(() => answer(run, 'approved', undefined, 'og'))).toMatchObject({ code: 'GATE_UNKNOWN', args: { near: 'go' } });
    expect(caught(() => answer(run, 'approved', undefined, 'first'))).toMatchObject({ code: 'GATE_UNKNOWN' });
    const shown = gateToAnswer(run.state, 'go', 'approve');
    expect(caught(() => recordAnswer(run.journal, { ...shown, digest: 'another' }, 'approved', undefined))).toMatchObject({
      code: 'APPROVAL_STALE',
    });
    expect(caught(() => recordAnswer(run.journal, { ...shown, plan: 'another' }, 'approved', undefined))).toMatchObject({
      code: 'APPROVAL_STALE',
    });
    expect(types(run)).toHaveLength(before);
    answer(run);
    expect(caught(() => answer(run))).toMatchObject({ code: 'GATE_NOT_WAITING' });
    await run.resume();
    expect(caught(() => answer(run, 'approved', undefined, 'go'))).toMatchObject({ code: 'RUN_OVER' });
  });

  it('is refused for a step that was passed, one that is to be planned anew, and while the run goes back', async () => {
    const run = asking(edit());
    run.yes = true;
    await run.start('before-record step.intended:last');
    expect(caught(() => answer(run, 'approved', undefined, 'go'))).toMatchObject({ code: 'GATE_NOT_WAITING' });
    const anew = asking(edit());
    await anew.start();
    anew.world.cells.set('a/conf', 'edited by hand');
    anew.person = null;
    await anew.resume('after-record facts.accepted:', undefined, true);
    expect(caught(() => answer(anew, 'approved', undefined, 'go'))).toMatchObject({ code: 'APPROVAL_STALE' });
    await anew.rollBack({}, 'after-record rollback.started:');
    expect(caught(() => answer(anew, 'approved', undefined, 'go'))).toMatchObject({ code: 'RUN_GOES_BACK' });
  });
});
