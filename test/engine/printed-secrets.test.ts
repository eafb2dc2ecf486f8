import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Action, change, check, defineAction } from '../../src/actions/action.ts';
import { unknown } from '../../src/actions/outputs.ts';
import { secretText } from '../../src/actions/params.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import { Sh } from '../../src/hosts/sh.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import type { Step, Template } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { cell } from '../kit/model-world.ts';
import { unsound } from '../kit/unsound.ts';

const PASSWORD = 'canary-4f1c';
const at = { file: 'model.yaml', line: 1, column: 1 };
const expression = (source: string): Template => ({ kind: 'expression', source, at });
const given = (base: Step, params: Record<string, Template>): Step => ({
  ...base,
  with: { kind: 'map', entries: Object.entries(params), at },
});

/** A command that prints what it reads, as one that makes a connection string does. */
const printing = defineAction({
  summary: 'Print.',
  params: z.strictObject({ text: secretText() }),
  converges: false,
  facts: () => ({}),
  plan: () => change({ summary: 'print', predicts: [], outputs: { stdout: unknown('text') }, undo: null, undoSummary: '' }),
  apply: async ({ on, params: { text } }) => ({
    stdout: (await on.change('command', new Sh(`say dsn://app:${reveal(text)}@db`))).stdout,
  }),
  async rollback() {},
  examples: [],
});

/** The same, as a check that is asked each time. */
const looking = defineAction({
  summary: 'Look.',
  params: z.strictObject({ text: secretText() }),
  facts: ({ host }) => ({ said: cell('said').on(host.name) }),
  plan: (_, { said }) => check('look', { outputs: { stdout: unknown(`text after ${said.value ?? 'nothing'}`) } }),
  apply: async ({ params: { text } }) => ({ stdout: `dsn://app:${reveal(text)}@db` }),
  examples: [],
});

/** A file that may hold a secret. */
const writing = defineAction({
  summary: 'Write.',
  params: z.strictObject({ key: z.string(), value: secretText() }),
  facts: ({ host }, { key }) => ({ cell: cell(key).on(host.name) }),
  plan: ({ key }, { cell: found }) =>
    change({ summary: `write ${key}`, predicts: [found.becomesUnknown()], undo: key, undoSummary: 'remove it' }),
  async apply({ on, params: { key, value } }) {
    await on.change('write', new Sh(`set ${key} ${reveal(value)}`));
  },
  async rollback({ on, undo }) {
    await on.change('remove', new Sh(`unset ${undo}`));
  },
  examples: [],
});

const actions = new Map<string, Action>([
  ...modelActions,
  ['model.printing', printing],
  ['model.looking', looking],
  ['model.writing', writing],
] as [string, Action][]);

function runOf(uses: string, source = "steps['make'].outputs.stdout"): ModelRun {
  const run = new ModelRun(
    runbookOf([
      given(step('make', uses, {}), { text: expression('inputs.password') }),
      step('between', 'model.atomic', { key: 'z', value: '1' }),
      given(step('use', 'model.writing', {}), { key: { kind: 'literal', value: 'x', at }, value: expression(source) }),
    ]),
  );
  run.actions = actions;
  run.inputs.set('password', new Secret(PASSWORD, 'input:password'));
  return run;
}

/** The crash point right after the step between, once the output is on record. */
async function dieBetween(run: ModelRun, uses: string): Promise<void> {
  const whole = runOf(uses);
  await whole.start();
  expect(await run.start(whole.passed.indexOf('after-record step.verified:between') + 1)).toBe('died');
}

describe('what a command prints with a secret in it', () => {
  // The step after it was given the text "[secret]" in its place, and wrote that into a conf file.
  it.each(['model.printing', 'model.looking'])('is handed on as it is, and is on no record (%s)', async (uses) => {
    const run = runOf(uses);
    expect(await run.start()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/x')).toBe(`dsn://app:${PASSWORD}@db`);
    // What the model reads of its own cells is no published reading.
    const records = run.journal.read('r-model').filter(({ step: of }) => of !== 'use');
    const written = JSON.stringify([records, run.events]);
    expect(written).not.toContain(PASSWORD);
    expect(run.state.steps.get('make')?.outputs).toEqual({
      stdout: { $secret: 'step:make.stdout', hash: expect.any(String), text: 'dsn://app:[secret]@db' },
    });
  });

  it.each(['model.printing', 'model.looking'])('is had again after a crash, and no command runs twice (%s)', async (uses) => {
    const run = runOf(uses);
    await dieBetween(run, uses);
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/x')).toBe(`dsn://app:${PASSWORD}@db`);
    expect(unsound(run)).toEqual([]);
  });

  it('is had again where its hash cannot be compared any more, and gets one that can', async () => {
    const run = runOf('model.printing');
    await dieBetween(run, 'model.printing');
    const records = run.journal.records.get('r-model') ?? [];
    const applied = records.findIndex(({ type, step: of }) => type === 'step.applied' && of === 'make');
    const hidden = { $secret: 'step:make.stdout', hash: 'other:x', text: 'dsn://app:[secret]@db' };
    records.splice(applied, 1, { ...(records[applied] as JournalRecord), body: { outputs: { stdout: hidden } } });
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/x')).toBe(`dsn://app:${PASSWORD}@db`);
    expect(run.journal.read('r-model').filter(({ type }) => type === 'secrets.rekeyed')).toMatchObject([
      { step: 'make', body: { outputs: { stdout: { ...hidden, hash: expect.not.stringContaining('other:') } } } },
    ]);
    expect(run.state.steps.get('make')?.outputs.stdout).not.toEqual(hidden);
  });

  it('stops the step that uses it when the host cannot tell it any more, and says what to do', async () => {
    const run = runOf('model.printing');
    await dieBetween(run, 'model.printing');
    run.world.commands.attempts.clear();
    expect(await run.resume()).toMatchObject({
      outcome: 'failed',
      exit: 5,
      error: {
        code: 'SECRET_GONE',
        message: expect.stringContaining('step make handed on as stdout'),
        hint: expect.stringContaining('ferry rollback r-model'),
        left: expect.stringContaining('Step use changed nothing'),
      },
    });
    expect(run.world.cells.has('a/x')).toBe(false);
    expect(run.world.ran.filter((one) => one.includes('make'))).toHaveLength(1);
  });

  it('stops nothing that does not use it', async () => {
    const run = runOf('model.printing', "steps['between'].outputs.before == null ? 'free' : 'taken'");
    await dieBetween(run, 'model.printing');
    run.world.commands.attempts.clear();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/x')).toBe('free');
  });
});
