import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { cleanRuns, leftError } from '../../src/cli/clean.ts';
import type { CleanReport } from '../../src/cli/contract.ts';
import { foldRun } from '../../src/engine/fold.ts';
import { leftOn } from '../../src/engine/state.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import type { HostSettings } from '../../src/inventory/inventory.ts';
import type { Json } from '../../src/lib/json.ts';
import { cleanText } from '../../src/renderers/clean.ts';
import { runsText } from '../../src/renderers/runs.ts';
import { statusText } from '../../src/renderers/status.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { ModelJournal, ModelWorld } from '../kit/model-world.ts';
import { movePlan } from '../kit/plans.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-clean-'));
const inventory = join(folder, 'inventory.yaml');
writeFileSync(inventory, 'ferry: 1\nhosts: { a: { connection: local }, b: { connection: local } }\n');
afterAll(() => rmSync(folder, { recursive: true }));

class Runs extends ModelJournal {
  override runs() {
    const one = { runbook: 'move', startedAt: '', lastAt: '', lastType: '', stands: '', differing: 0 };
    return [...this.records.keys()].reverse().map((run) => ({ run, ...one })) as never[];
  }
}

let world: ModelWorld;
let journal: Runs;
/** A run with 1 kB on each of its hosts, which ended so. */
const ended = (run: string, type: string, hosts = ['a', 'b'], of = inventory, lines: Json[] = []) => {
  const body = { plan: movePlan(), path: '', sources: [], inventory: of, secrets: {} } as unknown as { [name: string]: Json };
  journal.create(run, 'move', { type: 'run.started', epoch: 1, body });
  for (const host of hosts) {
    journal.append(run, { type: 'lease.taken', epoch: 1, host });
    journal.append(run, { type: 'lease.released', epoch: 1, host });
    world.folders.set(`${host}/${run}`, 1000);
  }
  const proof = type === 'rollback.finished' ? { proof: lines, readings: {} } : {};
  journal.append(run, { type, epoch: 1, body: proof });
};
const clean = (
  run?: string,
  more: object = {},
  confirm = async (_: CleanReport) => true,
  open: (hosts: ReadonlyMap<string, HostSettings>) => ModelWorld = () => world,
) => {
  const options = { inventory, inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: false, plan: false };
  return cleanRuns(run, { ...options, ...more }, journal, confirm, open);
};
const types = (run: string) =>
  journal.read(run).flatMap(({ type, host }) => (/clean/.test(type) ? [`${type} ${host ?? ''}`.trim()] : []));
const there = () => [...world.folders.keys()];

beforeEach(() => {
  world = new ModelWorld();
  journal = new Runs(world);
});

