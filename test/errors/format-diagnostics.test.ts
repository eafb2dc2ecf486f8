import { expect, test } from 'vitest';
import type { Diagnostic } from '../../src/errors/diagnostic.ts';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';

const at = (line: number, column: number, length = 3): Diagnostic => ({
  severity: 'error',
  code: 'FIELD_UNKNOWN',
  message: 'No such field.',
  hint: 'Look again.',
  at: { file: 'x.yaml', line, column },
  length,
});
const show = (text: string, diagnostic: Diagnostic) => formatDiagnostics([diagnostic], [{ path: 'x.yaml', text }]);

test('three lines are shown, the carets under what is meant', () => {
  expect(show('one\ntwo: abc\nthree', at(2, 6))).toBe(
    [
      'error FIELD_UNKNOWN  No such field.',
      '  x.yaml:2:6',
      '    1 | one',
      '  > 2 | two: abc',
      '      |      ^^^',
      '    3 | three',
      '  Look again.',
    ].join('\n'),
  );
});

test('the first and the last line have no neighbour outside the file', () => {
  expect(show('one\ntwo', at(1, 1)).split('\n').slice(2, -1)).toEqual(['  > 1 | one', '      | ^^^', '    2 | two']);
  expect(show('one\ntwo', at(2, 1)).split('\n').slice(2, -1)).toEqual(['    1 | one', '  > 2 | two', '      | ^^^']);
});

test('tabs, CRLF and terminal escapes neither move the carets nor reach the terminal', () => {
  const shown = show('a\r\n\tb \u001b[31mred\r\n', at(2, 4));
  for (const control of ['\t', '\r', '\u001b']) expect(shown).not.toContain(control);
  expect(shown.split('\n').slice(3, 5)).toEqual(['  > 2 |  b  [31mred', '      |    ^^^']);
});

test('a long line is cut around the place, and the carets stay under it', () => {
  const lines = show(`${'x'.repeat(500)}HERE${'y'.repeat(500)}`, at(1, 501, 4)).split('\n');
  const column = lines[3]?.indexOf('^') ?? -1;
  expect(lines[2]?.slice(column, column + 4)).toBe('HERE');
  expect(lines[2]?.length).toBeLessThan(160);
});

test('a finding without a place or without its file is shown without a frame', () => {
  const { at: _, ...bare } = at(1, 1);
  expect(formatDiagnostics([bare, at(3, 1)])).toBe(
    'error FIELD_UNKNOWN  No such field.\n  Look again.\n\nerror FIELD_UNKNOWN  No such field.\n  x.yaml:3:1\n  Look again.',
  );
});

test('each part can be painted', () => {
  const painted = formatDiagnostics([at(1, 1)], [{ path: 'x.yaml', text: 'one' }], (style, text) => `<${style}:${text}>`);
  expect([...painted.matchAll(/<(\w+):/g)].map((found) => found[1])).toEqual([
    'error',
    'code',
    'message',
    'place',
    'frame',
    'frame',
    'caret',
    'hint',
  ]);
});
