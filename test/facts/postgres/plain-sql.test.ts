import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { NOT_A_DUMP, readPlainSql } from '../../../src/facts/postgres/plain-sql.ts';

const END = '--\n-- PostgreSQL database dump complete\n--\n\n';

/** What the reader prints of a text, by the awk of this machine. */
function read(
  text: string,
  mode: 'load' | 'check' | 'grants' = 'load',
  privileges = false,
  restrict: string | null = null,
  role = '',
) {
  const ran = spawnSync('sh', ['-c', readPlainSql(mode, { privileges, restrict, role }).text], { input: text, encoding: 'utf8' });
  return { code: ran.status, out: ran.stdout, why: ran.stderr.trim() };
}
/** What is left of statements, without the end of a dump and of the load. */
const left = (text: string, privileges = false, role?: string) => {
  const { code, out, why } = read(`${text}\n${END}`, 'load', privileges, null, role);
  expect([code, why]).toEqual([0, '']);
  return out.slice(0, out.indexOf('--\n-- PostgreSQL database dump complete')).trim();
};

describe('a plain dump that is read for a restore', () => {
  test('ends with COMMIT, which nothing but the end of a whole one brings', () => {
    expect(read(`SELECT 1;\n${END}`).out).toBe(`SELECT 1;\n${END}COMMIT;\n\\echo ferry-restored\n`);
    expect(read(`SELECT 1;\n${END}`, 'load', false, 'Key1').out).toMatch(/\\unrestrict Key1\nCOMMIT;\n\\echo ferry-restored\n$/);
    expect(read(`SELECT 1;\n${END}`, 'check').out).toBe('');
  });

  test('keeps its line numbers, whatever is left out', () => {
    const text = `\\restrict abc\nALTER TABLE t\n  OWNER TO x;\nSELECT 1;\n\\unrestrict abc\n${END}`;
    expect(read(text).out.split('\n').indexOf('SELECT 1;')).toBe(3);
    expect(read(text).out).not.toMatch(/OWNER|restrict /);
  });

  const anOwner = 'ALTER TABLE public.t OWNER TO x;';
  test.each([
    ['an owner', anOwner],
    ['the owner of a function with odd names', 'ALTER FUNCTION public."o;dd"(a integer, OUT "b c" text) OWNER TO "x;y";'],
    ['an extension', 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;'],
    ['the comment of an extension', `COMMENT ON EXTENSION "uuid-ossp" IS 'it''s; for ids';`],
    ['the public schema', 'CREATE SCHEMA public;'],
    ['the comment of the public schema', `COMMENT ON SCHEMA public IS 'standard public schema';`],
    ['dropping the public schema first', 'DROP SCHEMA IF EXISTS public;'],
    ['the database itself', `CREATE DATABASE engine WITH TEMPLATE = template0 ENCODING = 'UTF8';`],
    ['settings of the database', `ALTER DATABASE engine SET client_min_messages TO 'error';`],
    ['settings of a role in it', `ALTER ROLE engine IN DATABASE engine SET work_mem TO '9MB';`],
    ['privileges on the database', 'GRANT CONNECT ON DATABASE engine TO reader;'],
    ['another user for what follows', 'SET SESSION AUTHORIZATION x;'],
    ['a transaction around large objects', 'BEGIN;\n\nCOMMIT;'],
    ['a setting older servers do not know', 'SET transaction_timeout = 0;'],
    ['where it connects', '\\connect engine'],
    ['where it connects, with an odd name', `\\encoding SQL_ASCII\n\\connect -reuse-previous=on "dbname='o dd'"`],
    ['what newer ones begin with', '\\restrict qUqaBx9\n\\unrestrict qUqaBx9'],
  ])('leaves out %s', (_, text) => {
    expect(left(text, true)).toBe('');
  });

  test.each([
    ['a privilege', 'GRANT SELECT ON TABLE public.t TO reader;'],
    ['one that is taken', 'REVOKE ALL ON FUNCTION public.f() FROM PUBLIC;'],
    ['those of what will be made', 'ALTER DEFAULT PRIVILEGES FOR ROLE x IN SCHEMA public GRANT SELECT ON TABLES TO reader;'],
  ])('leaves out %s unless it is wanted', (_, text) => {
    expect(left(text)).toBe('');
    expect(left(text, true)).toBe(text);
  });

  test('has the superuser set default privileges of any role, and the owner go on', () => {
    const sql = 'ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO reader;';
    expect(left(sql, true, '"O\\x"')).toBe(`RESET ROLE; ${sql} SET ROLE "O\\x";`);
    expect(left('ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader;', true, '"o"')).not.toContain('RESET');
  });

  test.each([
    ['rows', `COPY public.t (a) FROM stdin;\n${anOwner}\n\\\\! touch /x\nGRANT ALL ON t TO x;\n\\\\.\n\\restrict x\n\\.`],
    ['a text', `INSERT INTO public.t VALUES ('\n${anOwner}\n\\! touch /x\n''\n${anOwner}\n');`],
    ['a text with backslashes', `INSERT INTO public.t VALUES (E'\\'\n${anOwner}\n\\\\');`],
    [
      'the body of a function',
      `CREATE FUNCTION public.f() RETURNS int LANGUAGE plpgsql AS $_$\n${anOwner}\nCOMMIT;\n$x$ \\! $x$\n$_$;`,
    ],
    [
      'a body the server keeps as SQL',
      'CREATE FUNCTION public.g(a int) RETURNS int LANGUAGE sql\n    BEGIN ATOMIC\n SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END;\n SELECT a;\nEND;',
    ],
    ['a comment', `/* ${anOwner}\n/* \\! */\n${anOwner}\n*/\n-- ${anOwner}\nSELECT 1;`],
    ['a default', `ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT ' OWNER TO x'::text;`],
    ['a name', `CREATE TABLE public."a\n${anOwner}\n$b$" (n int);`],
    ['a check', `ALTER TABLE public.t ADD CONSTRAINT c CHECK ((a <> 'x OWNER TO y;'::text));`],
    ['a comment on a column', `COMMENT ON COLUMN public.t.a IS 'GRANT ALL ON t TO x;\nit''s';`],
    ['names with a dollar', 'CREATE TABLE public.a$b$ (c$b$ int);'],
    ['another schema', 'CREATE SCHEMA public2;\n\nCREATE SCHEMA "public";'],
    ['many rows in one statement', 'INSERT INTO public.t VALUES\n\t(1),\n\t(2);'],
  ])('keeps what stands in %s', (_, text) => {
    expect(left(text)).toBe(text);
  });
});

describe('a file that is no whole dump of one database', () => {
  const cut = 'it was cut: the line "PostgreSQL database dump complete" does not end it';
  test.each([
    ['is empty', '', cut],
    ['ends after a statement', 'SELECT 1;\n', cut],
    ['ends in a statement', 'SELECT', cut],
    ['ends in rows', 'COPY t (a) FROM stdin;\n1\n', cut],
    ['ends in rows that look like the end', `COPY t (a) FROM stdin;\n1\n${END}`, cut],
    ['ends in a text', `INSERT INTO t VALUES ('\n${END}`, cut],
    ['ends in a body', `CREATE FUNCTION f() RETURNS int AS $$\n${END}`, cut],
    ['goes on after its end', `${END}SELECT 1;\n`, cut],
    ['has a command for a shell', `\\! touch /x\n${END}`, 'line 1 has a command of psql, \\! touch /x, which no dump has'],
    ['has one behind a statement', `SELECT 1 \\gexec\n${END}`, 'line 1 has a command of psql, \\gexec, which no dump has'],
    [
      'goes on to another database',
      `\\connect a\nSELECT 1;\n\\connect b\n${END}`,
      'line 3 goes on to another database; make a dump of this one alone',
    ],
    [
      'is of a whole cluster',
      '--\n-- PostgreSQL database cluster dump\n--\n',
      'it is of a whole cluster, by pg_dumpall; make one of this database alone, by pg_dump',
    ],
    ['ends the transaction', `SELECT 1;\nROLLBACK;\n${END}`, 'line 2 ends or divides the transaction, which no dump does'],
    ['ends it by another word', `END;\n${END}`, 'line 1 ends or divides the transaction, which no dump does'],
    [
      'reads from a program',
      `COPY t FROM PROGRAM 'id';\n${END}`,
      'line 1 copies to or from a file of the server, which no dump does',
    ],
    ['has two things in the line of COPY', `COPY t FROM stdin; SELECT 1;\n${END}`, 'line 1 has more than COPY'],
    [
      'is in an encoding of which a letter can end in a quote',
      `SET client_encoding = 'SJIS';\n${END}`,
      'it is written in an encoding no server keeps; make it with --encoding=UTF8',
    ],
  ])('is refused when it %s', (_, text, why) => {
    expect(read(text, 'check')).toMatchObject({ code: NOT_A_DUMP, out: '', why });
    const loaded = read(text);
    expect(loaded.code).toBe(NOT_A_DUMP);
    expect(loaded.out).not.toContain('COMMIT');
  });

  test('shows whom its privileges name, those in texts left out', () => {
    const text = `SELECT 'GRANT ALL ON t TO x;';\nGRANT SELECT ON TABLE public.t TO reader;\nREVOKE ALL ON TABLE public.t FROM "o dd";\n${END}`;
    expect(read(text, 'grants', true).out).toBe(
      'GRANT SELECT ON TABLE public.t TO reader;\nREVOKE ALL ON TABLE public.t FROM "o dd";\n',
    );
  });
});
