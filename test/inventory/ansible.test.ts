import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { expandHostPattern } from '../../src/inventory/ansible/host-pattern.ts';
import { maskPasswords } from '../../src/inventory/ansible/mask-passwords.ts';
import { HOME, InventoryFolder } from '../kit/inventory-folder.ts';

let folder: InventoryFolder;
beforeEach(() => {
  folder = new InventoryFolder();
});
afterEach(() => folder.remove());

const INI = `# the estate
bastion.example.com:2222 ansible_user=ops

[engine]
engine01 ansible_host=10.1.2.13 ansible_user=root ansible_ssh_private_key_file="{dir}/a key"  # the Engine

[databases]
db[01:03].example.com

[databases:vars]
ansible_user=dba
ansible_port = 2200

[estate:children]
engine
databases   # both

[all:vars]
ansible_ssh_common_args='-F {dir}/config'
`;
const YAML = `---
all:
  vars:
    ansible_ssh_common_args: -F {dir}/config
  hosts:
    bastion.example.com:2222: { ansible_user: ops }
  children:
    estate:
      children:
        engine:
          hosts:
            engine01:
              ansible_host: 10.1.2.13
              ansible_user: root
              ansible_ssh_private_key_file: '{dir}/a key'
        databases:
          hosts:
            db[01:03].example.com:
          vars: { ansible_user: dba, ansible_port: 2200 }
`;

describe.each([
  ['hosts', INI],
  ['hosts.ini', INI],
  ['hosts.yml', YAML],
])('an Ansible inventory as %s', (name, text) => {
  it('gives its hosts with their address, user, port and key', async () => {
    const hosts = await folder.hosts({ [name]: text, config: 'Host 10.1.2.13\n IdentitiesOnly yes\n' });
    expect(Object.keys(hosts).sort()).toEqual([
      'bastion.example.com',
      'db01.example.com',
      'db02.example.com',
      'db03.example.com',
      'engine01',
    ]);
    expect(hosts['bastion.example.com']).toMatchObject({ hostName: 'bastion.example.com', user: 'ops', port: 2222 });
    expect(hosts['db02.example.com']).toMatchObject({ hostName: 'db02.example.com', user: 'dba', port: 2200 });
    expect(hosts.engine01).toMatchObject({
      name: 'engine01',
      hostName: '10.1.2.13',
      user: 'root',
      port: 22,
      identitiesOnly: true,
    });
    expect(hosts.engine01?.identityFiles[0]).toBe(`${folder.folder}/a key`);
  });

  it('gives its groups, with the hosts of the groups under them', async () => {
    const { groups, roles } = await folder.inventory({ [name]: text });
    const databases = ['db01.example.com', 'db02.example.com', 'db03.example.com'];
    expect(Object.fromEntries(groups)).toEqual({ engine: ['engine01'], databases, estate: ['engine01', ...databases] });
    expect(roles).toEqual(new Map());
  });
});

