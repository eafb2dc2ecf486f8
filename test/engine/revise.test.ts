import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/actions/action.ts';
import { judgeEdit } from '../../src/engine/judge-edit.ts';
import { diffRunbooks } from '../../src/runbook/diff-runbooks.ts';
import type { Runbook, Step } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/conf': 'old', 'a/unit1': 'up', 'a/unit2': 'up', 'b/conf': 'old' };
const at = { file: 'model.yaml', line: 1, column: 1 };
const conf = () => step('conf', 'model.atomic', { key: 'conf', value: 'new' });
const units = () => step('units', 'model.partial', { key: 'unit', value: 'down' });
const ask = () => step('ask', 'model.gate', { question: 'go on?' });
const last = (value: string) => step('last', 'model.atomic', { key: 'conf', value }, { role: 'b' });
/** Sets a cell to how many units were stopped, which the step that did so told. */
const tell = (): Step => ({
  ...step('tell', 'model.atomic', {}),
  with: {
    kind: 'map',
    entries: [
      ['key', { kind: 'literal', value: 'told', at }],
      ['value', { kind: 'expression', source: 'string(steps.units.outputs.set.size())', at }],
    ],
    at,
  },
});
/** Sets a cell to the name of the host that plays a role. */
const tellOf = (role: string): Step => ({
  ...tell(),
  with: {
    kind: 'map',
    entries: [
      ['key', { kind: 'literal', value: 'told', at }],
      ['value', { kind: 'expression', source: `roles.${role}.name`, at }],
    ],
    at,
  },
});
const book = (...steps: Step[]): Runbook => ({
  ...runbookOf(steps, [{ name: 'set', afterStep: 1 }]),
  digest: JSON.stringify(steps),
});
const old = () => book(conf(), units(), ask(), last('new'));
/** Stands at the gate, with two steps done. */
const atGate = async () => {
  const run = new ModelRun(old(), CELLS);
  run.answer = null;
  expect(await run.start()).toMatchObject({ outcome: 'paused', error: { code: 'GATE_WAITS' } });
  run.answer = true;
  return run;
};
const cells = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());
/** What stands in the way of an edit; with `roles`, some of them are on other hosts from then on. */
const judged = (run: ModelRun, edited: Runbook, roles: Record<string, string> = {}) => {
  const on = new Map(Object.entries({ a: 'a', b: 'b', ...roles }).map(([role, name]) => [role, { name }]));
  return judgeEdit(run.state, edited, diffRunbooks(run.runbook, edited), on);
};

describe('a run whose runbook was edited', () => {
  it('goes on with the edited one, on what its steps have handed on, and is rolled back as a whole', async () => {
    const run = await atGate();
    const edited = book(conf(), units(), ask(), tell(), last('newer'));
    expect(judged(run, edited)).toEqual([]);
    const before = run.state.plan.digest;
    await run.revise(edited);
    const { state } = run;
    expect(state.plan.digest).not.toBe(before);
    expect(state.plan.lines.map(({ notes }) => notes)).toEqual([['done already'], ['done already'], [], [], []]);
    expect(state.plan.lines.find((line) => line.step === 'tell')).toMatchObject({ kind: 'change', stamp: 'exact' });
    expect([...state.steps.values()].map((one) => `${one.step} ${one.phase}`)).toEqual([
      ...['conf done', 'units done', 'ask waiting', 'tell waiting', 'last waiting'],
    ]);
    expect(run.events.find(({ type }) => type === 'run.revised')).toMatchObject({
      by: 'me@model',
      changes: [
        { name: 'last', how: 'changed', fields: [{ field: 'with.value', before: '"new"', after: '"newer"' }] },
        { name: 'tell', how: 'added' },
      ],
    });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(cells(run)).toMatchObject({ 'a/told': '2', 'b/conf': 'newer' });
    expect(unsound(run)).toEqual([]);
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cells(run)).toEqual(CELLS);
    expect(run.state.proof?.every(({ verdict }) => verdict === 'equal')).toBe(true);
  });

  it('plans what is left on what is there now, not on what the first plan read', async () => {
    const run = await atGate();
    run.world.cells.set('b/conf', 'meddled');
    run.person = null;
    await run.revise(book(conf(), units(), ask(), last('newer')));
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    await run.rollBack();
    expect(cells(run)).toEqual({ ...CELLS, 'b/conf': 'meddled' });
  });

  it('does not plan a step anew as done that was begun and failed, and keeps what undoes it', async () => {
    const run = new ModelRun(old(), CELLS);
    run.world.loseOnce.add('units:set-unit2');
    await run.start();
    const seen: unknown[] = [];
    const partial = modelActions.get('model.partial') as Action;
    const watched: Action = {
      ...partial,
      plan(params, facts, site) {
        seen.push(site.earlier);
        return partial.plan(params, facts, site);
      },
    };
    run.actions = new Map([...modelActions, ['model.partial', watched]]);
    await run.revise(book(conf(), units(), last('newer')));
    expect(seen.at(-1)).toMatchObject({ undo: { before: [{ key: 'unit1', before: 'up' }, { key: 'unit2' }] } });
    expect(run.state.steps.get('units')).toMatchObject({ phase: 'failed', attempt: 1 });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    await run.rollBack();
    expect(cells(run)).toEqual(CELLS);
  });

  it('asks a gate again that nothing was begun after, and no other', async () => {
    const run = new ModelRun(book(ask(), conf(), { ...ask(), id: 'second' }, last('new')), CELLS);
    run.world.failOnce.add('last:set');
    expect(await run.start()).toMatchObject({ outcome: 'failed' });
    await run.rollBack({ to: 'set' });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    const other = new ModelRun(book(ask(), conf(), { ...ask(), id: 'second' }, last('new')), CELLS);
    const points = new ModelRun(book(ask(), conf(), { ...ask(), id: 'second' }, last('new')), CELLS);
    await points.start();
    await other.start(points.passed.indexOf('after-record step.confirmed:second') + 1);
    await other.revise(book(ask(), conf(), { ...ask(), id: 'second' }, last('newer')));
    expect(['ask', 'second'].map((id) => other.state.steps.get(id)?.phase)).toEqual(['done', 'waiting']);
  });

  it('loses a checkpoint that has something undone before it now', async () => {
    const run = await atGate();
    const moved = { ...old(), checkpoints: [{ name: 'set', afterStep: 4, at }], digest: 'moved' };
    expect(run.state.checkpoints).toEqual(['set']);
    await run.revise(moved);
    expect(run.state.checkpoints).toEqual([]);
  });
});

