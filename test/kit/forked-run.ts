import { expect } from 'vitest';
import { ModelRun, runbookOf, step } from './model-run.ts';

export const CELLS = {
  'a/one': 'old',
  'a/left': 'old',
  'b/right1': 'old',
  'b/right2': 'old',
  'a/joined': 'old',
  'b/unit': 'down',
};

/** A fork, a join, the write line in the middle, and writers after it; every step takes something back that can be seen. */
const graph = () =>
  runbookOf(
    [
      step('one', 'model.atomic', { key: 'one', value: 'new' }),
      step('left', 'model.saving', { key: 'left', value: 'new' }, { needs: ['one'] }),
      step('right', 'model.partial', { key: 'right', value: 'new' }, { role: 'b', needs: ['one'] }),
      step('look', 'model.check', { key: 'left' }, { needs: ['left', 'right'] }),
      step('data', 'model.keeping', { key: 'data', value: 'rows' }, { role: 'b', needs: ['look'] }),
      step('line', 'model.line', {}, { role: 'b', needs: ['data'] }),
      step('start', 'model.atomic', { key: 'unit', value: 'up' }, { role: 'b', needs: ['line'] }),
      step('beside', 'model.detached', { key: 'joined', value: 'x' }, { needs: ['line'] }),
    ],
    [
      { name: 'ready', afterStep: 1 },
      { name: 'moved', afterStep: 6 },
    ],
  );

export const cellsOf = (run: ModelRun) => Object.fromEntries([...run.world.cells].sort());

/** A run of it that is finished, with something in the way of its rollback. */
export async function moved(disturb: (run: ModelRun) => void = () => undefined): Promise<ModelRun> {
  const run = new ModelRun(graph(), CELLS);
  expect(await run.start()).toMatchObject({ outcome: 'finished' });
  disturb(run);
  return run;
}
