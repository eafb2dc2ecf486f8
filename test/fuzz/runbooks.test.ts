import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import { rules } from '../../src/runbook/lint/rules.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { wholeRunbook } from '../kit/lint.ts';
import { mutation } from '../kit/mutate-runbook.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const RUNS = 5000;
const read = (folder: string) =>
  readdirSync(join(PROJECT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(join(PROJECT, folder, file), 'utf8'));
const examples = rules.flatMap(({ bad, good }) => [wholeRunbook(bad), wholeRunbook(good)]);
// Large ones cost ten times a small one and hold little that is not in them.
const seed = fc.oneof(
  { weight: 7, arbitrary: fc.constantFrom(...examples) },
  { weight: 3, arbitrary: fc.constantFrom(...read('examples')) },
  { weight: 1, arbitrary: fc.constantFrom(...read('runbooks'), ...read('test/runbooks')) },
);
const prepare = readFileSync(join(PROJECT, 'runbooks', 'ovirt', 'prepare-remote-db.yaml'), 'utf8');

async function load(text: string) {
  const began = process.cpuUsage();
  const loaded = await loadRunbook('r.yaml', {
    readFile: async (path) => {
      if (path === 'r.yaml') return text;
      if (path === 'prepare-remote-db.yaml') return prepare;
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
  });
  const { user, system } = process.cpuUsage(began);
  return { loaded, ms: (user + system) / 1000 };
}

test('whatever happens to a runbook, it is a runbook or diagnostics, never an exception, and none takes long', async () => {
  const outcomes = { sound: 0, refused: 0 };
  const codes = new Set<string>();
  const times: { ms: number; text: string }[] = [];
  await fc.assert(
    fc.asyncProperty(seed, mutation, async (original, mutate) => {
      const text = mutate(original);
      const { loaded, ms } = await load(text);
      times.push({ ms, text });
      const diagnostics = 'runbook' in loaded ? loaded.runbook.warnings : loaded.diagnostics;
      if ('runbook' in loaded) outcomes.sound += 1;
      else outcomes.refused += 1;
      expect('runbook' in loaded || loaded.diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
      for (const { code, message, at, length } of diagnostics) {
        codes.add(code);
        expect(message).not.toMatch(/undefined|\[object |NaN|Infinity/);
        expect([at?.line, at?.column, length ?? 1].every((number) => number !== undefined && number >= 1)).toBe(true);
      }
      const sources = 'runbook' in loaded ? loaded.runbook.sources : loaded.sources;
      expect(formatDiagnostics(diagnostics, sources)).not.toContain('\u0000');
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 280_000, markInterruptAsFailure: true },
  );
  expect(times.length).toBeGreaterThanOrEqual(RUNS);
  // It must get past the parser often enough to say something, and meet errors of every kind.
  expect(outcomes.sound).toBeGreaterThan(RUNS / 20);
  expect(outcomes.refused).toBeGreaterThan(RUNS / 10);
  expect(codes.size).toBeGreaterThan(30);
  const sorted = times.toSorted((a, b) => b.ms - a.ms);
  const usual = Math.max(1, sorted[Math.floor(sorted.length / 2)]?.ms ?? 0);
  // What took long once may have met the collector of garbage, or have loaded an action; what is slow is slow again.
  for (const { text } of sorted.slice(0, 5)) {
    const again = [await load(text), await load(text), await load(text)].map(({ ms }) => ms);
    expect(Math.min(...again), text).toBeLessThan(usual * 100);
  }
});

/** Every value of a document, and what it becomes when another stands in its place. */
function* replaced(value: unknown, by: unknown): Generator<unknown> {
  yield by;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    for (const other of replaced(member, by)) yield Object.assign(copy, { [key]: other });
  }
}

test('whatever stands in the place of whatever value, it is a runbook or errors', async () => {
  const wrong = [null, 3, '', [], [[]], {}, '${{ inputs.x }}'];
  const counts = { sound: 0, refused: 0 };
  for (const text of new Set(rules.map(({ good }) => wholeRunbook(good)))) {
    for (const by of wrong) {
      for (const document of replaced(parse(text), by)) {
        const changed = JSON.stringify(document);
        const { loaded } = await load(changed).catch((error) => {
          throw new Error(`${changed}: ${error}`, { cause: error });
        });
        counts['runbook' in loaded ? 'sound' : 'refused'] += 1;
        expect('runbook' in loaded || loaded.diagnostics.some(({ severity }) => severity === 'error'), changed).toBe(true);
      }
    }
  }
  expect(counts.refused).toBeGreaterThan(5000);
  expect(counts.sound).toBeGreaterThan(100);
});
