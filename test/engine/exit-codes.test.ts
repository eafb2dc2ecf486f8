import { expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const steps = [
  step('before', 'model.atomic', { key: 'x', value: '1' }),
  step('fill', 'model.proven', { key: 'y', value: '1' }),
  step('after', 'model.atomic', { key: 'z', value: '1' }),
];
const started = async () => {
  const run = new ModelRun(runbookOf(steps, [{ name: 'ready', afterStep: 1 }]));
  await run.start();
  return run;
};

it('an undo is told how the commands of its step ended', async () => {
  const run = await started();
  await run.rollBack();
  expect(run.world.cells.get('a/ended')).toBe('0');
});

// The restore that had been taken back counted, so what somebody restored by hand after the second had failed was dropped.
it('an undo is told nothing of attempts that were taken back before', async () => {
  const run = await started();
  await run.rollBack({ to: 'ready' });
  run.world.loseOnce.add('fill:work');
  expect(await run.resume()).toMatchObject({ outcome: 'failed' });
  await run.rollBack();
  expect(run.world.cells.get('a/ended')).toBe('nothing');
});
