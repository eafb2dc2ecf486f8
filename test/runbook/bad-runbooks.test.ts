import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import { loadRunbook } from '../../src/runbook/load.ts';

const FOLDER = join(import.meta.dirname, '..', 'bad-runbooks');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));

// Seen from the folder, so that the messages hold no path of one machine.
const readHere = (path: string) => readFile(join(FOLDER, path));

test.each(names)('%s is refused with all its mistakes at once, each at its place', async (name) => {
  const loaded = await loadRunbook(name, { readFile: readHere });
  const shown = 'diagnostics' in loaded ? formatDiagnostics(loaded.diagnostics, loaded.sources) : 'no errors';
  await expect(`${shown}\n`).toMatchFileSnapshot(join(FOLDER, name.replace('.yaml', '.golden.txt')));
});

test('there are mistakes of many kinds among the examples', () => {
  expect(names.length).toBeGreaterThan(30);
});
