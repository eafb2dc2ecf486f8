import { describe, expect, test } from 'vitest';
import type { DiffLine } from '../../../src/actions/action.ts';
import { keyDiff } from '../../../src/actions/config/key-diff.ts';

const rows: [about: string, before: string, after: string, diff: DiffLine[] | null][] = [
  ['a value that changes', 'A="1"\nB="2"\n', 'A="1"\nB="3"\n', [['~', 'B=', '"2"', '"3"']]],
  ['a key that comes', 'A="1"\n', 'A="1"\nB="2"\n', [['+', 'B="2"']]],
  ['a key that goes', '# c\nA="1"\nB="2"\n', '# c\nA="1"\n', [['-', 'B="2"']]],
  ['the same text', 'A=1\n', 'A=1\n', []],
  ['another comment is nothing keys can show', '# one\nA=1\n', '# two\nA=2\n', null],
  ['a key that stands there twice is no pair', 'A=1\nB=1\n', 'A=2\nB=1\nA=3\nA=4\n', null],
  [
    'a password that changes',
    'DB_PASSWORD="a1"\n',
    'DB_PASSWORD="b1"\n',
    [['~', 'DB_PASSWORD=', '"[secret]"', '"[another secret]"']],
  ],
  [
    'a password written another way',
    'DB_PASSWORD=a1\n',
    'DB_PASSWORD="a1"\n',
    [['~', 'DB_PASSWORD=', '"[secret]"', '"[secret]"']],
  ],
  ['a password that comes', '', 'DB_PASSWORD="b1"\n', [['+', 'DB_PASSWORD="[secret]"']]],
  ['a key that hides', 'DSN=u/a1@h\n', 'DSN=u/b1@h\n', [['~', 'DSN=', '"[secret]"', '"[another secret]"']]],
  [
    'a password inside a value that stays, beside one that changes',
    'U1="x?password=a1&h=1"\nU2="x?password=a1"\n',
    'U1="x?password=a1&h=2"\nU2="x?password=b1"\n',
    [
      ['~', 'U1=', '"x?password=[secret]&h=1"', '"x?password=[secret]&h=2"'],
      ['~', 'U2=', '"x?password=[secret]"', '"x?password=[another secret]"'],
    ],
  ],
];

describe('a conf file, key by key', () => {
  test.each(rows)('%s', (_, before, after, diff) => {
    const found = keyDiff(before, after, ['DSN']);
    expect(found).toEqual(diff);
    expect(JSON.stringify(found)).not.toMatch(/[ab]1/);
  });
});
