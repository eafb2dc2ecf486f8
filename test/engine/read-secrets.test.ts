import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Action, change, check, defineAction } from '../../src/actions/action.ts';
import { secretText } from '../../src/actions/params.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import { Sh } from '../../src/hosts/sh.ts';
import type { Step } from '../../src/runbook/runbook.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { cell } from '../kit/model-world.ts';

const at = { file: 'model.yaml', line: 1, column: 1 };

/** Reads a password, as config.read does. */
const reading = defineAction({
  summary: 'Read.',
  params: z.strictObject({}),
  facts: ({ host }) => ({ password: cell('password').on(host.name) }),
  plan: (_, { password }) => check('read', { outputs: { password: new Secret(password.value ?? '', 'config:a:PASSWORD') } }),
  apply: async () => ({}),
  examples: [],
});

/** Sends it somewhere. */
const using = defineAction({
  summary: 'Use.',
  params: z.strictObject({ password: secretText() }),
  facts: ({ host }) => ({ used: cell('used').on(host.name) }),
  plan: (_, { used }) => change({ summary: 'use', predicts: [used.becomesUnknown()], undo: null, undoSummary: '' }),
  async apply({ on, params: { password } }) {
    await on.change('use', new Sh(`set used ${reveal(password)}`));
  },
  async rollback({ on }) {
    await on.change('forget', new Sh('unset used'));
  },
  examples: [],
});

const actions = new Map<string, Action>([...modelActions, ['model.reading', reading], ['model.using', using]] as [
  string,
  Action,
][]);

/** Reads, uses what was read, and then makes another of its source; the last step needs nothing of all that. */
async function diedAt(point: string): Promise<ModelRun> {
  const use: Step = {
    ...step('use', 'model.using', {}),
    with: { kind: 'map', entries: [['password', { kind: 'expression', source: "steps['read'].outputs.password", at }]], at },
  };
  const run = new ModelRun(
    runbookOf([
      step('read', 'model.reading', {}),
      use,
      step('replace', 'model.atomic', { key: 'password', value: 'gone' }),
      step('last', 'model.atomic', { key: 'z', value: '1' }),
    ]),
    { 'a/password': 'canary-7d20' },
  );
  run.actions = actions;
  expect(await run.start(point)).toBe('died');
  return run;
}

describe('a secret that a step has read', () => {
  it('need not be there any more when the run itself replaced it and no step to come uses it', async () => {
    const run = await diedAt('after-record step.verified:replace');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.cells.get('a/used')).toBe('canary-7d20');
  });

  it('must be the one from before where a step to come uses it', async () => {
    const run = await diedAt('after-record step.checked:read');
    run.world.cells.set('a/password', 'other');
    expect(await run.resume()).toMatchObject({ exit: 5, error: { code: 'SECRET_DRIFTED' } });
    expect(run.world.cells.has('a/used')).toBe(false);
  });
});
