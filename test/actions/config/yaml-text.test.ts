import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { ConfValue } from '../../../src/actions/config/conf-format.ts';
import { formatYamlPath, parseYamlPath } from '../../../src/actions/config/yaml-path.ts';
import { yamlFormat } from '../../../src/actions/config/yaml-text.ts';

const GRAFANA = `# made by setup, do not edit
apiVersion: 1

datasources:
- name: "oVirt History"   # as dashboards call it
  url: "localhost:5432"   # host:port
  user: 'reader'
  database: history
  basicAuth:
  jsonData: { sslmode: disable, "odd.key": 1 }
  secureJsonData:
    password: "old one"

# the end
`;

const set = (text: string, wanted: { [key: string]: ConfValue }) => yamlFormat.set(text, Object.entries(wanted));

/** The lines of the file that are not as before, with what they are now. */
function changed(before: string, wanted: { [key: string]: ConfValue }): string[] {
  const done = set(before, wanted);
  if ('refused' in done) return [`refused ${done.refused}`];
  const old = before.split('\n');
  return done.text.split('\n').filter((line) => !old.includes(line));
}

const rows: [about: string, wanted: { [key: string]: ConfValue }, lines: string[]][] = [
  ['a value in double quotes, its comment stays', { 'datasources[0].url': 'newdb:5432' }, ['  url: "newdb:5432"   # host:port']],
  ['a value in single quotes', { 'datasources[0].user': "it's" }, ["  user: 'it''s'"]],
  ['a bare value', { 'datasources[0].database': 'other' }, ['  database: other']],
  ['a bare value that would be a number', { 'datasources[0].database': '0815' }, ['  database: "0815"']],
  ['a bare value that YAML 1.1 takes for true', { 'datasources[0].database': 'yes' }, ['  database: "yes"']],
  ['a bare value that begins a comment', { 'datasources[0].database': 'a #b' }, ['  database: "a #b"']],
  ['a number', { apiVersion: 2 }, ['apiVersion: 2']],
  ['a text that becomes true', { 'datasources[0].database': true }, ['  database: true']],
  ['a value of nothing', { 'datasources[0].basicAuth': 'x' }, ['  basicAuth: x']],
  [
    'a member of a map in one line',
    { 'datasources[0].jsonData.sslmode': 'verify-full, or not' },
    ['  jsonData: { sslmode: "verify-full, or not", "odd.key": 1 }'],
  ],
  ['a name with a dot in it', { 'datasources[0].jsonData."odd.key"': 5 }, ['  jsonData: { sslmode: disable, "odd.key": 5 }']],
  [
    'a password with everything in it',
    { 'datasources[0].secureJsonData.password': '"\\$`\'#: \t' },
    ['    password: "\\"\\\\$`\'#: \\t"'],
  ],
  ['a value of several lines', { 'datasources[0].secureJsonData.password': 'a\nb' }, ['    password: "a\\nb"']],
  ['a new key of a map', { 'datasources[0].secureJsonData.token': 'x y' }, ['    token: x y']],
  [
    'a new key of a map in one line',
    { 'datasources[0].jsonData.timeout': 5 },
    ['  jsonData: { sslmode: disable, "odd.key": 1, timeout: 5 }'],
  ],
  ['a new key at the top', { 'prune me': true }, ['prune me: true']],
  ['a list that is too short', { 'datasources[1].url': 'x' }, ['refused datasources[1].url: the list has 1']],
  ['a map on the way that is not there', { 'a.b': 'x' }, ['refused a.b: there is no a']],
  ['a whole map', { 'datasources[0].jsonData': 'x' }, ['refused datasources[0].jsonData: a map or a list stands there']],
  ['a list where none is', { 'apiVersion[0]': 'x' }, ['refused apiVersion[0]: there is no list, but [0] is asked of it']],
];

