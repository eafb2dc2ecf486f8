import { describe, expect, test } from 'vitest';
import { type HbaRule, hbaLine, leadingComments, rulesMissing } from '../../../src/facts/postgres/hba-rules.ts';

const rule: HbaRule = { type: 'host', database: 'engine', role: 'engine', address: '192.0.2.7', method: 'scram-sha-256' };

describe('a line of pg_hba.conf', () => {
  test.each([
    [{}, 'host engine engine 192.0.2.7/32 scram-sha-256 # ferry'],
    [{ database: 'My-DB', role: 'Ünd "x"' }, 'host "My-DB" "Ünd ""x""" 192.0.2.7/32 scram-sha-256 # ferry'],
    [{ database: 'all', role: 'all', address: 'engine.example.com' }, 'host all all engine.example.com scram-sha-256 # ferry'],
    [{ database: 'sameuser' }, 'host "sameuser" engine 192.0.2.7/32 scram-sha-256 # ferry'],
    [{ database: 'replication' }, 'host "replication" engine 192.0.2.7/32 scram-sha-256 # ferry'],
    [{ address: '2001:db8::1', type: 'hostssl', method: 'cert' }, 'hostssl engine engine 2001:db8::1/128 cert # ferry'],
    [{ address: '192.0.2.0/24' }, 'host engine engine 192.0.2.0/24 scram-sha-256 # ferry'],
  ] as [Partial<HbaRule>, string][])('of %j', (change, line) => {
    expect(hbaLine({ ...rule, ...change })).toBe(line);
  });
});

describe('a rule is missing', () => {
  test.each([
    ['when the file is empty', '', true],
    ['unless it stands there', 'host engine engine 192.0.2.7/32 scram-sha-256', false],
    ['unless it stands there in other words', 'host\t"engine",other  engine 192.0.2.7/32\tscram-sha-256 # c', false],
    ['when only a comment says so', '# host engine engine 192.0.2.7/32 scram-sha-256', true],
    ['when another method decides first', 'host all all 0.0.0.0/0 trust\nhost engine engine 192.0.2.7/32 scram-sha-256', true],
    [
      'also when the first one has its mask in a column',
      'host all all 192.0.2.0 255.255.255.0 md5\nhost engine engine 192.0.2.7/32 scram-sha-256',
      true,
    ],
    [
      'unless the earlier one means another address',
      'host all all 198.51.100.0/24 trust\nhost engine engine 192.0.2.7/32 scram-sha-256',
      false,
    ],
    ['unless the earlier one means IPv6', 'host all all ::/0 trust\nhost engine engine 192.0.2.7/32 scram-sha-256', false],
    [
      'unless the earlier one means another role',
      'host all other 0.0.0.0/0 trust\nhost engine engine 192.0.2.7/32 scram-sha-256',
      false,
    ],
    ['unless the earlier one is for the socket', 'local all all peer\nhost engine engine 192.0.2.7/32 scram-sha-256', false],
    [
      'unless the earlier one is for replication',
      'host replication all 0.0.0.0/0 trust\nhost engine engine 192.0.2.7/32 scram-sha-256',
      false,
    ],
    [
      'unless the earlier one uses the same method',
      'host all all 0.0.0.0/0 scram-sha-256\nhost engine engine 192.0.2.7/32 scram-sha-256',
      false,
    ],
    [
      'when the earlier one is for a group that may hold the role',
      'host all +staff 0.0.0.0/0 reject\nhost engine engine 192.0.2.7/32 scram-sha-256',
      true,
    ],
    ['when an included file may decide first', 'include other.conf\nhost engine engine 192.0.2.7/32 scram-sha-256', true],
  ])('%s', (_, content, missing) => {
    expect(rulesMissing(content, [rule])).toEqual(missing ? [rule] : []);
  });

  test('a quoted name is no keyword', () => {
    expect(rulesMissing('host "all" "all" 0.0.0.0/0 trust\nhost engine engine 192.0.2.7/32 scram-sha-256', [rule])).toEqual([]);
  });
});

describe('new rules go', () => {
  test.each([
    ['to the top of an empty file', '', 0],
    ['to the top when there is no comment', 'local all all peer\n', 0],
    ['after the comments', '# one\n# two\n\nlocal all all peer\n', 3],
    ['above the comment that speaks of the first rule', '# head\n\n# about local\nlocal all all peer\n', 2],
    ['to the end of a file of comments', '# one\n# two\n', 2],
  ])('%s', (_, content, after) => {
    expect(leadingComments(content)).toBe(after);
  });
});
