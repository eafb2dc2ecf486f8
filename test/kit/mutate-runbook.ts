import fc from 'fast-check';
import { isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';

/** A runbook text that went wrong in the ways files go wrong: while typed, merged, pasted, generated. */
export type Mutation = (text: string) => string;

const at = (text: string, where: number) => Math.floor(where * (text.length + 1));
const lineAt = (text: string, where: number) => {
  const lines = text.split('\n');
  return { lines, index: Math.floor(where * lines.length) };
};

const PIECES = [
  ...[
    '${{',
    '}}',
    '${{ inputs.x }}',
    '${{ steps }}',
    '${{ 1/0 }}',
    "${{ steps['a'].outputs.b.c[0] }}",
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '#',
    '"',
    "'",
    '\\',
  ],
  ...[
    '&a ',
    '*a',
    '&a [*a]',
    '<<: *a',
    '!!set ',
    '!x ',
    '|',
    '>-',
    '---',
    '...',
    '%YAML 1.1',
    '\t',
    '\r',
    '\n',
    '\u0000',
    '\uFEFF',
    '\u2028',
    '\ud800',
    '🦀',
    '?',
    '? x',
  ],
  ...[
    'null',
    '~',
    'true',
    '1e999',
    '0x10',
    '-0',
    '.nan',
    '99999999999999999999',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ],
  ...[
    'needs: []',
    'when: false',
    'allow: [{ rule: FILE_LEFT, reason: as it is }]',
    'checkpoint: x',
    'runbook: r.yaml',
    'with: {}',
    'host: engine',
  ],
];
const VALUES = [
  '',
  null,
  true,
  0,
  -1,
  1.5,
  'x',
  '${{ inputs.x }}',
  '${{ inputs.database }}',
  'a${{ 1 }}b',
  [],
  ['x'],
  {},
  { x: 1 },
  [[[]]],
  '__proto__',
  ['${{ roles.engine.address }}'],
];

const unit = fc.double({ min: 0, max: 0.999999, noNaN: true });
const inText: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(unit, fc.constantFrom(...PIECES)).map(
    ([where, piece]) =>
      (text: string) =>
        text.slice(0, at(text, where)) + piece + text.slice(at(text, where)),
  ),
  fc.tuple(unit, fc.integer({ min: 1, max: 40 })).map(
    ([where, count]) =>
      (text: string) =>
        text.slice(0, at(text, where)) + text.slice(at(text, where) + count),
  ),
  fc.tuple(unit, fc.string({ unit: 'binary', maxLength: 8 })).map(
    ([where, piece]) =>
      (text: string) =>
        text.slice(0, at(text, where)) + piece + text.slice(at(text, where)),
  ),
  unit.map((where) => (text: string) => text.slice(0, at(text, where))),
  unit.map((where) => (text: string) => {
    const { lines, index } = lineAt(text, where);
    return lines.toSpliced(index, 0, lines[index] ?? '').join('\n');
  }),
  unit.map((where) => (text: string) => {
    const { lines, index } = lineAt(text, where);
    return lines.toSpliced(index, 1).join('\n');
  }),
  fc.tuple(unit, unit).map(([from, to]) => (text: string) => {
    const one = lineAt(text, from);
    const moved = one.lines[one.index] ?? '';
    const rest = one.lines.toSpliced(one.index, 1);
    return rest.toSpliced(Math.floor(to * rest.length), 0, moved).join('\n');
  }),
  fc.tuple(unit, fc.integer({ min: -4, max: 4 })).map(([where, shift]) => (text: string) => {
    const { lines, index } = lineAt(text, where);
    const line = lines[index] ?? '';
    return lines.with(index, shift < 0 ? line.replace(new RegExp(`^ {0,${-shift}}`), '') : ' '.repeat(shift) + line).join('\n');
  }),
  fc.constantFrom<Mutation>(
    (text) => text.replaceAll('\n', '\r\n'),
    (text) => `\uFEFF${text}`,
    (text) => text.replaceAll('  ', '\t'),
    (text) => text + text,
  ),
  // Names exchanged for one another: what refers to a step, a role or an input refers to something else.
  fc.tuple(unit, unit).map(([from, to]) => (text: string) => {
    const words = [...text.matchAll(/[A-Za-z_][\w.-]{2,}/g)];
    const [one, other] = [words[Math.floor(from * words.length)], words[Math.floor(to * words.length)]];
    return one && other ? text.slice(0, one.index) + other[0] + text.slice(one.index + one[0].length) : text;
  }),
);

/** A change of the tree, which keeps the YAML whole: it gets past the parser to the schema, to expressions and to the linter. */
const inTree: fc.Arbitrary<Mutation> = fc
  .tuple(unit, fc.constantFrom('replace', 'remove', 'repeat', 'exchange'), fc.constantFrom(...VALUES), unit)
  .map(([where, how, value, other]) => (text: string) => {
    const document = parseDocument(text, { logLevel: 'silent' });
    const places = document.errors.length > 0 ? [] : placesIn(document.contents as Node | null);
    const place = places[Math.floor(where * places.length)];
    if (!place) return text;
    const { parent, key } = place;
    const elsewhere = places[Math.floor(other * places.length)] ?? place;
    const next = how === 'exchange' ? elsewhere.parent.get(elsewhere.key, true) : value;
    if (how === 'remove') parent.delete(key);
    else if (how === 'repeat' && isSeq(parent)) parent.items.push(parent.items[Number(key)] as Node);
    else parent.set(key, next);
    try {
      return String(document);
    } catch {
      // A node that was put into itself has no text.
      return text;
    }
  });

type Parent = {
  get(key: unknown, keepScalar: true): unknown;
  set(key: unknown, value: unknown): void;
  delete(key: unknown): boolean;
  items: unknown[];
};

function placesIn(node: Node | null): { parent: Parent; key: string | number }[] {
  if (isSeq(node))
    return node.items.flatMap((item, index) => [{ parent: node as unknown as Parent, key: index }, ...placesIn(item as Node)]);
  if (!isMap(node)) return [];
  return node.items.flatMap((pair) =>
    isScalar(pair.key)
      ? [{ parent: node as unknown as Parent, key: String(pair.key.value) }, ...placesIn(pair.value as Node | null)]
      : [],
  );
}

/** One to three changes, more often of the tree than of the text. */
export const mutation: fc.Arbitrary<Mutation> = fc
  .array(fc.oneof({ weight: 3, arbitrary: inTree }, { weight: 2, arbitrary: inText }), { minLength: 1, maxLength: 3 })
  .map((changes) => (text: string) => changes.reduce((changed, change) => change(changed), text));
