import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { jumpOf } from '../../src/inventory/jumps.ts';
import { InventoryFolder } from '../kit/inventory-folder.ts';

let folder: InventoryFolder;
beforeEach(() => {
  folder = new InventoryFolder();
});
afterEach(() => folder.remove());

const inventory = (hosts: string) => `ferry: 1\nsshConfig: ./config\nhosts: { ${hosts} }\n`;
/** One host under a configuration. */
async function look(config: string, host = 'x', more: Record<string, string> = {}) {
  const files = { 'inventory.yaml': inventory(`${host}: `), config, ...more };
  return (await folder.hosts(files))[host];
}
const told = (config: string, more: Record<string, string> = {}) =>
  folder.told({ 'inventory.yaml': inventory('x: '), config, ...more });
const me = userInfo().username;

describe('the ssh configuration is followed as ssh follows it', () => {
  it.each([
    ['the first value wins', 'Port 5\nHost x\n Port 6\n', { port: 5 }],
    ['a negated pattern takes its block away', 'Host * !x\n Port 5\nHost ?\n Port=6\n', { port: 6 }],
    ['a service name is a port', 'Port ssh\n', { port: 22 }],
    ['Match user sees the user set above it', 'User root\nMatch user root\n Port 7\n', { port: 7 }],
    ['Match user does not see one set below it', 'Match user deep\n Port 7\nHost *\n User deep\n', { port: 22 }],
    ['Match localuser', `Match localuser ${me}\n Port 7\n`, { port: 7 }],
    ['Match host sees the new name, originalhost the old', 'HostName y\nMatch host y originalhost x\n Port 7\n', { port: 7 }],
    ['Match final comes last', 'Match final\n Port 7\n User late\nHost *\n Port 8\n', { port: 8, user: 'late' }],
    ['Match exec asks the command', 'Match exec "test %h = x"\n Port 7\nMatch exec false\n User no\n', { port: 7, user: me }],
    ['Match all', 'Match all\n Port 7\n', { port: 7 }],
    ['what does not concern it is passed over', 'Compression yes\nIgnoreUnknown Foo\nFoo bar\nForwardAgent yes\n', { port: 22 }],
  ])('%s', async (_name, config, expected) => {
    expect(await look(config)).toMatchObject(expected);
  });

  it('follows Include with patterns, one in another, in its order and only in blocks that apply', async () => {
    const config = 'Host y\n Include {dir}/other.conf\nHost *\n Include {dir}/conf.d/*.conf\nHost x\n Port 9\n User last\n';
    const more = {
      'conf.d/10.conf': 'Host x\n  Include {dir}/deeper\n',
      'conf.d/20.conf': 'Port 5\n',
      deeper: 'HostName deep.example.com\n',
      'other.conf': 'User wrong\n',
    };
    expect(await look(config, 'x', more)).toMatchObject({ hostName: 'deep.example.com', port: 5, user: 'last' });
  });

  it('fills in tokens, variables and ~, and keeps spaces in names', async () => {
    Object.assign(folder.env, { KEYS: folder.folder, SOCK: '/run/mine' });
    const config = [
      'Host x',
      ' HostName %h.example.com',
      ' User root',
      ' Port 7',
      ` IdentityFile \${KEYS}/%u.%r@%h:%p%%`,
      ' IdentityFile "{dir}/with space"',
      ' IdentityFile ${UNSET}/gone',
      ' IdentityFile ~/elsewhere/key',
      ' IdentitiesOnly yes',
      ' IdentityAgent ${SOCK}/%n.sock',
      ' UserKnownHostsFile {dir}/%h.known {dir}/second',
      ' GlobalKnownHostsFile none',
      ' HostKeyAlias the-engine',
    ].join('\n');
    expect(await look(config)).toEqual({
      name: 'x',
      hostName: 'x.example.com',
      address: 'x.example.com',
      user: 'root',
      port: 7,
      identityFiles: [
        `${folder.folder}/me.root@x.example.com:7%`,
        `${folder.folder}/with space`,
        `${userInfo().homedir}/elsewhere/key`,
      ],
      identitiesOnly: true,
      agent: '/run/mine/x.sock',
      knownHostsFiles: [`${folder.folder}/x.example.com.known`, `${folder.folder}/second`],
      hostKeyAlias: 'the-engine',
      connection: 'ssh',
    });
  });

  it.each([
    ['SSH_AUTH_SOCK', '/run/agent'],
    ['$OTHER', '/run/other'],
    ['$UNSET', null],
    ['none', null],
    ['/run/x y', '/run/x y'],
  ])('takes the agent from IdentityAgent %s', async (value, agent) => {
    Object.assign(folder.env, { SSH_AUTH_SOCK: '/run/agent', OTHER: '/run/other' });
    expect(await look(`IdentityAgent "${value}"\n`)).toMatchObject({ agent });
  });
});

