import { isIPv6 } from 'node:net';
import type { Firewall, SavedRules } from '../../facts/firewall.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import { CLOSED_BESIDE, PUT_IN_PLACE } from '../replace-file.ts';

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
  // Since ufw 0.36; an older one refuses the word, and nothing is done.
  if (list === 'ufw') return sh`ufw prepend ${rule.split(' ').slice(1)}`;
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

/** The lines the additions are in a file of saved rules, in their order: those that are not there, in lists that are made there. */
export function linesToSave({ path, text }: SavedRules, additions: readonly Addition[]): string[] {
  if (!path.includes('nft')) {
    const table = /v6|ip6/.test(path) ? 'ip6tables' : 'iptables';
    return additions.filter(({ list, rule }) => list === table && !text.includes(`${rule}\n`)).map(({ rule }) => rule);
  }
  return additions.toReversed().flatMap(({ list, rule }) => {
    const [family = '', table = '', chain = ''] = list.split(' ');
    const isMade = new RegExp(`table\\s+${family}\\s+${table}\\s*\\{[^]*?chain\\s+${chain}\\s*\\{`).test(text);
    const line = `insert rule ${list} ${rule}`;
    return isMade && !text.includes(line) ? [line] : [];
  });
}

/** A file of saved rules with those lines in it; null when there is none, or no place for them. */
export function savedWith({ path, text }: SavedRules, lines: readonly string[]): string | null {
  if (lines.length === 0) return null;
  if (path.includes('nft')) return `${text.replace(/\n?$/, '\n')}${lines.join('\n')}\n`;
  const filter = text.indexOf('*filter');
  const first = text.indexOf('\n-A INPUT', filter);
  const at = first >= 0 ? first + 1 : text.indexOf('COMMIT', filter);
  return filter < 0 || at < 0 ? null : `${text.slice(0, at)}${lines.join('\n')}\n${text.slice(at)}`;
}

/** A text without lines, each line ended. */
export function withoutLines(text: string, lines: readonly string[]): string {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .flatMap((line) => (lines.includes(line) ? [] : [`${line}\n`]))
    .join('');
}

/**
 * Takes lines out of a file of saved rules and leaves what else was written into it since; where that is nothing, the kept
 * bytes are put back. Mode and owner are as they are.
 */
export function takeLinesOut(path: string, lines: readonly string[], kept: string): Sh {
  const each = lines.flatMap((line) => ['-e', line]);
  return sh`f=${path}; k=${kept}; d=\${f%/*}
if [ ! -e "$k" ] || [ ! -f "$f" ] || [ -L "$f" ] || ! grep -aqxF ${each} -- "$f"; then rm -rf -- "$d/.\${f##*/}.ferry-"??????; exit 0; fi
${CLOSED_BESIDE}
rest() { grep -avxF ${each} -- "$1" || [ $? -eq 1 ]; }
rest "../$b" >"$t"; if rest "$k" | cmp -s - "$t"; then cat -- "$k" >"$t"; fi
chown --reference="../$b" -- "$t"; chmod --reference="../$b" -- "$t"
${PUT_IN_PLACE}`;
}
