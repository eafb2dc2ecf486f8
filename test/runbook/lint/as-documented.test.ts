import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDiagnostics } from '../../../src/errors/format-diagnostics.ts';
import { loadRunbook } from '../../../src/runbook/load.ts';
import { diagnosticsOf } from '../../kit/lint.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const FOLDER = join(PROJECT, 'test', 'runbooks');
const page = readFileSync(join(PROJECT, 'docs', 'runbooks', 'as-documented.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d+) \| .+? \| (\w+) \| (.+) \|$/gm)].map(([, number, by = '', how = '']) => ({
  number: Number(number),
  by,
  codes: [...how.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)]
    .map(([code]) => code)
    .filter((code) => !/^(DWH|ENGINE)_(DB|UUID)/.test(code)),
}));

const look = async (name: string) => {
  const loaded = await loadRunbook(name, { readFile: (path) => readFile(join(FOLDER, path)) });
  const sources = 'runbook' in loaded ? loaded.runbook.sources : loaded.sources;
  return { diagnostics: diagnosticsOf(loaded), shown: `${formatDiagnostics(diagnosticsOf(loaded), sources)}\n` };
};
const literal = await look('as-documented.yaml');
const pasted = await look('as-documented-commands.yaml');

describe('the documented procedure', () => {
  test('has its defects listed, each with its place', async () => {
    await expect(literal.shown).toMatchFileSnapshot(join(FOLDER, 'as-documented.golden.txt'));
    await expect(pasted.shown).toMatchFileSnapshot(join(FOLDER, 'as-documented-commands.golden.txt'));
  });

  test('is written down with all 25 of its known defects', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
  });

  test.each(rows.filter(({ codes }) => codes.length > 0))('defect $number is found as $codes', ({ codes }) => {
    const found = new Set([...literal.diagnostics, ...pasted.diagnostics].map(({ code }) => code));
    expect(codes.filter((code) => !found.has(code))).toEqual([]);
  });

  test('has no finding that belongs to none of the defects', () => {
    const explained = new Set(rows.flatMap(({ codes }) => codes));
    const found = new Set([...literal.diagnostics, ...pasted.diagnostics].map(({ code }) => code));
    expect([...found].filter((code) => !explained.has(code))).toEqual([]);
  });

  test('has its defects counted as the page says', () => {
    const count = (by: string) => rows.filter((row) => row.by === by).length;
    const { linter, plan, action, neither } = {
      linter: count('linter'),
      plan: count('plan'),
      action: count('action'),
      neither: count('neither'),
    };
    expect(page).toContain(
      `The linter finds ${linter} of them, of two the half; ${plan} are found by the plan alone, ${action} cannot happen with the actions, ${neither} are left to the author.`,
    );
  });
});
