import { describe, expect, it } from 'vitest';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

const steps = [
  step('one', 'model.atomic', { key: 'x', value: '1' }),
  step('two', 'model.atomic', { key: 'x', value: '2' }),
  step('far', 'model.atomic', { key: 'y', value: '1' }, { role: 'b' }),
];

describe('a rollback that is looked at', () => {
  it('shows each undo on what the undos before it will have made, and changes nothing', async () => {
    const run = new ModelRun(runbookOf(steps), { 'b/y': '0' });
    await run.start();
    const [ran, records] = [run.world.ran.length, run.journal.read('r-model').length];
    expect((await run.preview()).map(({ step: id, diff }) => [id, diff])).toEqual([
      ['far', [['~', 'y ', '1', '0']]],
      ['two', [['~', 'x ', '2', '1']]],
      ['one', [['~', 'x ', '1', 'absent']]],
    ]);
    expect([run.world.ran.length, run.journal.read('r-model').length]).toEqual([ran, records]);
  });

  it('starts from what is there now, whatever the plan was', async () => {
    const run = new ModelRun(runbookOf(steps));
    await run.start();
    run.world.cells.set('a/x', 'by hand');
    run.world.cells.delete('b/y');
    expect((await run.preview()).map(({ diff }) => diff)).toEqual([
      [],
      [['~', 'x ', 'by hand', '1']],
      [['~', 'x ', '1', 'absent']],
    ]);
  });

  it('to a checkpoint shows what came after it', async () => {
    const run = new ModelRun(runbookOf(steps, [{ name: 'there', afterStep: 1 }]));
    await run.start();
    expect((await run.preview('there')).map(({ step: id }) => id)).toEqual(['far', 'two']);
    await expect(run.preview('nowhere')).rejects.toMatchObject({ code: 'CHECKPOINT_UNKNOWN' });
  });

  it('says of a host that gives no answer that what is on it is not known, and tells the rest', async () => {
    const run = new ModelRun(runbookOf(steps));
    await run.start();
    const [far, two] = await run.preview(undefined, 'b');
    expect(far).toMatchObject({ step: 'far', diff: null, unknown: expect.stringContaining('it is off') });
    expect(two).toMatchObject({ step: 'two', diff: [['~', 'x ', '2', '1']], unknown: null });
  });

  it('says of a step type that cannot look ahead that it is not known', async () => {
    const run = new ModelRun(runbookOf([step('both', 'model.partial', { key: 'x', value: '1' })]));
    await run.start();
    expect(await run.preview()).toMatchObject([
      { step: 'both', summary: 'back', diff: null, unknown: 'this step type cannot look ahead' },
    ]);
  });
});
