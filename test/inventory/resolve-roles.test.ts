import { expect, test } from 'vitest';
import type { HostSettings, Inventory } from '../../src/inventory/inventory.ts';
import { resolveRoles } from '../../src/inventory/resolve-roles.ts';

const host = (name: string): [string, HostSettings] => [
  name,
  {
    name,
    hostName: name,
    port: 22,
    user: 'root',
    address: name,
    identityFiles: [],
    agent: null,
    knownHostsFiles: [],
    connection: 'ssh',
  },
];
const inventory: Inventory = {
  file: 'inventory.yaml',
  hosts: new Map([host('he1'), host('he2'), host('engine'), host('newdb')]),
  roles: new Map([
    ['he_host', 'he1'],
    ['unused_here', 'he2'],
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