describe('jump hosts', () => {
  const names = (host: { via?: unknown; name: string } | undefined): string[] =>
    host ? [host.name, ...names(host.via as typeof host)] : [];

  it('are gone through in the order written, each with its own settings', async () => {
    const host = await look('Host x\n ProxyJump one,me@two:77,three\nHost one\n Port 5\nHost two\n User not\n');
    expect(names(host)).toEqual(['x', 'three', 'two', 'one']);
    expect(host?.via?.via).toMatchObject({ user: 'me', port: 77 });
    expect(host?.via?.via?.via).toMatchObject({ port: 5 });
  });

  it('have jump hosts of their own, which a list stands instead of', async () => {
    const config = 'Host x\n ProxyJump one\nHost y\n ProxyJump two,one\nHost one\n ProxyJump outer\n';
    expect(names(await look(config))).toEqual(['x', 'one', 'outer']);
    expect(names(await look(config, 'y'))).toEqual(['y', 'one', 'two']);
  });

  it('are none where ProxyJump none comes first', async () => {
    expect(names(await look('Host x\n ProxyJump none\nHost *\n ProxyJump gate\n'))).toEqual(['x']);
    expect(names(await look('Host gate\n ProxyJump none\nHost *\n ProxyJump gate\n'))).toEqual(['x', 'gate']);
  });

  it('that go in a circle are told, with ssh or past it', async () => {
    expect(await told('Host *\n ProxyJump gate\n')).toEqual([
      ['SSH_JUMP_CIRCLE', '{dir}/inventory.yaml:3:10', 'The way to x goes through gate, gate, which is a circle.'],
    ]);
    expect(await told('Host x\n ProxyJump a\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n')).toEqual([
      ['SSH_JUMP_CIRCLE', '{dir}/inventory.yaml:3:10', 'The way to x goes through a, b, a, which is a circle.'],
    ]);
  });

  it('are read from the older form with ssh -W too', async () => {
    const host = await look('Host x\n ProxyCommand ssh -q -p 77 -W %h:%p me@gate\nHost gate\n HostName 192.0.2.1\n');
    expect(host?.via).toMatchObject({ name: 'gate', hostName: '192.0.2.1', user: 'me', port: 77 });
  });

  it.each([
    ['ssh gate -W %h:%p', { name: 'gate', target: 'gate', words: [] }],
    ['exec /usr/bin/ssh -qTW [%h]:%p -l me gate', { name: 'gate', target: 'gate', words: ['-l', 'me'] }],
    ['ssh -o "User me" -oPort=7 -W %h:%p gate', { name: 'gate', target: 'gate', words: ['-o', 'User me', '-oPort=7'] }],
    ['ssh gate nc %h %p', null],
    ['ssh -W otherhost:22 gate', null],
    ['ssh -W %h:%p %r@gate', null],
    ['ssh -W %h:%p gate | tee log', null],
    ['ssh -W %h:%p', null],
    ['corkscrew proxy 8080 %h %p', null],
    ['ssh -W %h:%p "gate', null],
  ])('from %s', (command, hop) => {
    expect(jumpOf(command)).toEqual(hop);
  });
});