describe('a YAML file', () => {
  test.each(rows)('set: %s', (_, wanted, lines) => {
    expect(changed(GRAFANA, wanted)).toEqual(lines);
    const done = set(GRAFANA, wanted);
    if ('refused' in done) return;
    // Once more finds nothing to do, and what is read is what was given.
    expect(set(done.text, wanted)).toEqual({ text: done.text, edits: [] });
    const { values } = yamlFormat.read([{ path: 'x', text: done.text }]);
    for (const [key, value] of Object.entries(wanted)) expect(values.get(key)).toBe(value);
  });

  test('a file stays as it is, byte for byte, but for the value', () => {
    const done = set(GRAFANA.replaceAll('\n', '\r\n'), { 'datasources[0].url': 'newdb:5433' });
    expect(done).toMatchObject({ text: GRAFANA.replaceAll('\n', '\r\n').replace('"localhost:5432"', '"newdb:5433"') });
  });

  test('a new key stands behind the last of its map, before what follows it', () => {
    const done = set(GRAFANA, { 'datasources[0].version': 3 });
    expect(done).toMatchObject({ text: GRAFANA.replace('"old one"\n', '"old one"\n  version: 3\n') });
    expect(set('a:\n  b: |\n    text\nc: 1', { 'a.d': 1 })).toMatchObject({ text: 'a:\n  b: |\n    text\n  d: 1\nc: 1' });
    expect(set('a: 1', { b: 2 })).toMatchObject({ text: 'a: 1\nb: 2\n' });
    expect(set('', { b: 2 })).toMatchObject({ text: 'b: 2\n' });
    expect(set('# only words', { b: 2 })).toMatchObject({ text: '# only words\nb: 2\n' });
    expect(set('a: {}\n', { 'a.b': 2 })).toMatchObject({ text: 'a: { b: 2 }\n' });
  });

  test('text in a block becomes one line', () => {
    expect(set('a: |\n  one\n  two\nb: 1\n', { a: 'x' })).toMatchObject({ text: 'a: x\nb: 1\n' });
  });

  test('what stands in two places is not changed in one', () => {
    expect(set('a: &x one\nb: *x\n', { a: 'two' })).toMatchObject({ refused: expect.stringContaining('without changing') });
    expect(set('a: &x one\nb: *x\n', { b: 'two' })).toMatchObject({ refused: 'b: *x stands there; set it where &x is' });
    expect(set('a: !!str 54\n', { a: 55 })).toMatchObject({ refused: expect.stringContaining('without changing') });
  });

  test('a file that is none is refused with the line', () => {
    expect(set('a: 1\nb: [\n', { a: 2 })).toMatchObject({ refused: expect.stringMatching(/^line \d cannot be read/) });
    expect(set('a: 1\n---\nb: 1\n', { a: 2 })).toMatchObject({ refused: expect.stringContaining('more than one document') });
    expect(yamlFormat.read([{ path: '/x.yaml', text: 'a: 1\na: 2\n' }]).problem).toMatchObject({ path: '/x.yaml', line: 2 });
  });

  const odd = [
    '',
    ' ',
    '-',
    '- a',
    '? x',
    'a: b',
    'null',
    '~',
    '1e3',
    '0x1f',
    '.inf',
    '2026-01-01',
    '!x',
    '&a',
    '*a',
    '%a',
    '@a',
    '`a',
    '{',
    '}',
    '|',
    '>',
    "'",
    '"',
    'é',
    '\u{1F600}',
    'a\tb',
    'on',
    'NO',
    '12:30:45',
    '---',
    '...',
    '<<',
    '=',
  ];
  test.each(odd)('any text is read back as it was given: %j', (value) => {
    for (const before of ['k: a\n', 'k: "a"\n', "k: 'a'\n", 'k: { k: 1 }\n', 'k:\n', 'k: |\n  a\n']) {
      const key = before.includes('{') ? 'k.k' : 'k';
      const done = set(before, { [key]: value });
      if ('refused' in done) throw new Error(done.refused);
      for (const version of ['1.1', '1.2'] as const) {
        const read = parse(done.text, { version }) as { k: unknown };
        expect(key === 'k' ? read.k : (read.k as { k: unknown }).k, `${before} ${version}`).toBe(value);
      }
    }
  });
});

test.each([
  ['a', ['a']],
  ['a.b[0].c', ['a', 'b', 0, 'c']],
  ['[2][3].x', [2, 3, 'x']],
  ['"a.b"."c\\"d"', ['a.b', 'c"d']],
  ['two words.x', ['two words', 'x']],
] as const)('the path %s has its parts', (text, parts) => {
  expect(parseYamlPath(text)).toEqual(parts);
  expect(formatYamlPath(parts)).toBe(text);
});

test.each(['', '.a', 'a.', 'a..b', 'a[x]', 'a[0]b', 'a[', '"a', 'a"b"'])('%j is no path', (text) => {
  expect(parseYamlPath(text)).toBeNull();
});
