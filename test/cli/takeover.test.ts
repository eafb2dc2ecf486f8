import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { ModelJournal } from '../kit/model-world.ts';
import { takeFrom, takeOver } from '../kit/taking-over.ts';
import { unsound } from '../kit/unsound.ts';

const CELLS = { 'a/log': 'start.', 'b/log': 'start.' };
const moved = () =>
  new ModelRun(
    runbookOf([
      step('dump', 'model.detached', { key: 'log', value: 'x' }),
      step('restore', 'model.detached', { key: 'log', value: 'y' }, { role: 'b' }),
    ]),
    CELLS,
  );
/** A run whose controller died, or hangs, while the step was at work. */
async function hanging(during: string): Promise<ModelRun> {
  const run = moved();
  run.world.onPoll = (id) => {
    run.world.dead = id === during;
  };
  expect(await run.start()).toBe('died');
  run.world.onPoll = undefined;
  run.world.dead = false;
  return run;
}
const cells = ({ world }: ModelRun) => Object.fromEntries(world.cells);

describe('ferry takeover', () => {
  it('raises the epoch on every host, writes down who took the run from whom, and leaves it to be resumed', async () => {
    const run = await hanging('restore');
    expect(await takeOver(run)).toMatchObject({ run: 'r-model', epoch: 2, phase: 'paused', fenced: ['a', 'b'], busy: [] });
    expect(run.state).toMatchObject({ epoch: 2, phase: 'paused', leases: ['a', 'b'] });
    expect([...run.world.epochs]).toEqual([
      ['a/r-model', 2],
      ['b/r-model', 2],
    ]);
    expect(run.world.leases.get('a')?.holder).not.toBe('me@model');
    expect(run.journal.read('r-model').at(-1)).toMatchObject({
      type: 'run.taken-over',
      body: { from: expect.any(String), hosts: ['a', 'b'] },
    });
    for (const host of ['a', 'b']) expect(run.world.copies.get(`${host}/r-model`)?.at(-1)).toContain('run.taken-over');
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(cells(run)).toEqual({ 'a/log': 'start.x', 'b/log': 'start.y' });
  });

  it('asks who may answer, naming the process that works on the run; who cannot be asked is refused', async () => {
    const run = await hanging('dump');
    const journal = new ModelJournal(run.world);
    journal.records.set('r-model', run.journal.read('r-model'));
    Object.assign(journal, { isOpen: () => true, holderOf: () => ({ pid: 4242, since: 'then' }) });
    const asked: string[] = [];
    const no = (question: string) => {
      asked.push(question);
      return Promise.resolve(false);
    };
    expect(await takeOver(run, { ask: no }, journal)).toBe(null);
    expect(asked).toEqual([expect.stringContaining('Process 4242 of this machine')]);
    await expect(takeOver(run, {}, journal)).rejects.toMatchObject({ code: 'CONTROLLER_ALIVE', exit: 5, args: { pid: 4242 } });
    expect(journal.read('r-model')).toEqual(run.journal.read('r-model'));
    expect(run.world.epochs.get('a/r-model')).toBe(1);
    expect(await takeOver(run, { yes: true }, journal)).toMatchObject({ epoch: 2 });
  });

  it('stands for the hosts it could reach, names the others, and resume takes those over', async () => {
    const run = await hanging('restore');
    run.world.away.add('b');
    await expect(takeOver(run)).rejects.toMatchObject({
      code: 'TAKEOVER_PARTIAL',
      exit: 3,
      args: { fenced: 'a', left: 'b', why: expect.stringContaining('no route') },
    });
    expect([run.state.epoch, run.world.epochs.get('a/r-model'), run.world.epochs.get('b/r-model')]).toEqual([2, 2, 1]);
    run.world.away.clear();
    expect(await run.resume()).toMatchObject({ outcome: 'finished' });
    expect(run.world.epochs.get('b/r-model')).toBe(2);
  });

  it('goes on to every other host when one refuses, whatever for, and says what stands', async () => {
    const run = await hanging('restore');
    const raise = run.world.raiseEpoch.bind(run.world);
    run.world.raiseEpoch = async (host, lease, epoch) => {
      if (host === 'a') throw new FerryError('HOST_LOGIN_REFUSED', { host, address: host, user: 'root', tried: 'a key' });
      // The refusal comes first, and used to end the work on this one.
      await Promise.resolve().then(() => undefined);
      return raise(host, lease, epoch);
    };
    await expect(takeOver(run)).rejects.toMatchObject({
      code: 'TAKEOVER_PARTIAL',
      args: { fenced: 'b', left: 'a', why: expect.stringContaining('root') },
    });
    expect(run.world.epochs.get('b/r-model')).toBe(2);
    expect(run.world.copies.get('b/r-model')?.at(-1)).toContain('run.taken-over');
  });

  it('can be done again, and of a rollback under way too', async () => {
    const run = await hanging('restore');
    await takeOver(run);
    expect(await takeOver(run)).toMatchObject({ epoch: 3 });
    run.world.failOnce.add('dump:restore');
    await run.rollBack();
    expect(await takeOver(run)).toMatchObject({ epoch: 4, phase: 'rolling-back' });
    expect(await run.rollBack()).toMatchObject({ outcome: 'rolled-back' });
    expect(cells(run)).toEqual(CELLS);
    await expect(takeOver(run)).rejects.toMatchObject({ code: 'RUN_OVER' });
  });
});

