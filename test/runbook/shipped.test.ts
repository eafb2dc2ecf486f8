import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import { loadRunbook } from '../../src/runbook/load.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const shipped = ['runbooks', 'examples'].flatMap((folder) =>
  readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `${folder}/${file}`)
    .sort(),
);
const examples = shipped.filter((file) => file.startsWith('examples/'));

describe('what is shipped beside the program', () => {
  test('there are runbooks for each database and lessons, numbered in order', () => {
    expect(shipped).toContain('runbooks/ovirt/migrate-engine-db.yaml');
    expect(shipped).toContain('runbooks/ovirt/migrate-dwh-db.yaml');
    expect(shipped).toContain('runbooks/ovirt/prepare-remote-db.yaml');
    expect(examples.length).toBeGreaterThanOrEqual(11);
    const numbers = examples.map((_, index) => `${String(index + 1).padStart(2, '0')}-`);
    expect(examples.map((file) => file.slice('examples/'.length, 'examples/'.length + 3))).toEqual(numbers);
  });

  test.each(shipped)('%s loads without errors or warnings', async (file) => {
    const loaded = await loadRunbook(join(PROJECT, file), { readFile: (path) => readFile(path) });
    if ('diagnostics' in loaded) throw new Error(formatDiagnostics(loaded.diagnostics, loaded.sources));
    expect(loaded.runbook.warnings).toEqual([]);
    expect(file.endsWith(`${loaded.runbook.name}.yaml`)).toBe(true);
    expect(loaded.runbook.title).toBeTruthy();
  });

  test.each(examples)('%s fits on a screen and begins with its lesson', (file) => {
    const text = readFileSync(join(PROJECT, file), 'utf8');
    const lines = text.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(40);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(140);
    expect(text).toContain(`# Lesson ${Number(file.slice('examples/'.length, 'examples/'.length + 2))}: `);
  });

  test('the table of the examples names every lesson', () => {
    const table = readFileSync(join(PROJECT, 'examples', 'README.md'), 'utf8');
    for (const file of examples) expect(table).toContain(`(${file.slice('examples/'.length)})`);
  });
});
