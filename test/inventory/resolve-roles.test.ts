import { expect, test } from 'vitest';
import { type ChosenFrom, resolveRoles } from '../../src/inventory/resolve-roles.ts';

const inventory: ChosenFrom = {
  file: 'inventory.yaml',
  hosts: new Map(['he1', 'he2', 'engine', 'newdb', 'db1'].map((name) => [name, null])),
  roles: new Map([
    ['he_host', 'he1'],
    ['unused_here', 'he2'],
  ]),
  groups: new Map([
    ['primary', ['db1']],
    ['engine', ['he1']],
    ['standby', ['he1', 'he2']],
  ]),
};
const wants = (...roles: (string | [string, string])[]) => ({
  roles: roles.map((role) => (typeof role === 'string' ? { name: role } : { name: role[0], default: role[1] })),
});
const resolve = (roles: ReturnType<typeof wants>, given: Record<string, string> = {}) => {
  const result = resolveRoles(roles, inventory, new Map(Object.entries(given)));
  return 'roles' in result ? Object.fromEntries(result.roles) : result.diagnostics.map((each) => [each.code, each.hint]);
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
