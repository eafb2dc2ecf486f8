import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { conninfo, fromJson, inDatabase, runSql } from '../../../src/facts/postgres/psql.ts';
import { answer } from '../../kit/read-here.ts';

describe('a connection string', () => {
  test('names one database, whatever is in its name', () => {
    expect(conninfo(`it's a \\ host=evil`)).toBe(`dbname='it\\'s a \\\\ host=evil'`);
  });

  test('survives \\connect, which takes double quotes away', () => {
    expect(inDatabase('a"b').variables).toEqual({ db: 'a"b', conninfo: `"dbname='a""b'"` });
  });
});

test('SQL goes by stdin and values as variables, each one shell word', () => {
  const { text } = runSql({ port: 5433 }, `SELECT :'name';`, { name: `x'; DROP` });
  expect(text).toContain(`printf '%s\\n' 'SELECT :'\\''name'\\'';' |`);
  expect(text).toMatch(/-p 5433 .*-v .*name=x/);
});

describe('the answer of a reader', () => {
  const read = (stdout: string, more = {}) => fromJson(answer(stdout, more), z.object({ a: z.int() }));

  test.each([
    ['a value', '{"a": 1}\n', {}, { state: 'value', value: { a: 1 } }],
    ['absent without a line', '\n', {}, { state: 'absent' }],
    ['absent where PostgreSQL is not installed', '', { code: 90 }, { state: 'absent' }],
    ['absent where it does not run', '', { code: 91, stderr: 'psql: error: ...' }, { state: 'absent' }],
    [
      'unreadable when refused',
      '',
      { code: 2, stderr: 'psql: error: connection to server on socket "/x" failed: FATAL:  Peer authentication failed\n' },
      { state: 'unreadable', why: 'Peer authentication failed' },
    ],
    [
      'unreadable when SQL fails',
      '',
      { code: 3, stderr: 'ERROR:  permission denied for table pg_authid\nLINE 1: x' },
      { state: 'unreadable', why: 'permission denied for table pg_authid' },
    ],
    [
      'unreadable when it is no JSON',
      'hello',
      {},
      { state: 'unreadable', why: 'PostgreSQL answered with something that is not JSON' },
    ],
    [
      'unreadable in an unknown form',
      '{"a": "x"}',
      {},
      { state: 'unreadable', why: 'PostgreSQL answered in an unknown form (a)' },
    ],
  ])('is %s', (_, stdout, more, wanted) => {
    expect(read(stdout, more)).toEqual(wanted);
  });
});
