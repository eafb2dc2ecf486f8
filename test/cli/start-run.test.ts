import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { startRun } from '../../src/cli/start-run.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-start-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

// Reads a file of this machine and changes nothing anywhere.
const runbook = file(
  'look.yaml',
  `ferry: 1
name: look
roles: { here: { description: this machine } }
steps:
  - { id: look, host: here, uses: config.read, with: { files: [${file('x.conf', 'A=1\n')}], expect: { A: "1" } } }
`,
);
const inventory = file('inventory.yaml', 'ferry: 1\nhosts: { here: { connection: local } }\n');
const asRoot = it.runIf(process.getuid?.() === 0);
const start = (stateDir: string, signal = new AbortController().signal) => {
  const roles = new Map([['here', ['here']]]);
  const options = { inventory, stateDir, inputs: new Map(), secrets: new Map(), roles, yes: true, json: false };
  return startRun(runbook, { ...options, onFailure: 'pause' }, { emit: () => undefined, signal });
};
const runsIn = (stateDir: string) => {
  const journal = openSqliteJournal(stateDir);
  const runs = journal.runs();
  journal.close();
  return runs;
};

asRoot('a run that was stopped while it was planned is not begun', async () => {
  const stateDir = join(folder, 'state');
  expect(await start(stateDir, AbortSignal.abort())).toMatchObject({ run: null, exit: 130 });
  expect(runsIn(stateDir)).toEqual([]);
});

asRoot('a run whose state folder lacks something leaves no run behind that never began', async () => {
  const stateDir = join(folder, 'bad-state');
  mkdirSync(join(stateDir, 'hash.key'), { recursive: true });
  await expect(start(stateDir)).rejects.toMatchObject({ code: 'STATE_DIR_UNUSABLE' });
  expect(runsIn(stateDir)).toEqual([]);
});
