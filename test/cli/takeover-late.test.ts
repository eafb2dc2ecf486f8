import { expect, it } from 'vitest';
import { takenText } from '../../src/renderers/taken.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { ModelJournal } from '../kit/model-world.ts';
import { takeFrom } from '../kit/taking-over.ts';

const OLD = { 'a/conf': 'old' };
const run = (value: string, id: string) =>
  new ModelRun(runbookOf([step('one', 'model.saving', { key: 'conf', value })]), OLD, id);
const after = (first: ModelRun, value: string) => Object.assign(run(value, 'r-new'), { world: first.world });
const page = { width: 200, colour: false };
/** Takes `r-model` over into an empty journal, which is then that of the run. */
async function taken(first: ModelRun) {
  first.journal = new ModelJournal(first.world);
  const told = await takeFrom(first, 'a', first.journal, { run: 'r-model' });
  return takenText(told as NonNullable<typeof told>, page);
}

// It counted as paused; a rollback of it deleted what the newer run had made, and proved that all was equal.
it('a run that was taken back before its state folder was lost is over for whoever takes it over', async () => {
  const first = run('A', 'r-model');
  await first.start();
  await first.rollBack();
  const second = after(first, 'B');
  second.journal = new ModelJournal(first.world);
  expect(await second.start()).toMatchObject({ outcome: 'finished' });
  const text = await taken(first);
  expect(text).toContain('It was taken back and has given its hosts back, a says: nothing of it is left to do.');
  expect(text).not.toMatch(/ferry (resume|rollback)/);
  expect(first.state).toMatchObject({ phase: 'rolled-back', leases: [], endedAt: expect.any(String) });
  expect(first.world.cells.get('a/conf')).toBe('B');
});

it('a run after which another has worked is offered neither to go on nor back, and does not', async () => {
  const first = run('A', 'r-model');
  await first.start();
  const second = after(first, 'B');
  second.journal = new ModelJournal(first.world);
  await second.start();
  const text = await taken(first);
  expect(text).toContain('a: run r-new (not in this state folder) has worked there since.');
  expect(text).not.toMatch(/ferry (resume|rollback)/);
  expect(await first.resume()).toMatchObject({ outcome: 'refused', error: { code: 'RUN_OVERTAKEN' } });
  await expect(first.rollBack()).rejects.toMatchObject({
    code: 'RUN_OVERTAKEN',
    args: { newer: 'r-new (not in this state folder) on a', latest: '' },
  });
  expect(first.world.cells.get('a/conf')).toBe('B');
});
