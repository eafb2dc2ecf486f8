import { expect, test } from 'vitest';
import type { Diagnostic } from '../../src/errors/diagnostic.ts';
import { lookUpSshHost } from '../../src/inventory/ssh-config.ts';

const CONFIG = `# everywhere first
IdentityFile ~/.ssh/first
Host engine new?b !newdb
  HostName engine.example.com
  User=admin
  port 2222
  IdentityFile "~/.ssh/with space"  # why not
Host *.lab !old.lab
  User lab
  UserKnownHostsFile ~/.ssh/lab_hosts /etc/lab_hosts
  ProxyJump none
Host jump
  ProxyJump gate
  ProxyCommand none
Match all
  Port 2200
Host *
  User everyone
  Port 22
`;
const look = (name: string, text = CONFIG) => {
  const told: Diagnostic[] = [];
  const settings = lookUpSshHost('config', text, name, (found) => told.push(found));
  return { settings, told: told.map((each) => [each.code, each.at?.line, each.message]) };
};

test('the first value of matching blocks wins, identity files add up, quotes and equals signs are read', () => {
  expect(look('engine')).toEqual({
    settings: { identityFiles: ['~/.ssh/first', '~/.ssh/with space'], hostName: 'engine.example.com', user: 'admin', port: 2222 },
    told: [],
  });
});

test('a question mark stands for one letter, and a negated pattern takes its block away', () => {
  expect(look('newxb').settings.user).toBe('admin');
  expect(look('newdb').settings.user).toBe('everyone');
  expect(look('new.lab').settings).toMatchObject({
    user: 'lab',
    port: 2200,
    knownHostsFiles: ['~/.ssh/lab_hosts', '/etc/lab_hosts'],
  });
  expect(look('old.lab').settings.user).toBe('everyone');
  expect(look('engineXexample').settings.user).toBe('everyone');
});

test('a jump host that would apply is told, one for another host is not', () => {
  expect(look('jump').told).toEqual([['SSH_CONFIG_UNSUPPORTED', 13, expect.stringContaining('ProxyJump for jump')]]);
  expect(look('engine').told).toEqual([]);
});

test.each([
  ['Include conf.d/*', 'Include', 1],
  ['Host x\n  Include more', 'Include', 2],
  ['Match user root\n  Port 7', 'Port under Match', 2],
  ['Host *\n  HostKeyAlias other', 'HostKeyAlias', 2],
])('%j is told rather than passed over', (text, directive, line) => {
  expect(look('x', text).told).toEqual([['SSH_CONFIG_UNSUPPORTED', line, expect.stringContaining(directive)]]);
});

test('what a Match block sets does not matter once a value stands', () => {
  expect(look('x', 'Port 5\nMatch user root\n  Port 7').told).toEqual([]);
});

test.each([
  ['Port ssh', 'Port must be a number'],
  ['Port 99999', 'Port must be a number'],
  ['HostName', 'HostName has no value'],
])('%j is a mistake with its line', (text, why) => {
  expect(look('x', text).told).toEqual([['SSH_CONFIG_INVALID', 1, expect.stringContaining(why)]]);
});