describe('ferry takeover --from', () => {
  const rebuilt = async (run: ModelRun, from: string, more: Parameters<typeof takeFrom>[3] = {}) => {
    const journal = new ModelJournal(run.world);
    const taken = await takeFrom(run, from, journal, more);
    return { journal, taken };
  };

  it('rebuilds the run from whichever host, with what any of them knows, and it goes on as usual', async () => {
    for (const from of ['a', 'b']) {
      const run = await hanging('restore');
      const lost = run.journal.read('r-model');
      const { journal, taken } = await rebuilt(run, from);
      expect(taken?.told[0]).toMatch(/known up to record \d+, of .*: step\.intended restore on b \(from b\)/);
      const known = journal.read('r-model');
      expect(known.slice(0, lost.length)).toEqual(lost);
      expect(known.slice(lost.length).map(({ type, epoch }) => [type, epoch])).toEqual([['run.taken-over', 2]]);
      run.journal = journal;
      expect(await run.resume()).toMatchObject({ outcome: 'finished' });
      expect(cells(run)).toEqual({ 'a/log': 'start.x', 'b/log': 'start.y' });
      expect(unsound(run)).toEqual([]);
    }
  });

  it('asks first, saying up to where the run is known, and changes nothing on a no', async () => {
    const run = await hanging('restore');
    const { journal, taken } = await rebuilt(run, 'a', { ask: () => Promise.resolve(false) });
    expect([taken, journal.read('r-model'), run.world.epochs.get('a/r-model')]).toEqual([null, [], 1]);
  });

  it('is refused while a host cannot be asked that may know more, unless that is lost for good', async () => {
    const run = await hanging('restore');
    run.world.away.add('b');
    const journal = new ModelJournal(run.world);
    await expect(takeFrom(run, 'a', journal)).rejects.toMatchObject({
      code: 'TAKEOVER_BLIND',
      args: { hosts: 'b', command: 'ferry takeover r-model --from a --without b' },
    });
    expect([journal.read('r-model'), run.world.epochs.get('a/r-model')]).toEqual([[], 1]);
    expect(await takeFrom(run, 'a', journal, { without: ['b'] })).toMatchObject({ fenced: ['a'] });
    run.journal = journal;
    expect(await run.rollBack()).toMatchObject({ error: { code: 'UNDO_OWED' } });
    expect(run.world.cells.get('a/log')).toBe('start.');
  });

  it('that could not shut out its former controller everywhere says so, and with which words to go on', async () => {
    for (const code of ['HOST_UNREACHABLE', 'HOST_LOGIN_REFUSED'] as const) {
      const run = await hanging('restore');
      const journal = new ModelJournal(run.world);
      const raise = run.world.raiseEpoch.bind(run.world);
      run.world.raiseEpoch = async (host, lease, epoch) => {
        const why = { host, address: host, port: 22, user: 'root', tried: 'a key', why: 'no route' };
        if (host === 'b') throw new FerryError(code, why);
        return raise(host, lease, epoch);
      };
      await expect(takeFrom(run, 'a', journal)).rejects.toMatchObject({
        code: 'TAKEOVER_UNFENCED',
        args: { hosts: 'b', again: 'ferry takeover r-model --from a', without: 'ferry takeover r-model --from a --without b' },
        left: expect.stringMatching(/nothing any more on a\. .*nothing of the run yet/),
      });
      expect([journal.read('r-model'), run.world.epochs.get('a/r-model')]).toEqual([[], 2]);
      run.world.raiseEpoch = raise;
      expect(await takeFrom(run, 'a', journal)).toMatchObject({ fenced: ['a', 'b'] });
      expect(run.world.epochs.get('b/r-model')).toBe(run.world.epochs.get('a/r-model'));
    }
  });

  it('does not say that nothing was changed where a host falls silent after epochs were raised', async () => {
    const run = await hanging('restore');
    const journal = new ModelJournal(run.world);
    const raise = run.world.raiseEpoch.bind(run.world);
    run.world.raiseEpoch = async (host, lease, epoch) => {
      const raised = await raise(host, lease, epoch);
      run.world.away.add('b');
      return raised;
    };
    await expect(takeFrom(run, 'a', journal)).rejects.toMatchObject({
      code: 'TAKEOVER_BLIND',
      message: expect.not.stringContaining('Nothing was changed'),
      left: expect.stringContaining('The former controller changes nothing any more on a'),
    });
    run.world.away.add('a');
    await expect(takeFrom(run, 'a', journal)).rejects.toMatchObject({ code: 'HOST_UNREACHABLE' });
  });

  it('goes without a lost host that the inventory does not name any more', async () => {
    const run = await hanging('restore');
    const inventory = join(mkdtempSync(join(tmpdir(), 'ferry-lost-host-')), 'inventory.yaml');
    onTestFinished(() => rmSync(dirname(inventory), { recursive: true }));
    writeFileSync(inventory, 'ferry: 1\nhosts: { a: { connection: local } }\n');
    const journal = new ModelJournal(run.world);
    const blind = await takeFrom(run, 'a', journal, { inventory }).catch((thrown: unknown) => thrown);
    expect(blind).toMatchObject({ code: 'TAKEOVER_BLIND', args: { command: 'ferry takeover r-model --from a --without b' } });
    await expect(takeFrom(run, 'a', journal, { inventory, without: ['nowhere'] })).rejects.toMatchObject({
      code: 'HOST_UNKNOWN',
    });
    expect(await takeFrom(run, 'a', journal, { inventory, without: ['b'] })).toMatchObject({ fenced: ['a'], epoch: 2 });
  });

  it('is refused where copies differ, or one is no chain, with the record in which', async () => {
    const run = await hanging('restore');
    const [b, a] = [run.world.copies.get('b/r-model') ?? [], run.world.copies.get('a/r-model') ?? []];
    const changed = (lines: string[], index: number) =>
      lines.with(index, (lines[index] ?? '').replace('"epoch":1', '"epoch":1,"x":1').replace('"at":"1970', '"at":"1971'));
    run.world.copies.set('b/r-model', changed(b, 2));
    await expect(rebuilt(run, 'a')).rejects.toMatchObject({ code: 'COPY_BROKEN', args: { host: 'b', seq: 3 } });
    run.world.copies.set('b/r-model', b);
    const { journal } = await rebuilt(run, 'a');
    expect(journal.read('r-model').length).toBe(b.length + 1);
    run.world.copies.set('a/r-model', a);
    run.world.copies.set('b/r-model', [...b, '{"seq":99}']);
    await expect(rebuilt(run, 'a')).rejects.toMatchObject({ code: 'COPY_BROKEN', args: { host: 'b', seq: b.length + 1 } });
  });

  it('tells two controllers that went on apart, by the hosts that know of each', async () => {
    const run = await hanging('restore');
    const apart = new ModelJournal(run.world);
    apart.records.set('r-model', run.journal.read('r-model').slice(0, 3));
    apart.append('r-model', { type: 'run.resumed', epoch: 1 });
    run.world.copies.set('a/r-model', [...apart.linesAfter('r-model', 0).lines]);
    await expect(rebuilt(run, 'a')).rejects.toMatchObject({ code: 'COPIES_DIFFER', args: { one: 'b', other: 'a', seq: 4 } });
  });

  it('does not mix its records with others of the same run in this state folder', async () => {
    const run = await hanging('restore');
    const older = new ModelJournal(run.world);
    older.records.set('r-model', run.journal.read('r-model').slice(0, 3));
    expect(await takeFrom(run, 'a', older)).toMatchObject({ epoch: 2 });
    const other = new ModelJournal(run.world);
    other.records.set('r-model', run.journal.read('r-model').slice(0, 3));
    other.append('r-model', { type: 'run.paused', epoch: 1, body: { reason: 'failure' } });
    await expect(takeFrom(run, 'a', other)).rejects.toMatchObject({ code: 'JOURNAL_FORKED', args: { seq: 4 } });
  });

  it('says what is wrong with a host that is unknown, free, or knows nothing of the run', async () => {
    const run = moved();
    await expect(rebuilt(run, 'nowhere')).rejects.toMatchObject({ code: 'HOST_UNKNOWN' });
    await expect(rebuilt(run, 'a')).rejects.toMatchObject({ code: 'HOST_FREE' });
    run.world.leases.set('a', { run: 'r-model', holder: 'me@model', since: 'then' });
    await expect(rebuilt(run, 'a')).rejects.toMatchObject({ code: 'COPY_MISSING' });
  });
});

describe('the words of ferry takeover', () => {
  it('are handed on, and an answer of no ends with 5', async () => {
    const { wire, calls } = modelWire();
    const { exit, out } = typed('takeover --from engine --without he1 --without he2 --yes', { wire });
    expect(await exit).toBe(0);
    expect(out.text()).toContain('Taken over: ');
    expect(calls).toEqual([
      ['takeover', undefined, expect.objectContaining({ from: 'engine', without: ['he1', 'he2'], yes: true })],
    ]);
    expect(await typed('takeover r-1', { wire: { ...wire, takeOverRun: async () => null } }).exit).toBe(5);
  });
});
