import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isLoopback, plainSource } from '../../../src/actions/firewall/addresses.ts';
import {
  type Addition,
  addScript,
  linesToSave,
  removeScript,
  rulesFor,
  rulesMissing,
  savedWith as savedText,
  takeLinesOut,
  type WayIn,
  withoutLines,
} from '../../../src/actions/firewall/rules.ts';
import type { Firewall, SavedRules } from '../../../src/facts/firewall.ts';
import { sh } from '../../../src/hosts/sh.ts';
import { localHost } from '../../kit/local-host.ts';
import { withFolder } from '../../kit/read-here.ts';

const state = (kind: Firewall['kind'], lists: [string, string[]][], zone: string | null = null): Firewall => ({
  kind,
  zone,
  lists: lists.map(([name, rules]) => ({ name, rules })),
  saved: [],
});
const firewalld = state(
  'firewalld',
  [
    ['runtime', []],
    ['permanent', []],
  ],
  'public',
);
const ufw = state('ufw', [['ufw', []]]);
const nft = state('nftables', [['inet filter input', []]]);
const nftByFamily = state('nftables', [
  ['ip filter input', []],
  ['ip6 filter input', []],
]);
const iptables = state('iptables', [
  ['iptables', []],
  ['ip6tables', []],
]);

const any: WayIn = { port: 5432, protocol: 'tcp', from: null };
const v4: WayIn = { ...any, from: '192.0.2.10' };
const v6: WayIn = { ...any, from: '2001:db8::/64' };

// The words are those of firewall-cmd(1), ufw(8), nft(8) and iptables-extensions(8), in the order in which each prints them.
const table: [kind: string, found: Firewall, way: WayIn, rules: string[], add: string, remove: string][] = [
  [
    'firewalld, anybody',
    firewalld,
    any,
    ['5432/tcp', '5432/tcp'],
    "firewall-cmd -q --zone=public '--add-port=5432/tcp'",
    "firewall-cmd -q --zone=public '--remove-port=5432/tcp'",
  ],
  [
    'firewalld, one client',
    firewalld,
    v4,
    Array(2).fill('rule family="ipv4" source address="192.0.2.10" port port="5432" protocol="tcp" accept'),
    `firewall-cmd -q --permanent --zone=public '--add-rich-rule=rule family="ipv4" source address="192.0.2.10" port port="5432" protocol="tcp" accept'`,
    `firewall-cmd -q --permanent --zone=public '--remove-rich-rule=rule family="ipv4" source address="192.0.2.10" port port="5432" protocol="tcp" accept'`,
  ],
  [
    'firewalld, a network of IPv6',
    firewalld,
    v6,
    Array(2).fill('rule family="ipv6" source address="2001:db8::/64" port port="5432" protocol="tcp" accept'),
    'family="ipv6"',
    '--remove-rich-rule',
  ],
  ['ufw, anybody', ufw, any, ['ufw allow 5432/tcp'], 'ufw prepend allow 5432/tcp', 'ufw delete allow 5432/tcp'],
  [
    'ufw, one client',
    ufw,
    v4,
    ['ufw allow from 192.0.2.10 to any port 5432 proto tcp'],
    'ufw prepend allow from 192.0.2.10 to any port 5432 proto tcp',
    'ufw delete allow from 192.0.2.10 to any port 5432 proto tcp',
  ],
  [
    'nftables, anybody',
    nft,
    any,
    ['tcp dport 5432 accept comment "ferry"'],
    `nft insert rule inet filter input 'tcp dport 5432 accept comment "ferry"'`,
    'nft delete rule inet filter input handle',
  ],
  [
    'nftables, one client',
    nft,
    v4,
    ['ip saddr 192.0.2.10 tcp dport 5432 accept comment "ferry"'],
    'ip saddr 192.0.2.10',
    'ip saddr',
  ],
  [
    'nftables, IPv6 goes to its own table',
    nftByFamily,
    v6,
    ['ip6 saddr 2001:db8::/64 tcp dport 5432 accept comment "ferry"'],
    'nft insert rule ip6 filter input',
    'ip6 filter input',
  ],
  [
    'iptables, anybody',
    iptables,
    any,
    Array(2).fill('-A INPUT -p tcp -m tcp --dport 5432 -m comment --comment ferry -j ACCEPT'),
    'ip6tables -w -I INPUT 1 -p tcp -m tcp --dport 5432 -m comment --comment ferry -j ACCEPT',
    'iptables -w -D INPUT -p tcp -m tcp --dport 5432 -m comment --comment ferry -j ACCEPT',
  ],
  [
    'iptables, one client',
    iptables,
    v4,
    ['-A INPUT -s 192.0.2.10/32 -p tcp -m tcp --dport 5432 -m comment --comment ferry -j ACCEPT'],
    'iptables -w -I INPUT 1 -s 192.0.2.10/32 -p tcp',
    '! iptables -w -C INPUT -s 192.0.2.10/32',
  ],
];

