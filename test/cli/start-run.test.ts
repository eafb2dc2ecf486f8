import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRun } from '../../src/cli/start-run.ts';
import { wire } from '../../src/cli/wire.ts';
import type { Event } from '../../src/engine/events.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { isoTime, nowMs } from '../../src/lib/clock.ts';
import { statusText } from '../../src/renderers/status.ts';
import { PrivateHost } from '../kit/private-host.ts';

const host = new PrivateHost();
afterAll(() => host.remove());
beforeAll(async () => {
  writeFileSync(join(host.dir, 'x.conf'), 'A=1\n');
  // Reads a file and changes nothing anywhere.
  await host.start(`ferry: 1
name: look
roles: { here: { description: a host } }
steps:
  - { id: look, host: here, uses: config.read, with: { files: [${join(host.dir, 'x.conf')}], expect: { A: "1" } } }
`);
});

const start = (stateDir: string, signal = new AbortController().signal) => {
  const roles = new Map([['here', ['here']]]);
  const inventory = join(host.dir, 'inventory.yaml');
  const options = { inventory, stateDir, inputs: new Map(), secrets: new Map(), roles, yes: true, json: false };
  return startRun(join(host.dir, 'runbook.yaml'), { ...options, onFailure: 'pause' }, { emit: () => undefined, signal });
};
const runsIn = (stateDir: string) => {
  const journal = openSqliteJournal(stateDir);
  const runs = journal.runs();
  journal.close();
  return runs;
};

it('a run that was stopped while it was planned is not begun', async () => {
  const stateDir = join(host.dir, 'state');
  expect(await start(stateDir, AbortSignal.abort())).toMatchObject({ run: null, exit: 130 });
  expect(runsIn(stateDir)).toEqual([]);
});

it('a run whose state folder lacks something leaves no run behind that never began', async () => {
  const stateDir = join(host.dir, 'bad-state');
  mkdirSync(join(stateDir, 'hash.key'), { recursive: true });
  await expect(start(stateDir)).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  expect(runsIn(stateDir)).toEqual([]);
});

it('a run is taken back without the key that knows secrets again, and is not resumed without it', async () => {
  const stateDir = join(host.dir, 'broken-key');
  const { run } = await start(stateDir);
  const options = { stateDir, inputs: new Map(), secrets: new Map(), roles: new Map(), yes: true, json: false };
  const io = { emit: () => undefined, signal: new AbortController().signal };
  const journal = openSqliteJournal(stateDir);
  journal.append(run ?? '', { type: 'run.resumed', epoch: 1, body: { by: 'me@here' } });
  journal.close();
  writeFileSync(join(stateDir, 'hash.key'), '');
  await expect(wire.resumeRun(run ?? '', options, io)).rejects.toMatchObject({ code: 'HASH_KEY_BROKEN' });
  expect(await wire.rollbackRun(run ?? '', { ...options, discardWrites: false }, io)).toMatchObject({ outcome: 'rolled-back' });
});

describe('the time a run has', () => {
  /** Begins a run with that much time and stops it before its first step; answers with it and what a resume says of its time. */
  async function stopped(name: string, windowMs: number) {
    const options = { stateDir: join(host.dir, name), inputs: new Map(), secrets: new Map(), yes: true, json: false };
    const stop = new AbortController();
    const told: (string | null)[] = [];
    const emit = (event: Event) => {
      if (event.type === 'run.estimated') told.push(event.windowEndsAt);
      stop.abort();
    };
    const roles = new Map([['here', ['here']]]);
    const inventory = join(host.dir, 'inventory.yaml');
    const begun = { ...options, inventory, roles, onFailure: 'pause', windowMs } as const;
    const { run, outcome } = await startRun(join(host.dir, 'runbook.yaml'), begun, { emit, signal: stop.signal });
    expect(outcome).toBe('paused');
    const resume = (more: object) => {
      const io = { emit, signal: AbortSignal.abort() };
      return wire.resumeRun(run ?? '', { ...options, roles: new Map(), ...more }, io);
    };
    const journal = () => openSqliteJournal(options.stateDir);
    return {
      run: run ?? '',
      journal,
      told,
      resume,
      status: async () =>
        statusText(await wire.readState(run ?? '', { ...options, roles: new Map() }), { width: 120, colour: false }),
    };
  }

  it('is still known to a resume, unless it names another', async () => {
    const { told, resume, status } = await stopped('window', 7_200_000);
    await resume({});
    expect(told).toEqual([expect.any(String), told[0]]);
    expect(await status()).toContain(`; its window ends ${told[0]?.slice(0, 19).replace('T', ' ')}Z`);
    await resume({ windowMs: 10_800_000 });
    await resume({});
    expect(told[3]).toBe(told[2]);
    expect(Date.parse(told[2] ?? '')).toBeGreaterThan(Date.parse(told[0] ?? ''));
  });

  it("that is over is told as that, unless it was another night's", async () => {
    const { run, told, resume, status, journal } = await stopped('window-over', 1);
    await resume({});
    expect(told).toEqual([expect.any(String), told[0]]);
    expect(await status()).toContain('; its window ended 20');
    const old = journal();
    old.append(run, { type: 'run.resumed', epoch: 1, body: { by: 'me@here', windowEndsAt: isoTime(nowMs() - 13 * 3_600_000) } });
    old.close();
    await resume({});
    expect(told[2]).toBe(null);
  });
});
