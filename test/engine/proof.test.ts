import { describe, expect, it } from 'vitest';
import { afterFailure } from '../../src/engine/after-failure.ts';
import { judge } from '../../src/engine/proof.ts';
import { executeRun } from '../../src/engine/run.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import type { Reading } from '../../src/plan/plan.ts';
import { statusText } from '../../src/renderers/status.ts';
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
    expect(statusText(run.state, { width: 100, colour: false })).toContain(
      'r-model   model   rolled back, proof failed (1 fact)',
    );
    expect(run.state.proof?.find(({ key }) => key === 'cell(same)')).toMatchObject({
      verdict: 'differs',
      before: 'so',
      now: 'meddled',
    });
  });
});

describe('a rollback whose proof cannot be read', () => {
  /** A run whose second step fails, on a host that is too slow for its facts once the first one is undone. */
  const failing = () => {
    const run = new ModelRun(
      runbookOf([
        step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
        step('send', 'model.atomic', { key: 'log', value: 'x' }),
      ]),
      { 'a/conf': 'old' },
    );
    run.world.failOnce.add('send:set');
    const read = run.world.read.bind(run.world);
    run.world.read = async (host, refs) => {
      if (types(run).at(-1) !== 'step.undone') return read(host, refs);
      run.world.read = read;
      throw new FerryError('COMMAND_TIMEOUT', { host, what: 'A command', limit: '60 s' });
    };
    return run;
  };
  const types = (run: ModelRun) => run.journal.read('r-model').map(({ type }) => type);
  const unread = {
    outcome: 'paused',
    exit: 3,
    error: {
      code: 'PROOF_UNREAD',
      message: expect.stringContaining('A command on a'),
      hint: expect.stringContaining('ferry rollback r-model'),
      left: 'Every step that changed something is undone.',
    },
  };
  /** What all of them come to: a rollback that only lacks its proof, which the same words give. */
  const isOwed = async (run: ModelRun) => {
    expect(run.state).toMatchObject({ phase: 'rolling-back', pause: { reason: 'failure', error: { code: 'PROOF_UNREAD' } } });
    expect(types(run).at(-1)).toBe('run.paused');
    expect(run.world.cells.get('a/conf')).toBe('old');
    const status = statusText(run.state, { width: 100, colour: false });
    expect(status).toContain('rolling back (failure)');
    expect(status).toContain('error PROOF_UNREAD  Whether all is as it was before could not be read');
    expect(status).toContain('go on    ferry rollback r-model   (goes on with what is left of it)');
    expect(status).not.toContain('ferry resume');
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(run.state.proof?.every(({ verdict }) => verdict === 'equal')).toBe(true);
    expect(run.state.leases).toEqual([]);
  };

  it('is paused as one, with why, and proven when it is gone on with', async () => {
    const run = failing();
    await run.start();
    expect(await run.rollBack()).toMatchObject(unread);
    await isOwed(run);
  });

  it.each(['retry', 'pause'] as const)('asks nobody once more who went back from a failed step (%s)', async (answer) => {
    const run = failing();
    run.failureAnswers.push({ answer: 'back', to: null }, { answer });
    expect(await run.start()).toMatchObject(unread);
    expect(run.asked).toHaveLength(1);
    expect(types(run)).not.toContain('step.retried');
    await isOwed(run);
  });

  it('is none that never began, where it came by itself', async () => {
    const run = failing();
    await run.begin();
    const end = await run.inContext(async (context) =>
      afterFailure(context, await executeRun(context, { resumed: false, rollBackAfterMs: 0 }), 0),
    );
    expect(end).toMatchObject(unread);
    expect(run.events.some((event) => event.type === 'note' && event.text.startsWith('Not rolled back'))).toBe(false);
    await isOwed(run);
  });
});

describe('a rollback in the midst of which the journal cannot be written', () => {
  it('is not told as a run that stays as it failed, where it came by itself', async () => {
    const run = new ModelRun(runbookOf([step('conf', 'model.atomic', { key: 'conf', value: 'new' })]), { 'a/conf': 'old' });
    run.world.failOnce.add('conf:set');
    await run.begin();
    const append = run.journal.append.bind(run.journal);
    const work = run.inContext(async (context) => {
      const failed = await executeRun(context, { resumed: false, rollBackAfterMs: 0 });
      run.journal.append = (id, record) => {
        if (record.type === 'step.undone') throw new FerryError('JOURNAL_UNWRITABLE', { dir: '/state', why: 'disk full' });
        return append(id, record);
      };
      return afterFailure(context, failed, 0);
    });
    await expect(work).rejects.toMatchObject({ code: 'JOURNAL_UNWRITABLE' });
    expect(run.state.phase).toBe('rolling-back');
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