describe('a way in', () => {
  test.each(table)('%s', (_, found, way, rules, add, remove) => {
    const additions = rulesFor(found, way);
    expect(additions.map(({ rule }) => rule)).toEqual(rules);
    expect(addScript(found.zone, additions).text).toContain(add);
    expect(removeScript(found.zone, additions).text).toContain(remove);
    // Once it is there nothing is missing, also when it is somebody else's.
    const there = {
      ...found,
      lists: found.lists.map((list) => ({
        ...list,
        rules: additions.flatMap((one) => (one.list === list.name ? [one.rule] : [])),
      })),
    };
    expect(rulesMissing(there, [way])).toEqual([]);
  });

  test('a rule that is there under another comment, or none, is enough', () => {
    const mine = state('nftables', [['inet filter input', ['tcp dport 5432 accept comment "postgres"']]]);
    expect(rulesMissing(mine, [any])).toEqual([]);
    expect(rulesMissing(mine, [v4])).toHaveLength(1);
  });

  test('several come in the order given, before all others', () => {
    const text = addScript(null, rulesMissing(nft, [any, v4])).text;
    expect(text.indexOf('ip saddr')).toBeLessThan(text.indexOf("'tcp dport"));
  });
});

describe('a file of saved rules', () => {
  const savedWith = (file: SavedRules, additions: readonly Addition[]) => savedText(file, linesToSave(file, additions));
  const has = { mode: '0644', owner: 'root', group: 'root' };
  const added = [...rulesFor(nft, any), ...rulesFor(nft, v4)];

  test('nftables: the rules are put in at the end, where the chain is made in the file', () => {
    const text =
      '#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0;\n\t}\n}\n';
    const next = `${text}insert rule inet filter input ip saddr 192.0.2.10 tcp dport 5432 accept comment "ferry"\ninsert rule inet filter input tcp dport 5432 accept comment "ferry"\n`;
    expect(savedWith({ path: '/etc/nftables.conf', text, ...has }, added)).toBe(next);
    expect(savedWith({ path: '/etc/nftables.conf', text: next, ...has }, added)).toBeNull();
    expect(savedWith({ path: '/etc/nftables.conf', text: 'include "/etc/nft/*"\n', ...has }, added)).toBeNull();
  });

  test('iptables: before the first rule of the chain, each family in its own', () => {
    const text = '*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n';
    const all = rulesFor(iptables, v4);
    const rule = '-A INPUT -s 192.0.2.10/32 -p tcp -m tcp --dport 5432 -m comment --comment ferry -j ACCEPT\n';
    expect(savedWith({ path: '/etc/sysconfig/iptables', text, ...has }, all)).toBe(text.replace('-A INPUT', `${rule}-A INPUT`));
    expect(savedWith({ path: '/etc/iptables/rules.v6', text, ...has }, all)).toBeNull();
    expect(savedWith({ path: '/etc/iptables/rules.v4', text: '*filter\n:INPUT DROP [0:0]\nCOMMIT\n', ...has }, all)).toBe(
      `*filter\n:INPUT DROP [0:0]\n${rule}COMMIT\n`,
    );
  });
});

// What an administrator had added to the file since was gone at the next boot.
describe('taking lines out of a file of saved rules', () => {
  const lines = ["it's one", 'two * [b]'];
  const out = async (now: string, kept: string | null) => {
    let left: unknown[] = [];
    await withFolder(async (dir) => {
      writeFileSync(`${dir}/rules.v4`, now, { mode: 0o640 });
      if (kept !== null) writeFileSync(`${dir}/kept`, kept);
      mkdirSync(`${dir}/.rules.v4.ferry-abcdef`);
      for (const on of [localHost(), localHost()])
        await on.change('close', sh`( ${takeLinesOut(`${dir}/rules.v4`, lines, `${dir}/kept`)} ) || exit 1`);
      const mode = (statSync(`${dir}/rules.v4`).mode & 0o777).toString(8);
      left = [readFileSync(`${dir}/rules.v4`, 'utf8'), mode, readdirSync(dir).filter((name) => name !== 'kept')];
    });
    return left;
  };
  const whole = (text: string) => [text, '640', ['rules.v4']];

  test('the kept bytes come back where nothing else was changed', async () => {
    expect(await out("a\nb\nit's one\ntwo * [b]\n", 'a\nb')).toEqual(whole('a\nb'));
    expect(await out("it's one\n", '')).toEqual(whole(''));
  });

  test('what others have written since stays', async () => {
    expect(await out("a\nit's one\nof others\ntwo * [b]\n", 'a\n')).toEqual(whole('a\nof others\n'));
    expect(await out("it's one\nand more\ntwo * [b]\n", 'a\n')).toEqual(whole('and more\n'));
  });

  test('a file without the lines, and one of which nothing was kept, is left alone', async () => {
    expect(await out('of others', 'a\n')).toEqual(whole('of others'));
    expect(await out("it's one\n", null)).toEqual(whole("it's one\n"));
  });

  test('is told beforehand as the script does it', () => {
    expect(withoutLines("a\nit's one\nb", lines)).toBe('a\nb\n');
    expect(withoutLines("it's one\n", lines)).toBe('');
  });
});

test.each([
  ['192.0.2.10', '192.0.2.10'],
  ['192.0.2.10/32', '192.0.2.10'],
  ['192.0.2.77/24', '192.0.2.0/24'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['2001:db8:1:2:3::/48', '2001:db8:1::/48'],
  ['::/0', '::/0'],
  ['::1/128', '::1'],
  ['192.0.2.10/33', null],
  ['192.0.2.0/24/8', null],
  ['engine', null],
  ['1.2.3', null],
])('%s as a firewall prints it is %s', (given, plain) => {
  expect(plainSource(given)).toBe(plain);
});

test('nobody comes in from outside with an address of the host itself', () => {
  expect(['127.0.1.1', '::1', '192.0.2.1'].map(isLoopback)).toEqual([true, true, false]);
});
