import { describe, expect, it } from 'vitest';
import { judge } from '../../src/engine/proof.ts';
import type { Reading } from '../../src/plan/plan.ts';
import type { Template } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { cell } from '../kit/model-world.ts';

const value = (text: string): Reading => ({ state: 'value', value: text });
const absent: Reading = { state: 'absent' };
const unreadable: Reading = { state: 'unreadable', why: 'no server' };
const at = { file: 'model.yaml', line: 1, column: 1 };

describe('a line of the proof', () => {
  const line = (before: Reading | undefined, now: Reading, kept: string | null = null) => {
    const ref = { host: 'a', key: 'cell(x)', kind: cell.definition };
    const state = { kept: kept === null ? [] : [{ step: 's', host: 'a', key: 'cell(x)', what: kept }] };
    const { verdict, before: was, now: is, why } = judge(state, ref, before, now);
    return `${verdict}: ${was} -> ${is}${why === null ? '' : ` (${why})`}`;
  };
  it.each([
    ['what is as it was', value('1'), value('1'), null, 'equal: 1 -> 1'],
    ['what was not there and is not', absent, absent, null, 'equal: absent -> absent'],
    ['what is another', value('1'), value('2'), null, 'differs: 1 -> 2'],
    ['what is gone', value('1'), absent, null, 'differs: 1 -> absent'],
    ['what was left', absent, value('1'), null, 'differs: absent -> 1'],
    ['what cannot be read any more', value('1'), unreadable, null, 'differs: 1 -> unreadable (no server)'],
    [
      'what could not be read before',
      unreadable,
      value('1'),
      null,
      'unknown: unreadable (no server) -> 1 (it could not be read before)',
    ],
    [
      'nor now',
      unreadable,
      unreadable,
      null,
      'unknown: unreadable (no server) -> unreadable (no server) (it could not be read before)',
    ],
    [
      'what nobody read in time',
      undefined,
      value('1'),
      null,
      'unknown: not read -> 1 (a command had changed a before it was first read)',
    ],
    ['what a step keeps on purpose', absent, value('1'), 'the package', 'kept: absent -> 1 (the package)'],
    ['and would keep, were it not as before all the same', value('1'), value('1'), 'the package', 'equal: 1 -> 1'],
  ] as const)('tells %s', (_, before, now, kept, expected) => {
    expect(line(before, now, kept)).toBe(expected);
  });
});

describe('a rollback that does not bring back what was there', () => {
  it('says so, names it, and ends as a failure', async () => {
    const run = new ModelRun(
      runbookOf([
        step('one', 'model.atomic', { key: 'one', value: 'new' }),
        step('same', 'model.atomic', { key: 'same', value: 'so' }),
      ]),
      { 'a/one': 'old', 'a/same': 'so' },
    );
    await run.start();
    run.world.cells.set('a/same', 'meddled');
    expect(await run.rollBack()).toMatchObject({
      outcome: 'rolled-back',
      exit: 1,
      error: {
        code: 'PROOF_FAILED',
        message: expect.stringContaining('a fact is not as before, or cannot be read: cell(same) on a.'),
      },
    });
    expect(run.state.phase).toBe('rolled-back');
    expect(run.state.proof?.find(({ key }) => key === 'cell(same)')).toMatchObject({
      verdict: 'differs',
      before: 'so',
      now: 'meddled',
    });
  });
});

describe('a fact that is first read late', () => {
  const late = { kind: 'expression', source: "steps['name'].outputs.name", at } satisfies Template;
  const map = (key: Template): Template => ({
    kind: 'map',
    entries: [
      ['key', key],
      ['value', { kind: 'literal', value: 'new', at }],
    ],
    at,
  });
  const atomic = modelActions.get('model.atomic');
  if (!atomic) throw new Error('no model.atomic');
  const named = (opaque: boolean) =>
    new Map([
      ...modelActions,
      [
        'model.named',
        {
          ...atomic,
          outputs: { name: 'a key' },
          plan: (...given: Parameters<typeof atomic.plan>) => {
            const planned = atomic.plan(...given);
            return planned.kind === 'change' ? { ...planned, opaque, outputs: {} } : planned;
          },
          apply: async (acting: Parameters<NonNullable<typeof atomic.apply>>[0]) => {
            await atomic.apply?.(acting);
            return { name: 'late' };
          },
        },
      ],
    ]);
  const runWith = async (opaque: boolean, checkpoint: number) => {
    const name = step('name', 'model.named', { key: 'one', value: 'new' });
    const run = new ModelRun(
      runbookOf([name, { ...step('late', 'model.atomic', null), with: map(late) }], [{ name: 'here', afterStep: checkpoint }]),
      { 'a/late': 'old' },
    );
    run.actions = named(opaque);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/late')).toBe('new');
    return run;
  };
  const proofOf = (run: ModelRun) => run.state.proof?.map(({ key, verdict }) => `${key} ${verdict}`).sort();

  it('is compared with its first reading, where no bare command came before it', async () => {
    const run = await runWith(false, 2);
    expect(await run.rollBack()).toMatchObject({ exit: 4 });
    expect(proofOf(run)).toEqual(['cell(late) equal', 'cell(one) equal']);
  });

  it('is not known, where one did', async () => {
    const run = await runWith(true, 2);
    expect(await run.rollBack()).toMatchObject({ exit: 4 });
    expect(proofOf(run)).toEqual(['cell(late) unknown', 'cell(one) equal']);
  });

  it('is compared with its first reading after a checkpoint, in a rollback to that', async () => {
    const run = await runWith(true, 1);
    expect(await run.rollBack({ to: 'here' })).toMatchObject({ exit: 4 });
    expect(run.world.cells.get('a/late')).toBe('old');
    // What the command itself had changed was not read again between it and the checkpoint.
    expect(proofOf(run)).toEqual(['cell(late) equal', 'cell(one) unknown']);
  });
});
