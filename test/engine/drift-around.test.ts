import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Action, change, defineAction } from '../../src/actions/action.ts';
import { defineFact, value } from '../../src/facts/fact.ts';
import { fileTree } from '../../src/facts/file-tree.ts';
import { Sh, sh } from '../../src/hosts/sh.ts';
import { modelActions } from '../kit/model-actions.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { cell } from '../kit/model-world.ts';

/** A folder as one cell, which is another one whenever something is put into it. */
const folder = defineFact<[path: string], string>({
  kind: 'folder',
  class: 'state',
  script: (path) => sh`cell ${path}`,
  parse: (answer) => value(answer.stdout),
  show: String,
  ...(fileTree.definition.around ? { around: fileTree.definition.around } : {}),
});
const params = z.strictObject({});

/** Puts a file into the folder and says so of the file alone. */
const put = defineAction({
  summary: 'Put a file.',
  params,
  facts: ({ host }) => ({ file: cell('/etc/x/conf').on(host.name) }),
  plan: (_, { file }) =>
    change({ summary: 'put', predicts: [file.becomes('new')], outputs: {}, undo: {}, undoSummary: 'remove it' }),
  async apply({ on }) {
    await on.change('set', new Sh('set /etc/x/conf new'));
    await on.change('mark', new Sh('set /etc/x two'));
  },
  irreversible: 'a model',
  examples: [],
});
/** Is planned on the whole folder. */
const setup = defineAction({
  summary: 'Set up.',
  params,
  facts: ({ host }) => ({ tree: folder('/etc/x').on(host.name) }),
  plan: (_, { tree }) =>
    change({ summary: 'set up', predicts: [tree.becomesUnknown()], outputs: {}, undo: {}, undoSummary: 'nothing' }),
  async apply({ on }) {
    await on.change('set', new Sh('set /etc/x three'));
  },
  irreversible: 'a model',
  examples: [],
});

describe('a folder that a step is planned on with all that is in it', () => {
  const begin = (...uses: string[]) => {
    const steps = uses.map((name) => step(name, `model.${name}`, {}, { confirm: `${name}?` }));
    const run = new ModelRun(runbookOf(steps), { 'a//etc/x': 'one', 'a//etc/x/conf': 'old' });
    run.actions = new Map<string, Action>([...modelActions, ['model.put', put as Action], ['model.setup', setup as Action]]);
    // Nobody is there to say that what moved may be taken as it is.
    run.person = null;
    return run;
  };

  it('is not moved by other hands where an earlier step of the run has put a file into it', async () => {
    expect(await begin('put', 'setup').start()).toMatchObject({ outcome: 'finished' });
  });

  it('is, where the run has changed nothing in it', async () => {
    const run = begin('setup');
    run.whileAsked = () => run.world.cells.set('a//etc/x', 'by hand');
    expect(await run.start()).toMatchObject({ error: { code: 'FACT_DRIFTED' } });
  });
});