describe('variables', () => {
  const one = async (files: Record<string, string>, host = 'x') => (await folder.hosts(files, [host]))[host];

  it('of a host stand over those of its groups, of a child over its parent, of files over the inventory', async () => {
    const files = {
      hosts:
        '[outer:children]\ninner\n[inner]\nx ansible_port=5\ny\nz\n[all:vars]\nansible_user=all\n[outer:vars]\nansible_user=outer\n[inner:vars]\nansible_user=inner\n',
      'group_vars/outer.yml': 'ansible_port: 7\n',
      'group_vars/inner/main.yml': 'ansible_port: 8\n',
      'host_vars/z': 'ansible_port: 9\nansible_user: mine\n',
    };
    expect(await one(files)).toMatchObject({ user: 'inner', port: 5 });
    expect(await one(files, 'y')).toMatchObject({ user: 'inner', port: 8 });
    expect(await one(files, 'z')).toMatchObject({ user: 'mine', port: 9 });
  });

  it('of a host named more than once add up, and a port behind its name counts the first time', async () => {
    const hosts =
      '[a]\nx:5 ansible_user=one\n[b]\nx:6 ansible_host=y\nz ansible_port=7\n[c]\nz:8 ansible_user=two\n[2001:db8::1]:9\n';
    expect(await one({ hosts })).toMatchObject({ user: 'one', port: 5, hostName: 'y' });
    expect(await one({ hosts }, 'z')).toMatchObject({ user: 'two', port: 7 });
    expect(await one({ hosts }, '2001:db8::1')).toMatchObject({ hostName: '2001:db8::1', port: 9 });
  });

  it('of two groups side by side go by name, unless a priority says otherwise', async () => {
    const groups = '[a]\nx\n[b]\nx\n[a:vars]\nansible_port=5\n[b:vars]\nansible_port=6\n';
    expect(await one({ hosts: groups })).toMatchObject({ port: 6 });
    expect(await one({ hosts: `${groups}[a:vars]\nansible_group_priority=10\n` })).toMatchObject({ port: 5 });
  });

  it('are filled in where a plain variable is meant', async () => {
    const files = {
      hosts:
        'x.lab place=west ansible_host="{{ inventory_hostname_short }}-{{ place }}.{{ domain }}" ansible_private_key_file={{inventory_dir}}/key\n',
      'group_vars/all.yml':
        "domain: example.com\nother: \"{{ lookup('env', 'X') }}\"\nnothing: &a { b: [1, 2] }\nmore: { <<: *a }\n",
    };
    const host = await one(files, 'x.lab');
    expect(host?.hostName).toBe('x-west.example.com');
    expect(host?.identityFiles[0]).toBe(`${folder.folder}/key`);
  });

  it('that are words for ssh are given to it, jump hosts among them', async () => {
    const files = {
      hosts: `x ansible_user=root ansible_ssh_common_args='-o ProxyCommand="ssh -W %h:%p -q me@gate" -o StrictHostKeyChecking=no'\ny ansible_ssh_extra_args="-J one,two"\n`,
    };
    expect((await one(files))?.via).toMatchObject({ name: 'gate', user: 'me' });
    expect((await one(files, 'y'))?.via).toMatchObject({ name: 'two', via: { name: 'one' } });
  });

  it.each([
    ['ansible_ssh_user=old ansible_user=new', { user: 'old' }],
    ['ansible_connection=local', { connection: 'local', address: 'x' }],
    ['ansible_connection=local ansible_host=127.0.0.1', { connection: 'local', address: hostname() }],
    ['ansible_host=192.0.2.7 ferry_name=x.inside', { hostName: '192.0.2.7', address: 'x.inside' }],
    ['ansible_connection=ansible.builtin.ssh', { connection: 'ssh' }],
    ['ansible_become=true ansible_become_method=sudo ansible_become_user=root', { connection: 'ssh' }],
    ['ansible_user=root ansible_become=no ansible_become_pass=x', { user: 'root' }],
    ['ansible_python_interpreter=/usr/bin/python3 anything="at all"', { connection: 'ssh' }],
    ["ansible_port='2200'", { port: 2200 }],
    ['ansible_private_key_file=~/.ssh/ansible', { identityFiles: expect.arrayContaining([`${HOME}/.ssh/ansible`]) }],
  ])('%s', async (line, expected) => {
    expect(await one({ hosts: `x ${line}\n` })).toMatchObject(expected);
  });
});

