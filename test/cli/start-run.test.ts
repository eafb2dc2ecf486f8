import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
const stateDir = join(folder, 'state');
const options = { inventory, stateDir, inputs: new Map(), secrets: new Map(), roles: new Map([['here', 'here']]), yes: true };

it.runIf(process.getuid?.() === 0)('a run that was stopped while it was planned is not begun', async () => {
  const stop = new AbortController();
  stop.abort();
  const io = { emit: () => undefined, signal: stop.signal };
  expect(await startRun(runbook, { ...options, json: false, onFailure: 'pause' }, io)).toMatchObject({ run: null, exit: 130 });
  const journal = openSqliteJournal(stateDir);
  expect(journal.runs()).toEqual([]);
  journal.close();
});
