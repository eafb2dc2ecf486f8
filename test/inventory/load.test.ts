import { expect, test } from 'vitest';
import { loadInventory } from '../../src/inventory/load.ts';

const HOME = '/home/me';
async function load(text: string, files: Record<string, string> = {}, env: Record<string, string> = { USER: 'me' }) {
  const all: Record<string, string> = { '/inv/inventory.yaml': text, ...files };
  return loadInventory('/inv/inventory.yaml', {
    readFile: async (path) => all[path] ?? Promise.reject(new Error(`${path} is not there`)),
    home: HOME,
    env,
  });
}
async function hosts(text: string, files: Record<string, string> = {}, env?: Record<string, string>) {
  const loaded = await load(text, files, env);
  if ('diagnostics' in loaded) throw new Error(JSON.stringify(loaded.diagnostics));
  return Object.fromEntries(loaded.inventory.hosts);
}
async function told(text: string, files: Record<string, string> = {}) {
  const loaded = await load(text, files);
  return 'diagnostics' in loaded
    ? loaded.diagnostics.map((each) => [each.code, `${each.at?.file}:${each.at?.line}:${each.at?.column}`, each.hint])
    : [];
}

test('a host that says everything depends on nothing else, and its paths count from the file', async () => {
  const text = `ferry: 1
knownHosts: ./known_hosts
hosts:
  engine: { address: 10.1.2.13, name: engine.lab.example, user: root, identityFile: ./id_ed25519, port: 2222 }
roles: { he_host: engine }
`;
  const files = { [`${HOME}/.ssh/config`]: 'Include conf.d/*\nHost *\n  ProxyJump gate\n', [`${HOME}/.ssh/id_rsa`]: 'key' };
  expect(await hosts(text, files, { USER: 'me', SSH_AUTH_SOCK: '/run/agent' })).toEqual({
    engine: {
      name: 'engine',
      hostName: '10.1.2.13',
      port: 2222,
      user: 'root',
      address: 'engine.lab.example',
      identityFiles: ['/inv/id_ed25519'],
      agent: '/run/agent',
      knownHostsFiles: ['/inv/known_hosts'],
      connection: 'ssh',
    },
  });
});

test('what the inventory leaves open comes from the ssh configuration, with its tokens', async () => {
  const config = `Host engine
  HostName %h.example.com
  User admin
  IdentityFile ~/.ssh/%r@%h
  UserKnownHostsFile %d/hosts
  IdentityAgent none
`;
  const text = 'ferry: 1\nhosts: { engine: { port: 2200 } }\n';
  expect(await hosts(text, { [`${HOME}/.ssh/config`]: config })).toMatchObject({
    engine: {
      hostName: 'engine.example.com',
      address: 'engine.example.com',
      user: 'admin',
      port: 2200,
      identityFiles: [`${HOME}/.ssh/admin@engine.example.com`],
      agent: null,
      knownHostsFiles: [`${HOME}/hosts`, '/etc/ssh/ssh_known_hosts'],
    },
  });
});

test('without any configuration the user’s own name, keys and known hosts are taken', async () => {
  const files = { [`${HOME}/.ssh/id_rsa`]: 'key', [`${HOME}/.ssh/id_ed25519`]: 'key' };
  expect(await hosts('ferry: 1\nhosts:\n  db1.example.com:\n', files)).toMatchObject({
    'db1.example.com': {
      hostName: 'db1.example.com',
      user: 'me',
      port: 22,
      identityFiles: [`${HOME}/.ssh/id_ed25519`, `${HOME}/.ssh/id_rsa`],
      agent: null,
      knownHostsFiles: [`${HOME}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts'],
    },
  });
});

test('the machine Ferry runs on needs no ssh', async () => {
  expect(await hosts('ferry: 1\nhosts: { here: { connection: local, name: admin.example.com } }\n')).toMatchObject({
    here: { connection: 'local', address: 'admin.example.com', hostName: 'localhost', identityFiles: [], agent: null },
  });
});

test('all mistakes are told at once, each at its place', async () => {
  const text = `ferry: 1
knownhosts: x
hosts:
  engine: { adress: 10.0.0.1, port: ssh }
  "new db": { connection: telnet }
`;
  expect(await told(text)).toEqual([
    ['FIELD_UNKNOWN', '/inv/inventory.yaml:2:1', 'Did you mean "knownHosts"?'],
    ['FIELD_NAME_INVALID', '/inv/inventory.yaml:5:3', undefined],
    ['FIELD_UNKNOWN', '/inv/inventory.yaml:4:13', 'Did you mean "address"?'],
    ['TYPE_WRONG', '/inv/inventory.yaml:4:37', undefined],
    ['VALUE_UNKNOWN', '/inv/inventory.yaml:5:27', undefined],
  ]);
});

test('a role for a host that is not there is told with the host it may be', async () => {
  expect(await told('ferry: 1\nhosts: { engine: , newdb: }\nroles: { new_db: newbd }\n')).toEqual([
    ['HOST_UNKNOWN', '/inv/inventory.yaml:3:18', 'Did you mean "newdb"?'],
  ]);
});

test('a jump host in the ssh configuration is told, with the way past it', async () => {
  const files = { [`${HOME}/.ssh/config`]: 'Host db*\n  ProxyJump gate\n' };
  expect(await told('ferry: 1\nhosts: { db1: , other: }\n', files)).toEqual([
    ['SSH_CONFIG_UNSUPPORTED', `${HOME}/.ssh/config:2:3`, expect.stringContaining('Give db1 an "address"')],
  ]);
});