describe('ferry clean', () => {
  it('removes what the named run has, on record before and after, and tells the bytes of each host', async () => {
    ended('r-1', 'run.finished');
    ended('r-2', 'run.finished');
    const atRemoval: string[][] = [];
    const cleanRun = world.cleanRun.bind(world);
    world.cleanRun = async (host, run) => {
      atRemoval.push(types(run));
      return cleanRun(host, run);
    };
    const report = await clean('r-1');
    expect(report.rows.map(({ host, bytes, state }) => [host, bytes, state])).toEqual([
      ['a', 1000, 'free'],
      ['b', 1000, 'free'],
    ]);
    expect(atRemoval[0]).toEqual(['run.cleaned']);
    expect(types('r-1')).toEqual(['run.cleaned', 'host.cleaned a', 'host.cleaned b']);
    expect(foldRun('r-1', journal.read('r-1'))).toMatchObject({ phase: 'finished', cleaned: ['a', 'b'] });
    expect(there()).toEqual(['a/r-2', 'b/r-2']);
    expect(leftError(report)).toBe(null);
  });

  it('leaves one whose proof failed until it is named: what was kept is what puts it right', async () => {
    ended('r-1', 'rollback.finished', ['a', 'b'], inventory, [{ verdict: 'equal' }, { verdict: 'differs' }]);
    for (const more of [{}, { olderThanMs: 0 }]) expect((await clean(undefined, more)).rows).toEqual([]);
    expect(there()).toEqual(['a/r-1', 'b/r-1']);
    expect((await clean('r-1')).rows).toMatchObject([{ bytes: 1000 }, { bytes: 1000 }]);
    expect(there()).toEqual([]);
  });

  it('takes, unless told which, those that cannot be rolled back any more; with an age, finished ones too', async () => {
    ended('r-1', 'run.finished');
    ended('r-2', 'rollback.finished');
    ended('r-3', 'run.abandoned');
    ended('r-4', 'run.paused');
    expect((await clean()).isDone).toBe(true);
    expect(there()).toEqual(['a/r-1', 'b/r-1', 'a/r-4', 'b/r-4']);
    // All of them ended in 1970.
    await clean(undefined, { olderThanMs: 86_400_000 * 365_000 });
    expect(there()).toHaveLength(4);
    await clean(undefined, { olderThanMs: 0 });
    expect(there()).toEqual(['a/r-4', 'b/r-4']);
  });

  it('refuses a run that is not over, and one that nobody knows', async () => {
    ended('r-1', 'run.paused');
    await expect(clean('r-1')).rejects.toMatchObject({ code: 'CLEAN_REFUSED' });
    await expect(clean('r-9')).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    expect(there()).toHaveLength(2);
  });

  it('leaves all of them their way back when one cannot be had: another process works on it, or has taken it up', async () => {
    ended('r-1', 'rollback.finished');
    ended('r-2', 'rollback.finished');
    const open = journal.open.bind(journal);
    let tried = 0;
    journal.open = (run) => {
      tried += 1;
      if (tried === 2) throw new FerryError('RUN_BUSY', { run, pid: 1, since: 'then' });
      open(run);
    };
    await expect(clean()).rejects.toMatchObject({ code: 'RUN_BUSY' });
    expect([...types('r-1'), ...types('r-2')]).toEqual([]);
    journal.open = (run) => {
      if (run === 'r-1') journal.append(run, { type: 'rollback.started', epoch: 1, body: { by: 'me@here' } });
      open(run);
    };
    await expect(clean()).rejects.toMatchObject({ code: 'CLEAN_REFUSED' });
    expect([...types('r-1'), ...types('r-2')]).toEqual([]);
    expect(there()).toHaveLength(4);
  });

  it('goes on record of a run right before its own bytes go: one it does not come to keeps its way back', async () => {
    ended('r-1', 'rollback.finished');
    ended('r-2', 'rollback.finished');
    world.cleanRun = () => {
      throw new Error('the controller dies');
    };
    await expect(clean()).rejects.toThrow('the controller dies');
    expect([types('r-2'), types('r-1')]).toEqual([['run.cleaned'], []]);
  });

  it('removes nothing, and writes nothing down, for a plan or after a no', async () => {
    ended('r-1', 'run.finished');
    expect(await clean('r-1', { plan: true })).toMatchObject({ isDone: false, rows: [{ bytes: 1000 }, { bytes: 1000 }] });
    expect((await clean('r-1', {}, async () => false)).isDone).toBe(false);
    expect(there()).toHaveLength(2);
    expect(types('r-1')).toEqual([]);
  });

  it('tells what stays: a host that is away or still held; once it is back, the same word removes the rest', async () => {
    ended('r-1', 'rollback.finished');
    world.away.add('b');
    const report = await clean('r-1');
    expect(report.rows.map(({ state }) => state)).toEqual(['free', 'away']);
    expect(leftError(report)?.message).toContain('b');
    expect(types('r-1')).toEqual(['run.cleaned', 'host.cleaned a']);
    world.away.clear();
    world.leases.set('b', { run: 'r-1', holder: 'me@here', since: 'then' });
    expect(leftError(await clean())?.message).toContain('b is held by it');
    world.leases.clear();
    expect(leftError(await clean())).toBe(null);
    expect(there()).toEqual([]);
    expect((await clean()).rows).toEqual([]);
  });

  it('asks for each run the hosts of its own inventory, and tells of one that cannot be read', async () => {
    const other = join(folder, 'other.yaml');
    writeFileSync(other, 'ferry: 1\nhosts: { c: { connection: local } }\n');
    ended('r-1', 'rollback.finished', ['c'], other);
    ended('r-2', 'rollback.finished', ['a']);
    ended('r-3', 'rollback.finished', ['a'], join(folder, 'gone.yaml'));
    const opened: string[][] = [];
    const report = await clean(undefined, { inventory: undefined }, undefined, (hosts) => {
      opened.push([...hosts.keys()]);
      return world;
    });
    expect(opened.sort()).toEqual([['a'], ['c']]);
    expect(there()).toEqual(['a/r-3']);
    expect(leftError(report)?.message).toContain('gone.yaml');
    expect(cleanText(report, { width: 200, colour: false })).toMatch(/r-3 .*stays: .*gone\.yaml/);
    // Nothing of it was removed, so it keeps its way back.
    expect(types('r-3')).toEqual([]);
  });

  it('is refused before anything is done where the login may only plan, and says so for a plan', async () => {
    ended('r-1', 'run.finished');
    world.planOnly.add('b');
    await expect(clean('r-1')).rejects.toMatchObject({ code: 'PLAN_ONLY_LOGIN', args: { host: 'b' } });
    expect(types('r-1')).toEqual([]);
    expect(there()).toHaveLength(2);
    const plan = await clean('r-1', { plan: true });
    expect(cleanText(plan, { width: 200, colour: false })).toContain('stays: the login may only plan');
  });

  it('tells which hosts still hold a run that was cleaned in part', async () => {
    ended('r-1', 'rollback.finished');
    world.away.add('b');
    await clean('r-1');
    const state = foldRun('r-1', journal.read('r-1'));
    expect(leftOn(state)).toEqual(['b']);
    const page = { width: 200, colour: false };
    expect(statusText(state, page)).toContain('cleaned  in part: b still holds it');
    const one = { run: 'r-1', runbook: 'move', startedAt: '', lastAt: '', lastType: '', stands: 'run.cleaned' };
    expect(runsText([{ ...one, left: leftOn(state) }], page)).toContain('over, cleaned in part: b still holds it');
    world.away.clear();
    await clean('r-1');
    expect(leftOn(foldRun('r-1', journal.read('r-1')))).toEqual([]);
  });

  it('counts a host that is lost for good as cleaned where somebody says so of a run, and asks it nothing', async () => {
    ended('r-1', 'rollback.finished');
    world.away.add('b');
    await expect(clean('r-1', { without: ['c'] })).rejects.toMatchObject({ code: 'HOST_UNKNOWN', args: { host: 'c' } });
    expect(types('r-1')).toEqual([]);
    expect(leftError(await clean('r-1'))?.hint).toContain('ferry clean r-1 --without b');
    const asked: string[] = [];
    const traces = world.traces.bind(world);
    world.traces = async (host, run) => {
      asked.push(host);
      return traces(host, run);
    };
    expect(leftError(await clean('r-1', { without: ['b'] }))).toBe(null);
    expect(asked).not.toContain('b');
    expect(leftOn(foldRun('r-1', journal.read('r-1')))).toEqual([]);
    expect(journal.read('r-1')).toContainEqual(
      expect.objectContaining({ type: 'host.cleaned', host: 'b', body: { bytes: 0, lost: true } }),
    );
    expect((await clean()).rows).toEqual([]);
    // Looked at once more, what counts as gone does not stay again.
    expect(leftError(await clean('r-1'))).toBe(null);
  });

  it('shows a lost host before it asks, also one that alone has something of the run; another that is away keeps its way back', async () => {
    ended('r-1', 'run.finished', ['b']);
    ended('r-2', 'run.finished', ['a', 'b']);
    for (const host of ['a', 'b']) world.away.add(host);
    const page = { width: 200, colour: false };
    const plan = cleanText(await clean('r-1', { without: ['b'], plan: true }), page);
    expect(plan).toMatch(/ b +counts as gone\n/);
    expect(plan).not.toContain('Frees');
    expect(plan).toContain('A finished run cannot be rolled back any more');
    expect(types('r-1')).toEqual([]);
    expect(leftError(await clean('r-1', { without: ['b'] }))).toBe(null);
    expect(types('r-1')).toEqual(['run.cleaned', 'host.cleaned b']);
    expect(leftError(await clean('r-2', { without: ['b'] }))?.message).toContain('a: ');
    expect(types('r-2')).toEqual([]);
  });

  it('goes to hosts that a takeover told of its epoch too, though the run never had them', async () => {
    ended('r-1', 'rollback.finished', ['a']);
    journal.takeOver('r-1', { by: 'me@here', from: 'you@there', hosts: ['a', 'b'] });
    world.folders.set('b/r-1', 4096);
    world.away.add('b');
    await clean();
    const state = foldRun('r-1', journal.read('r-1'));
    expect(leftOn(state)).toEqual(['b']);
    expect(statusText(state, { width: 200, colour: false })).toContain('cleaned  in part: b still holds it');
    world.away.clear();
    expect((await clean()).rows).toMatchObject([{ host: 'a' }, { host: 'b', bytes: 4096 }]);
    expect(there()).toEqual([]);
    expect((await clean()).rows).toEqual([]);
  });

  it('clears what dead runs left on the hosts of all runs, but for those that are not over', async () => {
    ended('r-1', 'run.finished');
    ended('r-2', 'run.paused', ['b']);
    world.left.push({ host: 'b', run: 'r-0', kind: 'key', where: '/root/.ssh/authorized_keys' });
    world.left.push({ host: 'b', run: 'r-2', kind: 'secrets', where: '/run/ferry/r-2' });
    expect((await clean()).leftovers.map(({ run }) => run)).toEqual(['r-0']);
    expect(world.left.map(({ run }) => run)).toEqual(['r-2']);
  });
});

