import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseDocument } from '../../src/documents/parse-document.ts';

const told = (content: string | Uint8Array) => {
  const parsed = parseDocument('x.yaml', content);
  return 'diagnostics' in parsed
    ? parsed.diagnostics.map((each) => `${each.code} ${each.at?.line}:${each.at?.column}`)
    : parsed.document.value;
};

test('whatever JSON says, YAML text of it says too', () => {
  const scalars = [
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((number) => number + 0),
  ];
  // A key "<<" is refused on purpose.
  const value = fc.object({ key: fc.string().filter((key) => key !== '<<'), values: scalars, withNullPrototype: false });
  fc.assert(
    fc.property(value, (json) => {
      expect(told(stringify(json))).toEqual(JSON.parse(JSON.stringify(json)));
    }),
    { numRuns: 200 },
  );
});

test('no bytes at all make it throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseDocument('x.yaml', bytes);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a: 1\nb: 2\na: 3\n', ['KEY_DUPLICATE 3:1']],
  ['a: {x: 1, "x": 2}\n', ['KEY_DUPLICATE 1:11']],
  ['%YAML 1.1\n---\na: yes\nb: 010\n', ['YAML_VERSION_OLD 1:1']],
  ['? [1]\n: 2\n', ['KEY_NOT_TEXT 1:3']],
  ['a: .inf\n', ['NUMBER_TOO_LARGE 1:4']],
  ['a: 0x1F\n', { a: 31 }],
  ['a: &x [1]\nb: *x\n', { a: [1], b: [1] }],
  ['a: [1, 2\n', ['YAML_SYNTAX_WRONG 1:4']],
  ['# "quoted comment\na: "x\n', ['YAML_SYNTAX_WRONG 2:4']],
  ["a: it's\nb: 'x\n", ['YAML_SYNTAX_WRONG 2:4']],
])('%j gives %j', (text, expected) => {
  expect(told(text)).toEqual(expected);
});

test('bytes that are no UTF-8 are told with their line', () => {
  expect(told(new Uint8Array([0x61, 0x0a, 0x62, 0xff, 0x0a]))).toEqual(['FILE_ENCODING_INVALID 2:1']);
});
