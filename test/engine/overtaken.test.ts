import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const runbook = (value: string) =>
  runbookOf([
    step('one', 'model.saving', { key: 'conf', value }),
    step('two', 'model.saving', { key: 'conf', value }, { role: 'b' }),
  ]);
/** Two runs in one world and journal, the second after the first. */
async function oneAfterTheOther(): Promise<{ first: ModelRun; second: ModelRun; cells: () => object }> {
  const first = new ModelRun(runbook('A'), { 'a/conf': 'old', 'b/conf': 'old' }, 'r-a');
  expect(await first.start()).toMatchObject({ outcome: 'finished' });
  const second = Object.assign(new ModelRun(runbook('B'), {}, 'r-b'), { world: first.world, journal: first.journal });
  expect(await second.start()).toMatchObject({ outcome: 'finished' });
  return { first, second, cells: () => Object.fromEntries(first.world.cells) };
}
const OLD = { 'a/conf': 'old', 'b/conf': 'old' };
const B = { 'a/conf': 'B', 'b/conf': 'B' };
const refusal = {
  code: 'RUN_OVERTAKEN',
  exit: 5,
  args: { run: 'r-a', newer: 'r-b (model, finished) on a and b', latest: 'r-b' },
  left: 'Nothing was changed.',
};

describe('a run after which another has worked on its hosts', () => {
  // The undo of the first destroyed what the second had made, and the proof said "equal".
  it('is not rolled back, and is once the other is', async () => {
    const { first, second, cells } = await oneAfterTheOther();
    await expect(first.rollBack()).rejects.toMatchObject(refusal);
    expect([cells(), first.state.phase, [...first.world.leases]]).toEqual([B, 'finished', []]);
    expect(await second.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(await first.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
    expect(cells()).toEqual(OLD);
  });

  it('is rolled back over it when a person says so, which goes on record, and then gone on with', async () => {
    const { first, cells } = await oneAfterTheOther();
    expect(await first.rollBack({ overNewer: true }, 'before-undo one')).toBe('died');
    expect(first.journal.read('r-a').find(({ type }) => type === 'rollback.started')?.body).toMatchObject({ overNewer: ['r-b'] });
    // It has its hosts by now.
    expect(await first.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cells()).toEqual(OLD);
  });

  it('is not gone on with', async () => {
    const first = new ModelRun(runbook('A'), OLD, 'r-a');
    await first.start('before-apply two');
    first.world.dead = false;
    // As after a takeover from a host that was free already.
    for (const host of ['a', 'b']) await first.world.releaseLease(host, 'r-a');
    const second = Object.assign(new ModelRun(runbook('B'), {}, 'r-b'), { world: first.world, journal: first.journal });
    expect(await second.start()).toMatchObject({ outcome: 'finished' });
    expect(await first.resume()).toMatchObject({ outcome: 'refused', exit: 5, error: { code: 'RUN_OVERTAKEN' } });
    expect(Object.fromEntries(first.world.cells)).toEqual(B);
  });

  // It became a paused run that could not go on: LEASE_HELD, then RUN_OVERTAKEN, then only given up.
  it('gives back the host it still holds, and stays finished', async () => {
    const first = new ModelRun(runbook('A'), OLD, 'r-a');
    expect(await first.start('before-record lease.released:')).toBe('died');
    expect([first.state.phase, first.state.leases]).toEqual(['finished', ['a', 'b']]);
    first.world.dead = false;
    await first.world.releaseLease('a', 'r-a');
    const onA = runbookOf([step('one', 'model.saving', { key: 'conf', value: 'B' })]);
    const second = Object.assign(new ModelRun(onA, {}, 'r-b'), { world: first.world, journal: first.journal });
    second.stopAt = 'before-apply one';
    await second.start('before-record run.finished:');
    const records = first.journal.read('r-a').length;
    expect(await first.resume()).toMatchObject({ outcome: 'finished', exit: 0 });
    expect([first.state.phase, first.state.leases]).toEqual(['finished', []]);
    expect(
      first.journal
        .read('r-a')
        .slice(records)
        .map(({ type }) => type),
    ).toEqual(['lease.released', 'lease.released']);
    expect([...first.world.leases].map(([host, { run }]) => `${host} ${run}`)).toEqual(['a r-b']);
  });

  it('is not held up by one that was refused before it began', async () => {
    const { first, second } = await oneAfterTheOther();
    await second.rollBack();
    const third = Object.assign(new ModelRun(runbook('C'), {}, 'r-c'), { world: first.world, journal: first.journal });
    first.world.leases.set('b', { run: 'r-other', holder: 'x', since: 'then' });
    expect(await third.start()).toMatchObject({ outcome: 'refused', error: { code: 'LEASE_HELD' } });
    first.world.leases.delete('b');
    expect(await first.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    // Nothing was begun, so there is nothing of others to destroy.
    expect(await third.resume()).toMatchObject({ outcome: 'finished' });
  });
});

it('a run that its hosts say was taken back is neither taken back nor gone on with again', async () => {
  const run = new ModelRun(runbook('A'), OLD, 'r-a');
  await run.start();
  const known = run.journal.read('r-a');
  await run.rollBack();
  run.journal.records.set('r-a', known.slice(0, -3));
  expect(run.state.phase).toBe('running');
  await expect(run.rollBack()).rejects.toMatchObject({ code: 'RUN_TAKEN_BACK', exit: 64, args: { hosts: 'a and b' } });
  expect(await run.resume()).toMatchObject({ outcome: 'refused', error: { code: 'RUN_TAKEN_BACK' } });
});

it('a run whose hosts were given back but one is gone through once more', async () => {
  const run = new ModelRun(runbook('A'), OLD, 'r-a');
  await run.start();
  const release = run.world.releaseLease.bind(run.world);
  run.world.releaseLease = (host, ...more) => (host === 'b' ? Promise.reject(new Error('gone')) : release(host, ...more));
  await run.rollBack();
  run.world.releaseLease = release;
  expect([...run.world.leases.keys()]).toEqual(['b']);
  // Another has come onto the host that is free.
  run.world.leases.set('a', { run: 'r-b', holder: 'you@there', since: 'now' });
  const records = run.journal.read('r-a').length;
  expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back', exit: 4 });
  expect([...run.world.leases.keys()]).toEqual(['a']);
  expect(
    run.journal
      .read('r-a')
      .slice(records)
      .map(({ type }) => type),
  ).toEqual(['lease.released']);
});
