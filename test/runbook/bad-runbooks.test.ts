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
  if ('runbook' in loaded) throw new Error(`${name} is taken for a good runbook`);
  const shown = formatDiagnostics(loaded.diagnostics, loaded.sources);
  await expect(`${shown}\n`).toMatchFileSnapshot(join(FOLDER, name.replace('.yaml', '.golden.txt')));
});

test('there are mistakes of many kinds among the examples', () => {
  expect(names.length).toBeGreaterThanOrEqual(85);
});

// Too large or too odd to lie in a repository.
const BOOK = 'ferry: 1\nname: big\nroles: { engine: }\nsteps:\n';
const STEP = (id: number) => `  - { id: s${id}, host: engine, uses: service.read, with: { units: [a.service] } }\n`;
const generated: readonly (readonly [title: string, text: () => string | Uint8Array, expected: string])[] = [
  ['5 MB of steps', () => BOOK + STEP(1).repeat(64_000), 'FILE_TOO_LARGE r.yaml:1:1'],
  ['5 MB of zeros', () => new Uint8Array(5_000_000), 'FILE_TOO_LARGE r.yaml:1:1'],
  ['400,000 open brackets', () => `a: ${'['.repeat(400_000)}`, 'YAML_NESTING_DEEP r.yaml:1:4'],
  ['maps in maps', () => `ferry: 1\na: ${'{a: '.repeat(50_000)}`, 'YAML_NESTING_DEEP r.yaml:2:4'],
  ['dashes in dashes', () => '- '.repeat(100_000), 'YAML_NESTING_DEEP r.yaml:1:1'],
  [
    'an indentation that never ends',
    () => Array.from({ length: 400 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'YAML_NESTING_DEEP r.yaml:102:102',
  ],
  [
    'an expression of brackets',
    () =>
      `${BOOK}  - { id: a, host: engine, uses: service.read, with: { units: ["\${{ ${'('.repeat(9000)}1${')'.repeat(9000)} }}"] } }\n`,
    'EXPRESSION_SYNTAX_WRONG r.yaml:5:129',
  ],
  [
    'an alias bomb of lists',
    () =>
      `a: &a [${'x, '.repeat(9)}x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index]}, `.repeat(9)}*${'abcdefg'[index]}]\n`).join('')}`,
    'ALIAS_EXCESSIVE r.yaml:2:8',
  ],
  [
    'a line of 900,000 characters',
    () => `${BOOK}  - { id: a, host: engine, uses: ${'x'.repeat(900_000)} }\n`,
    'ACTION_UNKNOWN r.yaml:5:34',
  ],
];

test.each(generated)('%s is refused at its place, and soon', async (_, text, expected) => {
  const content = text();
  const began = process.cpuUsage();
  const loaded = await loadRunbook('r.yaml', { readFile: async () => content });
  const { user, system } = process.cpuUsage(began);
  const places =
    'diagnostics' in loaded ? loaded.diagnostics.map(({ code, at }) => `${code} ${at?.file}:${at?.line}:${at?.column}`) : [];
  expect(places).toEqual([expected]);
  expect('diagnostics' in loaded && loaded.diagnostics.every(({ message }) => message.length < 1000)).toBe(true);
  // Measured below 0.5 s; brackets took the parser eight before they were counted.
  expect((user + system) / 1_000_000).toBeLessThan(5);
});

test('a runbook of four thousand steps is read and linted in seconds', async () => {
  const text = BOOK + Array.from({ length: 4000 }, (_, id) => STEP(id)).join('');
  const began = process.cpuUsage();
  const loaded = await loadRunbook('r.yaml', { readFile: async () => text });
  const { user, system } = process.cpuUsage(began);
  expect('runbook' in loaded && loaded.runbook.warnings).toEqual([]);
  // Measured at 2 s of CPU; with a set of names for each step it was twenty.
  expect((user + system) / 1_000_000).toBeLessThan(10);
});