describe('ferry clean in a terminal', () => {
  it.each([
    ['yes', 0, 'Freed 12.0 MB on newdb.'],
    ['n', 5, ''],
  ])('shows what would go and asks: %s', async (answer, exit, told) => {
    const ferry = typed('clean', { wire: modelWire().wire, terminal: true });
    await expect.poll(() => ferry.err.text()).toContain('Remove it, for good? [y/N]');
    expect(ferry.err.text()).toContain('A finished run cannot be rolled back any more once this is gone.');
    ferry.type(`${answer}\n`);
    expect(await ferry.exit).toBe(exit);
    expect(ferry.out.text()).toContain(told);
  });

  it('removes nothing where nobody can be asked, and needs no answer for a plan or with --yes', async () => {
    const asked = typed('clean');
    expect(await asked.exit).toBe(5);
    expect(asked.err.text()).toMatch(/CLEAN_UNCONFIRMED[\s\S]*ferry clean --plan/);
    for (const [words, told] of [
      ['clean --plan --json', '"isDone": false'],
      ['clean --plan', 'Frees 12.0 MB on newdb.\nNothing was changed.'],
      ['clean --older-than 30d --yes', 'Freed 12.0 MB'],
    ] as const) {
      const ferry = typed(words);
      expect(await ferry.exit).toBe(0);
      expect(ferry.out.text()).toContain(told);
    }
    expect(await typed('clean --older-than month').exit).toBe(64);
  });
});
