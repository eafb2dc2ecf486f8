import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { unlockHost } from '../../src/cli/unlock.ts';
import { foldRun } from '../../src/engine/fold.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import type { Ended } from '../../src/hosts/runs-here.ts';
import type { Json } from '../../src/lib/json.ts';
import { ModelJournal, ModelWorld } from '../kit/model-world.ts';
import { movePlan } from '../kit/plans.ts';

const RUN = 'r-1';
const folder = mkdtempSync(join(tmpdir(), 'ferry-unlock-'));
const inventory = join(folder, 'inventory.yaml');
writeFileSync(inventory, 'ferry: 1\nhosts: { a: { connection: local }, b: { connection: local } }\n');
afterAll(() => rmSync(folder, { recursive: true }));

/** Hosts of which some cannot be reached; it remembers who was shut out of which, and what was on record then. */
class World extends ModelWorld {
  readonly down = new Set<string>();
  readonly done: string[] = [];
  override async lease(host: string) {
    this.#reach(host);
    return super.lease(host);
  }
  override async releaseLease(host: string, run: string, epoch?: number, ended?: Ended | null) {
    this.#reach(host);
    this.done.push(`release ${host}`);
    await super.releaseLease(host, run, epoch, ended);
  }
  override async fenceRun(host: string, run: string) {
    this.#reach(host);
    this.done.push(`fence ${host} after ${journal.read(run).at(-1)?.type}`);
    this.leases.delete(host);
  }
  #reach(host: string) {
    if (this.down.has(host)) throw new FerryError('HOST_UNREACHABLE', { host, address: host, port: 22, why: 'it is off' });
  }
}

let world: World;
let journal: ModelJournal;
const unlock = (host: string, abandon = false) => {
  const options = { inventory, inputs: new Map(), secrets: new Map(), roles: new Map(), yes: false, json: false, abandon };
  return unlockHost(host, options, journal, () => world);
};
const types = () => journal.read(RUN).map(({ type, host }) => (host ? `${type} ${host}` : type));

beforeEach(() => {
  world = new World();
  journal = new ModelJournal(world);
  const body = { plan: movePlan(), path: '', sources: [], inventory, secrets: {} } as unknown as { [name: string]: Json };
  journal.create(RUN, 'move', { type: 'run.started', epoch: 1, body });
  for (const host of ['a', 'b']) {
    journal.append(RUN, { type: 'lease.taken', epoch: 1, host });
    world.leases.set(host, { run: RUN, holder: 'me@here', since: 'then' });
  }
});

describe('a run that is given up', () => {
  it('is told with the steps whose change nothing takes back any more', async () => {
    const body = { attempt: 1, hosts: ['a'], outputs: {}, undo: { mode: 'none' }, undoSummary: 'lift it', change: {} };
    journal.append(RUN, { type: 'step.intended', epoch: 1, step: 'maintenance', host: 'he1', body });
    expect(await unlock('a', true)).toContain('what it changed stays as it is: maintenance on he1. Free now');
  });

  it('is on record as that before any of its hosts is free, and is shut out of each', async () => {
    expect(await unlock('a', true)).toBe('Run r-1 is abandoned; what it changed stays as it is. Free now: a, b.');
    expect(world.done).toEqual(['fence a after run.abandoned', 'fence b after run.abandoned']);
  });

  it('while one of its hosts is down says which are free, which are not, and what to type later', async () => {
    world.down.add('b');
    const left = await unlock('a', true).catch((thrown: unknown) => thrown);
    expect(left).toMatchObject({
      ...{ code: 'LEASE_LEFT', exit: 3 },
      message: expect.stringMatching(
        /r-1 is abandoned; .* Free now: a\. Not free yet, .* go on: b\. b .* cannot be reached: it is off\.$/,
      ),
      hint: expect.stringMatching(/ferry unlock b$/),
    });
    expect([...world.leases.keys()]).toEqual(['b']);
    expect(types()).toContain('run.abandoned');
  });

  // It was only given back, and the unit of the run there worked on, on a host that another run could take.
  it('is shut out of a host that was down then, when that is unlocked later, also while the others are down now', async () => {
    world.down.add('b');
    await unlock('a', true).catch(() => undefined);
    world.down.delete('b');
    world.down.add('a');
    expect(await unlock('b')).toContain('Free now: b.');
    expect(world.done.at(-1)).toMatch(/^fence b/);
    expect(foldRun(RUN, journal.read(RUN))).toMatchObject({ phase: 'abandoned', leases: [] });
  });

  it('holds a host that the inventory does not name any more: that is told too', async () => {
    journal.append(RUN, { type: 'lease.taken', epoch: 1, host: 'gone' });
    await expect(unlock('a', true)).rejects.toMatchObject({
      code: 'LEASE_LEFT',
      message: expect.stringContaining(
        `Free now: a, b. Not free yet, and what the run began there may go on: gone. gone is not in ${inventory}.`,
      ),
    });
  });
});

describe('a run that ended by itself', () => {
  it('is given no more than its lease back', async () => {
    journal.append(RUN, { type: 'run.finished', epoch: 1 });
    expect(await unlock('b')).toBe('Run r-1 was over. Free now: b, a.');
    expect(world.done).toEqual(['release b', 'release a']);
  });
});

it('a run that is not over keeps its hosts without the word for it', async () => {
  await expect(unlock('a')).rejects.toMatchObject({
    code: 'LEASE_WANTED',
    hint: expect.stringMatching(/^ferry resume r-1 {3}or {3}ferry rollback r-1;/),
  });
  expect(types()).toEqual(['run.started', 'lease.taken a', 'lease.taken b']);
});

it('a run that is not known here is not told to be resumed here, and how to take it over is', async () => {
  world.leases.set('a', { run: 'r-other', holder: 'you@there', since: 'then' });
  await expect(unlock('a')).rejects.toMatchObject({
    code: 'LEASE_WANTED',
    message: expect.stringContaining('its journal is with its controller'),
    hint: expect.stringMatching(/on you@there; if that machine is lost: {2}ferry takeover r-other --from a;/),
  });
});
