import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRun } from '../../src/cli/start-run.ts';
import { wire } from '../../src/cli/wire.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
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
