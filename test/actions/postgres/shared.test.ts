import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { counted } from '../../../src/actions/postgres/connections.ts';
import { untilNone } from '../../../src/actions/postgres/databases.ts';
import { differences, type Fingerprint, type ObjectPrint } from '../../../src/actions/postgres/fingerprint.ts';
import { reason } from '../../../src/actions/postgres/login-reason.ts';
import { readPosition, restoreScript } from '../../../src/actions/postgres/restore-script.ts';
import { settingStatements } from '../../../src/actions/postgres/sql.ts';
import { keptNames } from '../../../src/actions/postgres/take-back.ts';
import { writtenSince } from '../../../src/actions/postgres/write-line.ts';
import { type Sh, sh } from '../../../src/hosts/sh.ts';

describe('differences of two databases', () => {
  const prints = (...list: ObjectPrint[]): Fingerprint => new Map(list.map((print) => [`${print.kind} ${print.name}`, print]));
  const table: ObjectPrint = { kind: 'table', name: 'public.job', rows: 2, content: '5:7', columns: 'c1' };

  test.each([
    ['none when all is equal', prints(table), prints({ ...table }), []],
    ['a table missing on the right', prints(table), prints(), ['table public.job: there | missing']],
    ['a table missing on the left', prints(), prints(table), ['table public.job: missing | there']],
    ['another number of rows', prints(table), prints({ ...table, rows: 3 }), ['table public.job: 2 | 3 rows']],
    [
      'other content in as many rows',
      prints(table),
      prints({ ...table, content: '5:8' }),
      ['table public.job: 2 rows on both sides, content differs (5:7 | 5:8)'],
    ],
    [
      'other columns, even without rows',
      prints(table),
      prints({ ...table, columns: 'c2' }),
      ['table public.job: its columns differ'],
    ],
    [
      'a sequence elsewhere',
      prints({ kind: 'sequence', name: 's', content: '5 true' }),
      prints({ kind: 'sequence', name: 's', content: '5 false' }),
      ['sequence s: 5 true | 5 false'],
    ],
  ])('%s', (_, left, right, wanted) => {
    expect(differences(left, right)).toEqual(wanted);
  });
});

describe('what was written since', () => {
  test('counts each table, new ones too, and names those of public shortly', () => {
    expect(writtenSince({ 'public.a': 5, 'public.b': 1 }, { 'public.a': 6, 'public.b': 1, '"S x".c': 2 })).toEqual([
      'a: 1 row written',
      '"S x".c: 2 rows written',
    ]);
  });

  test('counters that began anew after a crash count wholly', () => {
    const more = (tables: string) => `the counters of ${tables} began anew, or the tables are gone: there may be more`;
    expect(writtenSince({ 'public.a': 500 }, { 'public.a': 3 })).toEqual(['a: 3 rows written', more('1 table')]);
    // Written to, then a crash of the server: the counts went with it, and nothing written was what they seemed to tell.
    expect(writtenSince({ 'public.a': 500, 'public.b': 2 }, {})).toEqual([more('2 tables')]);
  });
});

describe('the name of a database that is kept', () => {
  test('has at most 63 bytes, cut between characters', () => {
    expect(keptNames('engine', 'r-1').slice(0, 2)).toEqual(['engine_ferry_r-1', 'engine_ferry_r-1_2']);
    const [long = ''] = keptNames('é'.repeat(31), 'r-20260101-020000-ab12');
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(63);
    expect(long).toMatch(/^é+_ferry_r-20260101-020000-ab12$/);
  });
});

describe('statements for settings', () => {
  test('quote name and value, and a list has one literal for each member', () => {
    const settings = { search_path: 'public, "A b"', work_mem: '8MB', 'x.y': null, 'a"b': "it's \\ :'x'" };
    expect(settingStatements('ALTER SYSTEM', settings).split('\n')).toEqual([
      `ALTER SYSTEM SET "search_path" = E'public', E'A b';`,
      `ALTER SYSTEM SET "work_mem" = E'8MB';`,
      `ALTER SYSTEM RESET "x.y";`,
      String.raw`ALTER SYSTEM SET "a""b" = E'it''s \\ :''x''';`,
    ]);
  });
});

describe('the restore script', () => {
  const wish = {
    port: 5432,
    database: `it's`,
    owner: 'My Owner',
    path: '/var/x y/engine.dump',
    sha256: null,
    privileges: false,
    imprint: '/var/k/imprint',
  };

  test('reads the whole dump first when no hash is given, else compares the hash', () => {
    expect(restoreScript(wish).text).toContain('pg_restore -f /dev/null <"$f"');
    const hashed = restoreScript({ ...wish, sha256: 'a'.repeat(64) }).text;
    expect(hashed).toContain('a'.repeat(64));
    expect(hashed).not.toContain('pg_restore -f');
  });

  test('is one transaction that stops at the first error, owned by the wanted role, grants only when asked for', () => {
    expect(restoreScript(wish).text).toContain(
      `--exit-on-error --single-transaction --no-owner '--role=My Owner' --no-privileges`,
    );
    expect(restoreScript({ ...wish, privileges: true }).text).not.toContain('--no-privileges');
  });

  test('progress finds the file though its name looks like a pattern', () => {
    expect(readPosition('/x/[a]*.dump').text).toContain(String.raw`-lname '/x/\[a\]\*.dump'`);
  });
});

describe('sessions are counted', () => {
  const sessions = [
    { user: 'engine', address: '192.0.2.1', count: 3 },
    { user: 'dwh', address: '192.0.2.1', count: 2 },
    { user: 'engine', address: null, count: 1 },
  ];
  test.each([
    [{}, 6],
    [{ role: 'engine' }, 4],
    [{ address: '192.0.2.1' }, 5],
    [{ role: 'engine', address: '192.0.2.1' }, 3],
    [{ role: 'nobody' }, 0],
  ])('%j', (wish, count) => {
    expect(counted(sessions, wish)).toBe(count);
  });
});

describe('the reason of a refused login', () => {
  const at = { address: 'db', port: 5432, database: 'engine', user: 'engine' };
  test.each([
    ['28P01', /password of engine is wrong/],
    ['28000', /no rule of its pg_hba.conf/],
    ['3D000', /no database "engine"/],
    ['53300', /takes no more connections/],
    ['CONNECT_REFUSED', /nothing answers/],
    ['TIMEOUT', /no answer in time/],
    ['XX000', /weird \(XX000\)/],
  ])('%s', (code, wanted) => {
    expect(reason(code, 'weird', at, 'engine')[0]).toMatch(wanted);
    expect(reason(code, 'weird', at, 'engine')[1]).not.toBe('');
  });
});

describe('waiting for sessions to end', () => {
  const wait = (count: Sh) => spawnSync('sh', ['-c', untilNone(count, 3).text], { encoding: 'utf8' });

  test.each([
    ['none are left', sh`echo 0`, 'none\n'],
    ['one does not end', sh`echo 1`, ''],
    ['nobody can tell', sh`exit 2`, ''],
  ])('says that there are none only where that was seen: %s', (_, count, told) => {
    expect(wait(count)).toMatchObject({ status: 0, stdout: told });
  });
});