describe('what cannot be followed is told with file and line', () => {
  it.each([
    [
      'in a block that applies',
      'Host y\n ProxyCommand other\nHost x\n  ProxyCommand nc %h %p\n',
      'ProxyCommand',
      '{dir}/config:4:3',
    ],
    ['before any block', '# why\nCertificateFile ~/.ssh/cert\n', 'CertificateFile', '{dir}/config:2:1'],
    ['under Match', 'Match user nobody\n ProxyCommand a\nMatch host x\n ProxyCommand b\n', 'ProxyCommand', '{dir}/config:4:2'],
    ['that revokes keys', 'RevokedHostKeys /etc/ssh/revoked\n', 'RevokedHostKeys', '{dir}/config:1:1'],
    ['under Match all', 'Match all\n KnownHostsCommand /bin/x\n', 'KnownHostsCommand', '{dir}/config:2:2'],
    ['in what is included', 'Host y\n Include {dir}/idle\nHost x\n Include {dir}/more\n', 'ProxyCommand', '{dir}/more:1:1'],
    ['of a jump host', 'Host x\n ProxyJump gate\nHost gate\n ProxyCommand nc %h %p\n', 'ProxyCommand', '{dir}/config:4:2'],
  ])('%s', async (_name, config, directive, place) => {
    const more = { more: 'ProxyCommand nc %h %p\n', idle: 'ProxyCommand wrong\n' };
    expect(await told(config, more)).toEqual([['SSH_CONFIG_UNSUPPORTED', place, expect.stringContaining(directive)]]);
  });

  it('and none switches it off', async () => {
    expect(await look('ProxyCommand none\nCertificateFile none\nKnownHostsCommand none\n')).toMatchObject({ name: 'x' });
  });

  it.each([
    ['Host x\n HostName\n', '{dir}/config:2:2', 'no argument after keyword "hostname"'],
    ['Foo bar\n', '{dir}/config:1:1', 'Bad configuration option: foo'],
    ['Include {dir}/more\n', '{dir}/more:2:3', 'Bad (port|number)'],
  ])('as ssh tells it: %j', async (config, place, why) => {
    const found = await told(config, { more: '\n  Port 99999\n' });
    expect(found).toEqual([['SSH_CONFIG_INVALID', place, expect.stringMatching(new RegExp(why, 'i'))]]);
  });

  it('is shown with its lines and the way out', async () => {
    const files = { 'inventory.yaml': inventory('x: '), config: 'Host x\n  ProxyCommand nc %h %p\n' };
    expect(
      await folder.shown(files),
    ).toBe(`error SSH_CONFIG_UNSUPPORTED  The ssh configuration uses ProxyCommand for x, which Ferry cannot follow; to connect without it might reach or believe somebody else.
  {dir}/config:2:3
    1 | Host x
  > 2 |   ProxyCommand nc %h %p
      |   ^^^^^^^^^^^^^^^^^^^^^
    3 |
  Write the way as  ProxyJump [user@]host[:port]  , or give x a "jump" in the inventory ("none" to go straight).`);
  });

  it('and a configuration that is not there', async () => {
    const text = 'ferry: 1\nsshConfig: ./gone\nhosts: { x: }\n';
    expect(await folder.told({ 'inventory.yaml': text })).toEqual([
      ['SSH_CONFIG_INVALID', '{dir}/inventory.yaml:3:10', expect.stringContaining('{dir}/gone')],
    ]);
  });
});

test('without the program ssh a host that needs it is told what to write, and nothing else of it', async () => {
  folder.env.PATH = folder.folder;
  expect(await told('')).toEqual([['SSH_PROGRAM_MISSING', '{dir}/inventory.yaml:3:10', expect.stringContaining('ssh -G')]]);
});

test('a name is never taken for an option of ssh', async () => {
  const mark = `${folder.folder}/mark`;
  const text = `[all]\n-oProxyCommand=touch${mark}\n"-E ${mark}"\n`;
  const found = await folder.told({ hosts: text });
  expect(found.map(([code]) => code)).toEqual(['SSH_CONFIG_INVALID', 'SSH_CONFIG_INVALID']);
  expect(existsSync(mark)).toBe(false);
});

test('only the hosts that are needed are looked at', async () => {
  const files = { 'inventory.yaml': inventory('good: , bad: '), config: 'Host bad\n ProxyCommand nc\n' };
  expect(Object.keys(await folder.hosts(files, ['good']))).toEqual(['good']);
  expect(await folder.told(files, ['bad'])).toHaveLength(1);
});
