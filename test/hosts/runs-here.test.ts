import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { fleetHere } from '../kit/fleet-here.ts';

// What a host knows of the order of its runs: real scripts, on this machine's own shell.
let folder: string;
let fleet: Fleet;
const runs = () => readFileSync(join(folder, 'lib', 'runs'), 'utf8');
const take = (run: string) => fleet.takeLease('here', { run, holder: 'me@here', since: '2026-01-01T00:00:00Z' }, 1);
const work = async (...names: string[]) => {
  for (const run of names) {
    await take(run);
    await fleet.releaseLease('here', run, 1);
  }
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-runs-'));
  fleet = fleetHere(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('a host', () => {
  it('tells of a run which others have worked there after it, each once', async () => {
    await work('r-1', 'r-2', 'r-1', 'r-3');
    expect([runs(), (statSync(join(folder, 'lib', 'runs')).mode & 0o777).toString(8)]).toEqual(['r-1\nr-2\nr-3\n', '600']);
    expect(await fleet.knowsRun('here', 'r-1')).toEqual({ newer: ['r-2', 'r-3'], isTakenBack: false });
    expect(await fleet.knowsRun('here', 'r-3')).toEqual({ newer: [], isTakenBack: false });
    await take('r-1');
    expect(await fleet.knowsRun('here', 'r-1')).toEqual({ newer: [], isTakenBack: false });
  });

  it('forgets one that was taken back or never began, and knows which was taken back', async () => {
    await work('r-1');
    await take('r-2');
    await fleet.releaseLease('here', 'r-2', 1, 'taken-back');
    await take('r-3');
    await fleet.releaseLease('here', 'r-3', 1, 'not-begun');
    expect(runs()).toBe('r-1\n');
    expect(await fleet.knowsRun('here', 'r-1')).toEqual({ newer: [], isTakenBack: false });
    expect(await fleet.knowsRun('here', 'r-2')).toEqual({ newer: [], isTakenBack: true });
    expect(await fleet.knowsRun('here', 'r-3')).toMatchObject({ isTakenBack: false });
  });

  it('knows of a run of an older release only what came after, and nothing without a file', async () => {
    await work('r-1');
    rmSync(join(folder, 'lib', 'runs'));
    expect(await fleet.knowsRun('here', 'r-1')).toEqual({ newer: [], isTakenBack: false });
    await work('r-2');
    expect(await fleet.knowsRun('here', 'r-1')).toEqual({ newer: ['r-2'], isTakenBack: false });
  });

  it('keeps what another run says when a run that has no lease gives the host back', async () => {
    await work('r-1');
    await take('r-2');
    await fleet.releaseLease('here', 'r-1', 1, 'taken-back');
    expect([runs(), await fleet.lease('here')]).toMatchObject(['r-1\nr-2\n', { run: 'r-2' }]);
  });
});
