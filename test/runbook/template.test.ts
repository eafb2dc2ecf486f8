import { expect, test } from 'vitest';
import { parseDocument } from '../../src/documents/parse-document.ts';
import { readTemplate, splitText } from '../../src/runbook/template.ts';

const source = (text: string, offset: number) => ({ source: text, offset });

test.each([
  ['plain', ['plain']],
  ['', ['']],
  ['${{ a }}', [source('a', 4)]],
  ['x ${{a}} y ${{ b }}', ['x ', source('a', 5), ' y ', source('b', 15)]],
  ["${{ '}}' }}!", [source("'}}'", 4), '!']],
  ["${{ {'a': {'b': 1}} }}", [source("{'a': {'b': 1}}", 4)]],
  ["${{ 'it\\'s }}' }}", [source("'it\\'s }}'", 4)]],
  ['$ { {', ['$ { {']],
])('%s is cut at its expressions', (text, parts) => {
  expect(splitText(text)).toEqual({ parts });
});

test.each(['${{', 'a ${{ b }', "${{ 'x }}"])('%s has an expression that does not end', (text) => {
  expect(splitText(text)).toEqual({ unclosed: text.indexOf('${{') });
});

test('each expression knows its line and column, in every way a text can be written', () => {
  const text = [
    'plain: ${{ one }}',
    'double: "a\\t${{ two }}"',
    "single: 'it''s ${{ three }}'",
    'block: |',
    '  first',
    '  ${{ four }} and ${{ four }}',
    'list: [a, "${{ five }}"]',
    '',
  ].join('\n');
  const parsed = parseDocument('x.yaml', text);
  if ('diagnostics' in parsed) throw new Error('the example is no YAML');
  const { document } = parsed;
  const found: string[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (value !== null && typeof value === 'object') {
      const { source: expression, at } = value as { source?: string; at?: { line: number; column: number } };
      if (expression !== undefined && at) found.push(`${expression} ${at.line}:${at.column}`);
      Object.values(value).forEach(collect);
    }
  };
  collect(readTemplate(document, [], document.value, () => undefined));
  expect(found).toEqual(['one 1:12', 'two 2:17', 'three 3:20', 'four 6:7', 'four 6:23', 'five 7:16']);
});
