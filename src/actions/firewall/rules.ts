import { isIPv6 } from 'node:net';
import type { Firewall, SavedRules } from '../../facts/firewall.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';

/** A way in: a port, from one client or from anywhere. */
export interface WayIn {
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  /** An IP address or network in its shortest form; null for anywhere. */
  readonly from: string | null;
}

/** A rule and the list it goes to. */
export type Addition = { list: string; rule: string };

const isV6 = (from: string) => isIPv6(from.split('/')[0] ?? '');

/** The rules a way in needs in the lists of a firewall, in the words in which its own program prints them. */
export function rulesFor({ kind, lists }: Firewall, { port, protocol, from }: WayIn): Addition[] {
  return lists.flatMap(({ name }): Addition[] => {
    const rule = (text: string) => [{ list: name, rule: text }];
    if (kind === 'firewalld')
      return from === null
        ? rule(`${port}/${protocol}`)
        : rule(
            `rule family="${isV6(from) ? 'ipv6' : 'ipv4'}" source address="${from}" port port="${port}" protocol="${protocol}" accept`,
          );
    if (kind === 'ufw')
      return from === null
        ? rule(`ufw allow ${port}/${protocol}`)
        : rule(`ufw allow from ${from} to any port ${port} proto ${protocol}`);
    const only = name.startsWith('ip6') ? 'v6' : name.startsWith('ip') ? 'v4' : 'both';
    if (from !== null && only !== 'both' && isV6(from) !== (only === 'v6')) return [];
    if (kind === 'nftables')
      return rule(
        `${from === null ? '' : `${isV6(from) ? 'ip6' : 'ip'} saddr ${from} `}${protocol} dport ${port} accept comment "ferry"`,
      );
    const source = from === null ? '' : `-s ${from.includes('/') ? from : `${from}/${isV6(from) ? 128 : 32}`} `;
    return rule(`-A INPUT ${source}-p ${protocol} -m ${protocol} --dport ${port} -m comment --comment ferry -j ACCEPT`);
  });
}

/** Those that are not there. A rule of somebody else that does the same under another comment counts. */
export function rulesMissing(found: Firewall, ways: readonly WayIn[]): Addition[] {
  const bare = (rule: string) => rule.replace(/ (comment "[^"]*"|-m comment --comment (\S+|"[^"]*"))/, '');
  return ways
    .flatMap((way) => rulesFor(found, way))
    .filter(({ list, rule }) => !found.lists.find(({ name }) => name === list)?.rules.some((one) => bare(one) === bare(rule)));
}

/** Puts rules in force; where order counts they come first, in the order given. */
export function addScript(zone: string | null, additions: readonly Addition[]): Sh {
  return joinSh([sh`set -eu`, ...additions.toReversed().map(({ list, rule }) => addOne(zone, list, rule))]);
}

function addOne(zone: string | null, list: string, rule: string): Sh {
  if (zone !== null) return sh`${firewallCmd(zone, list)} ${firewalldOption('add', rule)}`;
  if (list === 'ufw') return sh`${rule.split(' ')}`;
  if (list.endsWith('tables')) return sh`${list} -w -I INPUT 1 ${rule.split(' ').slice(2)}`;
  return sh`nft insert rule ${list.split(' ')} ${rule}`;
}

/** Takes rules out of force, those that are there. */
export function removeScript(zone: string | null, additions: readonly Addition[]): Sh {
  return joinSh(additions.map(({ list, rule }) => removeOne(zone, list, rule)));
}

function removeOne(zone: string | null, list: string, rule: string): Sh {
  if (zone !== null) {
    const cmd = firewallCmd(zone, list);
    return sh`! ${cmd} ${firewalldOption('query', rule)} || ${cmd} ${firewalldOption('remove', rule)} || exit 1`;
  }
  // Deleting what is not there is no error for ufw.
  if (list === 'ufw') return sh`ufw delete ${rule.split(' ').slice(1)} || exit 1`;
  if (list.endsWith('tables')) {
    const spec = rule.split(' ').slice(2);
    return sh`! ${list} -w -C INPUT ${spec} 2>/dev/null || ${list} -w -D INPUT ${spec} || exit 1`;
  }
  const chain = list.split(' ');
  return sh`nft -a list chain ${chain} 2>/dev/null | while read -r line; do case $line in ${rule}' # handle '*) nft delete rule ${chain} handle "\${line##* }" || exit 1;; esac; done || exit 1`;
}

function firewallCmd(zone: string, list: string): Sh {
  return list === 'permanent' ? sh`firewall-cmd -q --permanent --zone=${zone}` : sh`firewall-cmd -q --zone=${zone}`;
}

function firewalldOption(verb: 'add' | 'remove' | 'query', rule: string): string {
  return rule.startsWith('rule ') ? `--${verb}-rich-rule=${rule}` : `--${verb}-port=${rule}`;
}

/** A file of saved rules with the additions in it; null when the lists of none of them are made there. */
export function savedWith({ path, text }: SavedRules, additions: readonly Addition[]): string | null {
  if (!path.includes('nft')) {
    const table = /v6|ip6/.test(path) ? 'ip6tables' : 'iptables';
    const rules = additions.filter(({ list, rule }) => list === table && !text.includes(`${rule}\n`)).map(({ rule }) => rule);
    const filter = text.indexOf('*filter');
    const first = text.indexOf('\n-A INPUT', filter);
    const at = first >= 0 ? first + 1 : text.indexOf('COMMIT', filter);
    return rules.length === 0 || filter < 0 || at < 0 ? null : `${text.slice(0, at)}${rules.join('\n')}\n${text.slice(at)}`;
  }
  const lines = additions.toReversed().flatMap(({ list, rule }) => {
    const [family = '', table = '', chain = ''] = list.split(' ');
    const isMade = new RegExp(`table\\s+${family}\\s+${table}\\s*\\{[^]*?chain\\s+${chain}\\s*\\{`).test(text);
    const line = `insert rule ${list} ${rule}`;
    return isMade && !text.includes(line) ? [line] : [];
  });
  return lines.length === 0 ? null : `${text.replace(/\n?$/, '\n')}${lines.join('\n')}\n`;
}