describe('a checkpoint that an edit puts among steps', () => {
  const steps = (value = 'new') => [conf(), units(), last(value)];
  const at1 = (name: string, afterStep: number, value = 'new') => ({
    ...runbookOf(steps(value), [{ name, afterStep }]),
    digest: `${name} ${afterStep} ${value}`,
  });
  /** Its first two steps are done and the third failed, or was not begun. */
  const stood = async (name: string, afterStep: number, isBegun: boolean) => {
    const run = new ModelRun(at1(name, afterStep), CELLS);
    if (isBegun) run.world.failOnce.add('last:set');
    else run.stopAt = 'after-record step.verified:units';
    await run.start();
    run.stopAt = null;
    return run;
  };

  it.each<[string, Runbook, Runbook]>([
    ['new, before what was done', at1('other', 0), at1('early', 1)],
    ['moved back', at1('early', 2), at1('early', 1)],
    ['moved on', at1('early', 1), at1('early', 2)],
  ])('is no way back where a step behind it was begun: %s', async (_what, before, after) => {
    const run = new ModelRun(before, CELLS);
    run.world.failOnce.add('last:set');
    await run.start();
    expect(judged(run, after)).toEqual([]);
    await run.revise(after);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    // What the facts were when it would have been reached is known to nobody.
    await expect(run.rollBack({ to: 'early' })).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cells(run)).toEqual(CELLS);
  });

  it('is one where nothing behind it was begun, and is measured from there', async () => {
    const run = await stood('early', 1, false);
    await run.revise(at1('early', 2, 'newer'));
    expect(run.state.checkpoints).toEqual([]);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(await run.rollBack({ to: 'early' })).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cells(run)).toMatchObject({ 'a/unit1': 'down', 'b/conf': 'old' });
  });

  it('stays one that the edit does not move', async () => {
    const run = await stood('early', 2, true);
    await run.revise(at1('early', 2, 'newer'));
    expect(run.state.checkpoints).toEqual(['early']);
  });
});

