import { describe, expect, test } from 'vitest';
import type { DiffLine } from '../../src/actions/action.ts';
import { fileDiff } from '../../src/actions/file-diff.ts';
import { contentOf, type FileContent } from '../../src/facts/file-content.ts';

const open = { mode: '0644', owner: 'root', group: 'root' };
const closed = { ...open, mode: '0600' };
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
const hashed = (bytes: Uint8Array, hash: string): FileContent => ({ ...contentOf(bytes, open), keyedHash: hash.repeat(64) });
const binary = (size: number) => new Uint8Array(size).fill(0);

const rows: [about: string, before: FileContent | undefined, after: FileContent | undefined, diff: DiffLine[]][] = [
  ['the same bytes, mode and owner are no line', contentOf('a\n', open), contentOf('a\n', open), []],
  [
    'a line that changes stands between three lines before and three after it',
    contentOf(numbered(1, 20), open),
    contentOf(`${numbered(1, 9)}other\n${numbered(11, 20)}`, open),
    [
      ['@', '@@ -7,7 +7,7 @@'],
      [' ', 'line 7'],
      [' ', 'line 8'],
      [' ', 'line 9'],
      ['-', 'line 10'],
      ['+', 'other'],
      [' ', 'line 11'],
      [' ', 'line 12'],
      [' ', 'line 13'],
    ],
  ],
  [
    'two changes far from each other are two hunks',
    contentOf(numbered(1, 20), open),
    contentOf(`first\n${numbered(1, 19)}`, open),
    [
      ['@', '@@ -1,3 +1,4 @@'],
      ['+', 'first'],
      [' ', 'line 1'],
      [' ', 'line 2'],
      [' ', 'line 3'],
      ['@', '@@ -17,4 +18,3 @@'],
      [' ', 'line 17'],
      [' ', 'line 18'],
      [' ', 'line 19'],
      ['-', 'line 20'],
    ],
  ],
  [
    'mode, owner and group come first, in one form',
    contentOf('a\n', open),
    contentOf('b\n', { mode: '0640', owner: 'ovirt', group: 'kvm' }),
    [
      ['~', 'mode ', '0644', '0640'],
      ['~', 'owner ', 'root', 'ovirt'],
      ['~', 'group ', 'root', 'kvm'],
      ['@', '@@ -1,1 +1,1 @@'],
      ['-', 'a'],
      // A line of a file not everybody may read, and no KEY=value.
      ['+', '[secret]'],
    ],
  ],
  [
    'a last line without its newline is said',
    contentOf('a\n', open),
    contentOf('a', open),
    [
      ['@', '@@ -1,1 +1,1 @@'],
      ['-', 'a'],
      ['+', 'a'],
      [' ', '\\ No newline at end of file'],
    ],
  ],
  [
    'line ends that change are shown',
    contentOf('a\r\n', open),
    contentOf('a\n', open),
    [
      ['@', '@@ -1,1 +1,1 @@'],
      ['-', 'a\\r'],
      ['+', 'a'],
    ],
  ],
  [
    'a new file is its lines',
    undefined,
    contentOf('a=1\nb=2\n', open),
    [
      ['+', 'a=1'],
      ['+', 'b=2'],
    ],
  ],
  [
    'a file that goes is named by size, mode and owner',
    contentOf('a=1\n', open),
    undefined,
    [['-', 'text, 4 B, 0644 root:root']],
  ],
  [
    'bytes that are no text have size and short hash',
    hashed(binary(2000), 'a1'),
    hashed(binary(3000), 'b2'),
    [['~', 'content ', 'binary, 2.0 kB, hash a1a1a1a1', 'binary, 3.0 kB, hash b2b2b2b2']],
  ],
  [
    'what is too large to be read too',
    hashed(binary(70_000), 'a1'),
    hashed(binary(70_000), 'b2'),
    [['~', 'content ', '70.0 kB, hash a1a1a1a1', '70.0 kB, hash b2b2b2b2']],
  ],
  ['and is the same when the hashes are', hashed(binary(70_000), 'a1'), hashed(binary(70_000), 'a1'), []],
  [
    'bytes that become text',
    hashed(binary(10), 'a1'),
    contentOf('a\n', open),
    [['~', 'content ', 'binary, 10 B, hash a1a1a1a1', 'text, 2 B']],
  ],
];

describe('the diff of a file', () => {
  test.each(rows)('%s', (_, before, after, diff) => {
    expect(fileDiff(before, after)).toEqual(diff);
  });

  test('is bounded, and says how much more there is', () => {
    const lines = fileDiff(undefined, contentOf(numbered(1, 274), open));
    expect(lines).toHaveLength(61);
    expect(lines.at(-1)).toEqual([' ', '... 214 more lines']);
  });

  test('of two texts with nothing in common says so instead of both', () => {
    const other = Array.from({ length: 400 }, (_, index) => `x${index}\n`).join('');
    expect(fileDiff(contentOf(numbered(1, 400), open), contentOf(other, open))).toEqual([
      ['~', 'content ', '400 lines, 3.5 kB', '400 lines, 1.9 kB, nearly all of them other ones'],
    ]);
  });
});

describe('a secret in the diff of a file', () => {
  const text = (lines: DiffLine[]) => JSON.stringify(lines);

  test('is masked by its key, and seen to change', () => {
    const diff = fileDiff(contentOf('host=a\npassword=hunter2\n', open), contentOf('host=a\npassword=hunter3\n', open));
    expect(diff.slice(1)).toEqual([
      [' ', 'host=a'],
      ['-', 'password=[secret]'],
      ['+', 'password=[another secret]'],
    ]);
  });

  test('is masked in lines of a file that not everybody may read, and seen to change', () => {
    const diff = fileDiff(contentOf('h:5432:db:u:hunter2\n', closed), contentOf('h:5432:db:u:hunter3\n', closed));
    expect(diff.slice(1)).toEqual([
      ['-', '[secret]'],
      ['+', '[another secret]'],
    ]);
  });

  test('is masked where the file was closed and is opened, except for what the new one shows everybody', () => {
    const diff = fileDiff(contentOf('alpha\nhunter2\n', closed), contentOf('alpha\nbeta\n', open));
    expect(diff).toEqual([
      ['~', 'mode ', '0600', '0644'],
      ['@', '@@ -1,2 +1,2 @@'],
      [' ', 'alpha'],
      ['-', '[secret]'],
      ['+', 'beta'],
    ]);
  });

  test('is masked in context lines, in keys of a private key, and in URLs', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nQUJDhunter2\n-----END PRIVATE KEY-----\n';
    const before = contentOf(`${key}url=pg://u:hunter2@h/db\na=1\nDB_PASS=hunter2\n`, open);
    const after = contentOf(`${key}url=pg://u:hunter2@h/db\na=2\nDB_PASS=hunter2\n`, open);
    expect(text(fileDiff(before, after))).not.toContain('hunter2');
    expect(fileDiff(before, after)).toContainEqual(['+', 'a=2']);
  });

  test('as the whole content is not shown at all, in either file', () => {
    const before = contentOf('plain hunter2\n', open);
    expect(fileDiff(before, contentOf('plain hunter3\n', open), true)).toEqual([
      ['~', 'content ', '[secret] (14 B)', '[another secret] (14 B)'],
    ]);
    expect(fileDiff(undefined, before, true)).toEqual([['+', '[secret] (14 B)']]);
  });
});