describe('what Ferry cannot do as Ansible would is told', () => {
  it.each([
    ['ansible_become_method=su', 'ansible_become_method of x is su'],
    ['ansible_become_user=postgres', 'ansible_become_user of x is postgres'],
    ['ansible_become=false ansible_user=ops', 'ops becomes root by sudo'],
    ['ansible_connection=docker', 'ansible_connection of x is docker'],
    ['ansible_port=ssh', 'ansible_port of x is ssh'],
    [`ansible_host="{{ lookup('env', 'X') }}"`, 'ansible_host of x is {{'],
    ['ansible_host={{nowhere}}', 'ansible_host of x is {{nowhere}}'],
    ['a={{b}} b={{a}} ansible_host={{a}}', 'plain variables only'],
    [`ansible_ssh_extra_args="-o 'x"`, 'a quote is left open'],
  ])('%s', async (line, says) => {
    const column = 3 + Math.max(0, line.search(/ansible_(host|become=|[bcps]\w+=)/));
    expect(await folder.told({ hosts: `\nx ${line}\n` })).toEqual([
      ['INVENTORY_VALUE_UNSUPPORTED', `{dir}/hosts:2:${column}`, expect.stringContaining(says)],
    ]);
  });

  it('at its place in a file of variables', async () => {
    const files = { hosts: '[db]\nx\n', 'group_vars/db/conn.yml': '# how\nansible_become_method: doas\n' };
    expect(await folder.told(files)).toEqual([
      ['INVENTORY_VALUE_UNSUPPORTED', '{dir}/group_vars/db/conn.yml:2:24', expect.stringContaining('doas')],
    ]);
  });

  it('and a password, which is never shown', async () => {
    const files = {
      hosts: 'x ansible_password=hunter2 ansible_user=me\ny\n[all:vars]\nansible_become_pass=hunter3 is long\n',
      'host_vars/y.yml': 'ansible_ssh_pass: "hunter4"\n',
    };
    const shown = await folder.shown(files);
    expect(shown.match(/INVENTORY_PASSWORD_FOUND {2}ansible_\w+ is set for \w/g)).toEqual([
      'INVENTORY_PASSWORD_FOUND  ansible_password is set for x',
      'INVENTORY_PASSWORD_FOUND  ansible_become_pass is set for x',
      'INVENTORY_PASSWORD_FOUND  ansible_ssh_pass is set for y',
      'INVENTORY_PASSWORD_FOUND  ansible_become_pass is set for y',
    ]);
    expect(shown).toContain('  > 1 | x ansible_password=******* ansible_user=me');
    expect(shown).toContain('NOPASSWD');
    expect(shown).toContain('ssh-copy-id');
    expect(shown).not.toMatch(/hunter|is long/);
  });

  it('and a vault, unless who and where stand outside of it', async () => {
    const vault = '$ANSIBLE_VAULT;1.1;AES256\n3334\n';
    const files = { hosts: 'x\ny ansible_host=192.0.2.7 ansible_user=root\n', 'group_vars/all/vault.yml': vault };
    expect(await folder.told(files)).toEqual([
      ['INVENTORY_VAULTED', '{dir}/group_vars/all/vault.yml:1:1', expect.stringContaining('ansible_host and ansible_user of x')],
    ]);
    const inline =
      'all:\n  hosts:\n    x:\n      ansible_user: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        3334\n      other: !unsafe a\n';
    expect(await folder.told({ 'hosts.yml': inline, 'group_vars/all/vault.yml': '' })).toEqual([
      ['INVENTORY_VALUE_UNSUPPORTED', '{dir}/hosts.yml:4:28', expect.stringContaining('Ferry opens no vault')],
    ]);
  });

  it('only where the host is needed', async () => {
    const files = {
      hosts: 'x\nswitch ansible_connection=network_cli ansible_password=hunter2\n[bad]\nz\n',
      'group_vars/bad.yml': 'a: [1\n',
    };
    expect(Object.keys(await folder.hosts(files, ['x']))).toEqual(['x']);
    expect((await folder.told(files, ['switch', 'z'])).map(([code]) => code)).toEqual([
      'INVENTORY_VALUE_UNSUPPORTED',
      'INVENTORY_PASSWORD_FOUND',
      'YAML_SYNTAX_WRONG',
    ]);
  });
});

