import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

/** A run on two hosts that is paused after its first step; then the inventory gives `b` another machine. */
async function movedAway(): Promise<ModelRun> {
  const run = new ModelRun(
    runbookOf(
      [
        step('one', 'model.atomic', { key: 'conf', value: 'new' }),
        step('two', 'model.atomic', { key: 'conf', value: 'new' }, { role: 'b' }),
      ],
      [{ name: 'half', afterStep: 1 }],
    ),
    { 'a/conf': 'old', 'b/conf': 'old' },
  );
  await run.start();
  run.world.known.delete('b/r-model');
  return run;
}
const refusal = { error: { code: 'HOST_NOT_THE_SAME', left: 'Nothing was changed.' } };
const cells = ({ world }: ModelRun) => [world.cells.get('a/conf'), world.cells.get('b/conf')];

describe('a run of which a host is another machine now', () => {
  // What was on the other machine was taken away there, and the proof said "equal".
  it('is not rolled back, on no host of it', async () => {
    const run = await movedAway();
    await expect(run.rollBack()).rejects.toMatchObject({ code: 'HOST_NOT_THE_SAME', args: { host: 'b' }, exit: 5 });
    expect(cells(run)).toEqual(['new', 'new']);
    expect(run.state).toMatchObject({ phase: 'finished', leases: [] });
    expect([...run.world.leases.keys(), ...run.world.known]).toEqual(['a/r-model']);
  });

  it('is not gone on with', async () => {
    const run = await movedAway();
    run.world.known.add('b/r-model');
    await run.rollBack({ to: 'half' });
    run.world.known.delete('b/r-model');
    expect(await run.resume()).toMatchObject({ outcome: 'refused', exit: 5, ...refusal });
    expect(cells(run)).toEqual(['new', 'old']);
    run.world.known.add('b/r-model');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
  });
});

it('a run that never came to a host takes it as it is', async () => {
  const run = new ModelRun(
    runbookOf([
      step('one', 'model.atomic', { key: 'conf', value: 'new' }),
      step('two', 'model.atomic', { key: 'conf', value: 'new' }, { role: 'b' }),
    ]),
    { 'a/conf': 'old', 'b/conf': 'old' },
  );
  const take = run.world.takeLease.bind(run.world);
  run.world.takeLease = (host, lease, epoch) => (host === 'b' ? Promise.reject(new Error('gone')) : take(host, lease, epoch));
  expect(await run.start()).toMatchObject({ outcome: 'refused' });
  run.world.takeLease = take;
  expect(run.state.workedOn).not.toContain('b');
});
