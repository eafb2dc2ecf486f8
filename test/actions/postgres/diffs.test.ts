import { describe, expect, test } from 'vitest';
import type { DiffLine } from '../../../src/actions/action.ts';
import { ruleDiff } from '../../../src/actions/postgres/rule-diff.ts';
import { settingLine } from '../../../src/actions/postgres/setting-line.ts';

const head = '# PostgreSQL Client Authentication\n\n';

const rules: [about: string, before: string, after: string, diff: DiffLine[]][] = [
  [
    'rules that are put in stand before the rule they come before',
    `${head}local   all\t all  peer\nhost all all all md5\n`,
    `${head}host engine engine 192.0.2.7/32 scram-sha-256\nlocal   all\t all  peer\nhost all all all md5\n`,
    [
      ['+', 'host engine engine 192.0.2.7/32 scram-sha-256'],
      [' ', 'local all all peer'],
    ],
  ],
  [
    'so do rules that are taken out',
    `${head}host engine engine 192.0.2.7/32 scram-sha-256\nlocal all all peer\n`,
    `${head}local all all peer\n`,
    [
      ['-', 'host engine engine 192.0.2.7/32 scram-sha-256'],
      [' ', 'local all all peer'],
    ],
  ],
  [
    'the last rule has none after it',
    'local all all peer\nhost all all all md5\n',
    'local all all peer\n',
    [['-', 'host all all all md5']],
  ],
  ['blank lines are no rules', 'local all all peer\n', '\n\nlocal all all peer\n', []],
  [
    'passwords of rules are masked, also in the rule beside',
    'host all all all radius radiussecrets="hunter2"\n',
    'host a a all ldap ldapbindpasswd=hunter2\nhost all all all radius radiussecrets="hunter2"\n',
    [
      ['+', 'host a a all ldap ldapbindpasswd=[secret]'],
      [' ', 'host all all all radius radiussecrets=[secret]'],
    ],
  ],
];

describe('the rules of pg_hba.conf', () => {
  test.each(rules)('%s', (_, before, after, diff) => {
    expect(ruleDiff(before, after)).toEqual(diff);
  });
});

describe('a setting and what becomes of it', () => {
  test.each<[string, string | null, string | null, DiffLine]>([
    ['work_mem', '4096 kB', '8MB', ['~', 'work_mem = ', '4096 kB', '8MB']],
    ['search_path', null, 'app', ['+', 'search_path = app']],
    ['search_path', 'app', null, ['-', 'search_path = app']],
    ['primary_conninfo', 'password=hunter2', 'password=hunter3', ['~', 'primary_conninfo = ', '[secret]', '[another secret]']],
    ['app.jwt_secret', null, 'hunter2', ['+', 'app.jwt_secret = [secret]']],
    ['app.dsn', 'pg://u:hunter2@h', 'pg://u:hunter3@h', ['~', 'app.dsn = ', 'pg://u:[secret]@h', 'pg://u:[another secret]@h']],
  ])('%s: %s -> %s', (name, before, after, line) => {
    expect(settingLine(name, before, after)).toEqual(line);
  });
});