describe('mistakes are told all at once, each at its place', () => {
  it('in INI', async () => {
    const text = `x ansible_user
[a:kids]
[b:vars]
nothing
[c:children]
d e
nowhere
[f]
db[3:1]
db[x
  "open
[broken name]
`;
    expect((await folder.told({ hosts: text })).map(([code, at, message]) => `${at} ${code} ${message}`)).toMatchInlineSnapshot(`
      [
        "{dir}/hosts:1:3 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: after the host, "ansible_user" is no NAME=VALUE.",
        "{dir}/hosts:2:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: a section is [NAME], [NAME:children] or [NAME:vars], not :kids.",
        "{dir}/hosts:3:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: there is no group "b".",
        "{dir}/hosts:4:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: a line under :vars is NAME=VALUE.",
        "{dir}/hosts:6:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: a line under :children is the name of one group.",
        "{dir}/hosts:7:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: there is no group "nowhere".",
        "{dir}/hosts:9:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: "[3:1]" ends before it begins.",
        "{dir}/hosts:10:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: "db[x" has a bracket too few.",
        "{dir}/hosts:11:3 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: a quote is left open.",
        "{dir}/hosts:12:1 INVENTORY_LINE_WRONG The Ansible inventory cannot be read here: a section is written [NAME], [NAME:children] or [NAME:vars].",
      ]
    `);
  });

  it('in YAML', async () => {
    const text = 'all:\n  hosts: [x]\n  children:\n    a: 5\n    b: { hosts: { "db[3:1]": } }\n';
    expect((await folder.told({ 'hosts.yml': text })).map(([, at, message]) => `${at} ${message}`)).toMatchInlineSnapshot(`
      [
        "{dir}/hosts.yml:2:3 The Ansible inventory cannot be read here: what stands under hosts is a map, each host with a colon behind it.",
        "{dir}/hosts.yml:4:5 The Ansible inventory cannot be read here: a group is a map of hosts, children and vars.",
        "{dir}/hosts.yml:5:19 The Ansible inventory cannot be read here: "[3:1]" ends before it begins.",
      ]
    `);
  });

  it.each([
    ['hosts', '[a:children]\nb\n[b:children]\na\n'],
    ['hosts.yml', 'a: { children: { b: { children: { a: } } } }\n'],
  ])('and groups within themselves, in %s', async (name, text) => {
    expect(await folder.told({ [name]: text })).toEqual([
      ['INVENTORY_LINE_WRONG', expect.any(String), expect.stringContaining('child of itself')],
    ]);
  });

  it.each([
    ['hosts', '#!/usr/bin/env python3\nprint()\n'],
    ['aws_ec2.yml', 'plugin: amazon.aws.aws_ec2\nregions: [eu]\n'],
    ['list.json', '{"_meta": {"hostvars": {}}, "all": {}}'],
    ['hosts.toml', '[all]\n'],
  ])('%s is not for Ferry, and ansible-inventory can make it so', async (name, text) => {
    expect((await folder.told({ [name]: text })).map(([code]) => code)).toEqual(['INVENTORY_DYNAMIC']);
    expect(await folder.shown({ [name]: text })).toContain('ansible-inventory -i');
  });
});

describe('a host pattern', () => {
  it.each([
    ['db[01:03]', ['db01', 'db02', 'db03'], null],
    ['db[9:11].x', ['db9.x', 'db10.x', 'db11.x'], null],
    ['[a:c]-[1:5:2]', ['a-1', 'a-3', 'a-5', 'b-1', 'b-3', 'b-5', 'c-1', 'c-3', 'c-5'], null],
    ['n[:2]:2222', ['n0', 'n1', 'n2'], 2222],
    ['10.0.0.5:22', ['10.0.0.5'], 22],
    ['[2001:db8::1]:2222', ['2001:db8::1'], 2222],
    ['2001:db8::1', ['2001:db8::1'], null],
    ['plain', ['plain'], null],
  ])('%s', (pattern, names, port) => {
    expect(expandHostPattern(pattern)).toEqual({ names, port });
  });

  it.each([
    ['db[3:1]', 'ends before it begins'],
    ['db[01:3]', 'differ in length'],
    ['db[a:3]', 'no range'],
    ['db[1:2', 'bracket'],
    ['db[0:99999]', 'more than'],
    ['[0:999][0:999]', 'more than'],
    ['db[1:3:0]', 'no range'],
  ])('%s is wrong', (pattern, why) => {
    expect(expandHostPattern(pattern)).toContain(why);
  });
});

describe('passwords under stars', () => {
  it.each([
    ['db_password: geheim # x', 'db_password: ****** * *'],
    ['x ansible_password="a b" ansible_host=y', 'x ansible_password=** ** ansible_host=y'],
    ['{"token": "abc"}', '{"token": *****'],
    ['ansible_user: me', 'ansible_user: me'],
    ['a_secret =  x y\r', 'a_secret =  * *\r'],
  ])('%s', (text, masked) => {
    expect(maskPasswords(text)).toBe(masked.replace('*****', text.includes('token') ? '******' : '*****'));
  });
});