describe('a step that one edit takes away and a later one brings back', () => {
  const mail = (uses = 'model.once') => step('mail', uses, { key: 'log', value: 'x' });
  /** Taken back with its step `mail`; the edits that take the step away and bring it back lie in between. */
  const broughtBack = async (uses: string, edits: readonly Step[][]) => {
    const run = new ModelRun(book(conf(), mail(uses), last('new')), CELLS);
    for (const steps of [...edits, [conf(), mail(uses), last('new')]]) {
      run.world.failOnce.add('last:set');
      await (run.passed.length === 0 ? run.start() : run.resume());
      expect(run.state.steps.get('last')?.phase).toBe('failed');
      await run.rollBack({ to: 'set' });
      await run.revise(book(...steps));
    }
    return run;
  };

  it.each<[string, Step[][]]>([
    ['at once', [[conf(), last('newer')]]],
    [
      'after one more edit without it',
      [
        [conf(), last('newer')],
        [conf(), units(), last('newer')],
      ],
    ],
    [
      'twice',
      [
        [conf(), last('newer')],
        [conf(), mail(), last('newer')],
        [conf(), last('new')],
      ],
    ],
  ])('is done anew, not taken for done by what its first attempt left: %s', async (_when, edits) => {
    const run = await broughtBack('model.once', edits);
    expect(run.world.cells.has('a/log')).toBe(false);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/log')).toBe('x');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cells(run)).toEqual(CELLS);
    expect(unsound(run)).toEqual([]);
  });

  it('keeps what is there then for its undo, not what was there the first time', async () => {
    const run = await broughtBack('model.saving', [[conf(), last('newer')]]);
    run.world.cells.set('a/log', 'later');
    run.person = true;
    await run.resume();
    expect([...run.world.kept.keys()].filter((key) => key.includes('mail'))).toEqual([
      'r-model/mail.0/conf',
      'r-model/mail.1/conf',
    ]);
  });
});

describe('an edit that comes too late', () => {
  it.each<[string, Runbook, { step: string; why: string }[]]>([
    ['changes what was done', book({ ...conf(), role: 'b' }, units(), ask(), last('new')), [{ step: 'conf', why: 'changed' }]],
    ['takes away what was done', book(units(), ask(), last('new')), [{ step: 'conf', why: 'removed' }]],
    [
      'puts something before what was done',
      book(step('early', 'model.atomic', { key: 'x', value: 'y' }), conf(), units(), ask(), last('new')),
      [{ step: 'conf', why: 'it would come after early, which was not done' }],
    ],
    [
      'turns round what was done',
      book(units(), conf(), ask(), last('new')),
      [
        { step: 'conf', why: 'moved' },
        { step: 'units', why: 'moved' },
      ],
    ],
  ])('%s', async (_what, edited, expected) => {
    expect(judged(await atGate(), edited)).toEqual(expected);
  });

  it.each<[string, Step, Record<string, string>, string[]]>([
    ['on it', conf(), { a: 'c' }, ['its role a was a, and would be c']],
    [
      'that acts there as well',
      step('pair', 'model.pair', { key: 'conf', value: 'new', with: 'b' }),
      { b: 'c' },
      ['its role b was b, and would be c'],
    ],
    ['that tells of it', tellOf('b'), { b: 'c' }, ['its role b was b, and would be c']],
    ['that has nothing to do with it', conf(), { b: 'c' }, []],
  ])('gives a role another host, with a step begun %s', async (_what, begun, roles, expected) => {
    const run = new ModelRun(book(begun, ask(), last('new')), CELLS);
    run.answer = null;
    expect(await run.start()).toMatchObject({ error: { code: 'GATE_WAITS' } });
    expect(judged(run, book(begun, ask(), last('newer')), roles)).toEqual(expected.map((why) => ({ step: begun.id, why })));
  });

  it('is no longer too late once the run was taken back to before it', async () => {
    const run = await atGate();
    const edited = book(conf(), { ...units(), role: 'b' }, ask(), last('new'));
    expect(judged(run, edited)).toEqual([{ step: 'units', why: 'changed' }]);
    await run.rollBack({ to: 'set' });
    expect(judged(run, edited)).toEqual([]);
    await run.revise(edited);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(cells(run)).toMatchObject({ 'a/unit1': 'up', 'b/unit1': 'down' });
    expect(unsound(run)).toEqual([]);
  });
});

describe('a controller killed at every crash point of a revision', () => {
  it('leaves the run with the one runbook or the other, and it goes on', async () => {
    const edited = () => book(conf(), units(), ask(), tell(), last('newer'));
    const first = await atGate();
    const before = first.passed.length;
    await first.revise(edited());
    const points = first.passed.slice(before);
    expect(points).toEqual(['before-record run.revised:', 'after-record run.revised:']);
    for (let point = 1; point <= points.length; point += 1) {
      const run = await atGate();
      expect(await run.revise(edited(), point)).toBe('died');
      expect(await run.resume()).toMatchObject({ outcome: 'finished' });
      expect(run.world.cells.get('b/conf')).toBe(point === 1 ? 'new' : 'newer');
      await run.rollBack();
      expect(cells(run)).toEqual(CELLS);
    }
  });
});
