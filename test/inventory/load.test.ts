import { userInfo } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOME, InventoryFolder } from '../kit/inventory-folder.ts';

let folder: InventoryFolder;
beforeEach(() => {
  folder = new InventoryFolder();
});
afterEach(() => folder.remove());

test('a host that says everything depends on nothing else, and its paths count from the file', async () => {
  const text = `ferry: 1
knownHosts: ./known_hosts
hosts:
  engine: { address: 10.1.2.13, name: engine.lab.example, user: root, identityFile: ./id_ed25519, port: 2222 }
roles: { he_host: engine }
`;
  Object.assign(folder.env, { SSH_AUTH_SOCK: '/run/agent', PATH: '/nowhere' });
  expect(await folder.hosts({ 'inventory.yaml': text })).toEqual({
    engine: {
      name: 'engine',
      hostName: '10.1.2.13',
      port: 2222,
      user: 'root',
      address: 'engine.lab.example',
      identityFiles: [`${folder.folder}/id_ed25519`],
      agent: '/run/agent',
      knownHostsFiles: [`${folder.folder}/known_hosts`, '/etc/ssh/ssh_known_hosts'],
      connection: 'ssh',
    },
  });
});

test('what the inventory leaves open comes from the ssh configuration, and what it says wins', async () => {
  const config = `Host engine
  HostName %h.example.com
  User admin
  Port 99
  IdentityFile {dir}/%r-%h-%p
  UserKnownHostsFile {dir}/hosts
  GlobalKnownHostsFile none
  IdentityAgent none
Host 192.0.2.7
  HostName elsewhere
`;
  const text = `ferry: 1
sshConfig: ./ssh_config
hosts: { engine: { port: 2200 }, other: { address: 192.0.2.7, user: root, identityFile: ./key } }
`;
  folder.env.SSH_AUTH_SOCK = '/run/agent';
  expect(await folder.hosts({ 'inventory.yaml': text, ssh_config: config })).toMatchObject({
    engine: {
      hostName: 'engine.example.com',
      address: 'engine.example.com',
      user: 'admin',
      port: 2200,
      identityFiles: [`${folder.folder}/admin-engine.example.com-2200`],
      agent: null,
      knownHostsFiles: [`${folder.folder}/hosts`],
    },
    other: { hostName: '192.0.2.7', user: 'root', identityFiles: [`${folder.folder}/key`], agent: '/run/agent' },
  });
});

test('without any configuration the user’s own name, keys and known hosts are taken', async () => {
  const text = 'ferry: 1\nsshConfig: /dev/null\nhosts:\n  db1.example.com:\n';
  const { 'db1.example.com': host } = await folder.hosts({ 'inventory.yaml': text });
  expect(host).toMatchObject({
    hostName: 'db1.example.com',
    user: userInfo().username,
    port: 22,
    agent: null,
    knownHostsFiles: expect.arrayContaining([`${HOME}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts']),
  });
});

test('the machine Ferry runs on needs no ssh', async () => {
  folder.env.PATH = '/nowhere';
  const text = 'ferry: 1\nhosts: { here: { connection: local, name: admin.example.com } }\n';
  expect(await folder.hosts({ 'inventory.yaml': text })).toMatchObject({
    here: { connection: 'local', address: 'admin.example.com', hostName: 'localhost', identityFiles: [], agent: null },
  });
});

test('a jump goes through a host of the inventory, or through what ssh knows', async () => {
  const text = `ferry: 1
sshConfig: ./ssh_config
hosts:
  gate: { address: 192.0.2.1, user: root, identityFile: ./gate_key, port: 2222 }
  engine: { jump: gate }
  newdb: { jump: "me@outer:99,inner" }
  direct: { jump: none }
  here: { connection: local }
  near: { jump: here }
`;
  const config = `Host outer
  HostName 192.0.2.2
Host inner
  HostName 10.0.0.2
  User deep
Host direct newdb
  ProxyJump outer
`;
  const hosts = await folder.hosts({ 'inventory.yaml': text, ssh_config: config });
  expect(hosts.engine?.via).toEqual(hosts.gate);
  expect(hosts.newdb).toMatchObject({
    via: {
      name: 'inner',
      hostName: '10.0.0.2',
      user: 'deep',
      via: { name: 'outer', hostName: '192.0.2.2', user: 'me', port: 99 },
    },
  });
  expect(hosts.newdb?.via?.via?.via).toBeUndefined();
  expect(hosts.direct?.via).toBeUndefined();
  expect(hosts.near?.via).toBeUndefined();
});

test('hosts that jump through each other are told, not followed for ever', async () => {
  const host = (jump: string) => `{ address: 192.0.2.1, user: root, identityFile: ./key, jump: ${jump} }`;
  const text = `ferry: 1\nhosts:\n  a: ${host('b')}\n  b: ${host('a').replace('2.1', '2.2')}\n`;
  expect(await folder.told({ 'inventory.yaml': text }, ['a'])).toEqual([
    ['SSH_JUMP_CIRCLE', '{dir}/inventory.yaml:4:3', expect.stringContaining('circle')],
  ]);
});

test('all mistakes are told at once, each at its place', async () => {
  const text = `ferry: 1
knownhosts: x
hosts:
  engine: { adress: 10.0.0.1, port: ssh }
  "new db": { connection: telnet, jump: "-oProxyCommand=x" }
`;
  expect((await folder.told({ 'inventory.yaml': text })).map(([code, at]) => [code, at])).toEqual([
    ['FIELD_UNKNOWN', '{dir}/inventory.yaml:2:1'],
    ['FIELD_NAME_INVALID', '{dir}/inventory.yaml:5:3'],
    ['FIELD_UNKNOWN', '{dir}/inventory.yaml:4:13'],
    ['TYPE_WRONG', '{dir}/inventory.yaml:4:37'],
    ['VALUE_INVALID', '{dir}/inventory.yaml:5:41'],
    ['VALUE_UNKNOWN', '{dir}/inventory.yaml:5:27'],
  ]);
});

test('a role for a host that is not there is told with the host it may be', async () => {
  const text = 'ferry: 1\nhosts: { engine: , newdb: }\nroles: { new_db: newbd }\n';
  expect(await folder.shown({ 'inventory.yaml': text })).toContain('Did you mean "newdb"?');
});

test('a broken inventory of Ferry’s own is not taken for one of Ansible', async () => {
  expect((await folder.told({ 'inventory.yaml': 'hosts: { engine: }\n' })).map(([code]) => code)).toEqual(['FIELD_MISSING']);
  expect((await folder.told({ hosts: '# ours\nferry: 2\nhosts: { engine: }\n' })).map(([code]) => code)).toEqual([
    'VALUE_UNKNOWN',
  ]);
});
