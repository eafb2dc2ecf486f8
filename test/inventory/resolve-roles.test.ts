import { expect, test } from 'vitest';
import { type ChosenFrom, resolveRoles } from '../../src/inventory/resolve-roles.ts';

const inventory: ChosenFrom = {
  file: 'inventory.yaml',
  hosts: new Map(['he1', 'he2', 'engine', 'newdb', 'db1'].map((name) => [name, null])),
  roles: new Map([
    ['he_host', ['he1']],
    ['unused_here', ['he2']],
    ['pair', ['db1', 'newdb']],
  ]),
  groups: new Map([
    ['primary', ['db1']],
    ['engine', ['he1']],
    ['standby', ['he1', 'he2']],
  ]),
};
/** A role by its name, with its default; `*` after the name makes it one of many. */
const wants = (...roles: (string | [string, string])[]) => ({
  roles: roles.map((role) => {
    const [name, by] = [role].flat() as [string, string?];
    return { name: name.replace('*', ''), many: name.endsWith('*'), ...(by === undefined ? {} : { default: by }) };
  }),
});
const resolve = (roles: ReturnType<typeof wants>, given: Record<string, string> = {}) => {
  const named = Object.entries(given).map(([role, on]) => [role, on.split(',')] as const);
  const result = resolveRoles(roles, inventory, new Map(named));
  return 'roles' in result
    ? Object.fromEntries([...result.roles].map(([role, on]) => [role, on.join(',')]))
    : result.diagnostics.map((each) => [each.code, each.hint]);
};

test('a role takes the given host, else the inventory’s, else the one of its own name, else that of its default', () => {
  expect(resolve(wants('he_host', 'engine', ['old_db', 'engine'], ['older', 'old_db']))).toEqual({
    he_host: 'he1',
    engine: 'engine',
    old_db: 'engine',
    older: 'engine',
  });
  expect(resolve(wants('he_host', 'engine', ['old_db', 'engine']), { he_host: 'he2', engine: 'newdb' })).toEqual({
    he_host: 'he2',
    engine: 'newdb',
    old_db: 'newdb',
  });
});

test('a group of the role’s name stands for its only host, and after a host of that name', () => {
  expect(resolve(wants('primary', 'engine', ['standby', 'primary']))).toEqual({
    primary: 'db1',
    engine: 'engine',
    standby: 'db1',
  });
  expect(resolve(wants('primary'), { primary: 'he1' })).toEqual({ primary: 'he1' });
});

test('a group of several hosts stands for none of them, and they are named to choose from', () => {
  expect(resolve(wants('standby'))).toEqual([['ROLE_UNASSIGNED', 'Choose one:  --role standby=HOST   of he1, he2.']]);
});

test('a role of many takes all hosts it is given, by name, by the inventory, or by a group', () => {
  expect(resolve(wants('workers*', 'pair*', 'standby*', 'engine*', ['other*', 'pair']), { workers: 'he2,newdb,he2' })).toEqual({
    workers: 'he2,newdb',
    pair: 'db1,newdb',
    standby: 'he1,he2',
    engine: 'engine',
    other: 'db1,newdb',
  });
  expect(resolve(wants('workers*', ['one', 'primary']), { workers: 'standby,engine' })).toEqual({
    workers: 'he1,he2,engine',
    one: 'db1',
  });
});

test('a role of many without a host is told like any other, and one host cannot be several', () => {
  expect(resolve(wants('workers*'))).toEqual([['ROLE_UNASSIGNED', expect.stringContaining('--role workers=HOST')]]);
  expect(resolve(wants('pair', 'engine'), { engine: 'standby' })).toEqual([
    ['ROLE_HOSTS_SEVERAL', 'Choose one:  --role pair=HOST'],
    ['ROLE_HOSTS_SEVERAL', 'Choose one:  --role engine=HOST'],
  ]);
});

test('each role without a host is told, with what to type', () => {
  expect(resolve(wants('new_db', ['a', 'b'], ['b', 'a'], 'engine'))).toEqual([
    ['ROLE_UNASSIGNED', expect.stringContaining('--role new_db=HOST')],
    ['ROLE_UNASSIGNED', expect.stringContaining('--role a=HOST')],
    ['ROLE_UNASSIGNED', expect.stringContaining('--role b=HOST')],
  ]);
});

test('a role or host that does not exist is told with the one it may be', () => {
  expect(resolve(wants('engine'), { enigne: 'newbd' })).toEqual([
    ['ROLE_UNDECLARED', 'Did you mean "engine"?'],
    ['HOST_UNKNOWN', 'Did you mean "newdb"?'],
  ]);
});

// A fan-out of errors: the host was said to be unknown, and its role to have none.
test('a host nobody knows is the one error told, also where another role goes by that one', () => {
  expect(resolve(wants('engine', ['old_db', 'engine']), { engine: 'newbd' })).toEqual([
    ['HOST_UNKNOWN', 'Did you mean "newdb"?'],
  ]);
});
