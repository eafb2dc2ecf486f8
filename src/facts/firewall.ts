import { type Sh, sh } from '../hosts/sh.ts';
import { digestOf } from '../lib/json.ts';
import { plural } from '../lib/text.ts';
import { defineFact, type Observed, unreadable, value } from './fact.ts';
import { parseStat } from './file-content.ts';

export type FirewallKind = 'none' | 'firewalld' | 'ufw' | 'nftables' | 'iptables';

/** A list of rules that decides what comes in: a zone of firewalld, now or at boot, or a chain. */
export interface RuleList {
  /** `runtime`, `permanent`, `ufw`, `inet filter input`, `iptables`, `ip6tables`. */
  readonly name: string;
  /** Each as the firewall's own program prints it. */
  readonly rules: readonly string[];
}

/** A file from which rules are loaded at boot. */
export interface SavedRules {
  readonly path: string;
  readonly text: string;
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

export interface Firewall {
  readonly kind: FirewallKind;
  /** The zone of firewalld the rules are of; null for other kinds. */
  readonly zone: string | null;
  readonly lists: readonly RuleList[];
  readonly saved: readonly SavedRules[];
}

// Who manages the rules is asked first: firewalld and ufw make chains of nftables and iptables, which are theirs.
const FIREWALLD: Sh = sh`echo =firewalld; [ -n "$z" ] || z=$(firewall-cmd --get-default-zone); echo "=zone $z"
for m in runtime permanent; do [ $m = runtime ] && o= || o=--permanent; echo "=list $m"
firewall-cmd $o --zone="$z" --list-ports | tr ' ' '\\n' | sort; firewall-cmd $o --zone="$z" --list-rich-rules | sort; done`;

const UFW: Sh = sh`echo =ufw; echo '=list ufw'; ufw show added | grep '^ufw '`;

const IPTABLES: Sh = sh`for t in iptables ip6tables; do command -v $t >/dev/null && { echo "=list $t"; $t -w -S INPUT; }; done; ${savedIn(['/etc/iptables/rules.v4', '/etc/iptables/rules.v6', '/etc/sysconfig/iptables', '/etc/sysconfig/ip6tables'])}`;

const NFTABLES: Sh = sh`echo =nft; nft -s list ruleset; [ "$(systemctl show -p UnitFileState --value nftables.service)" != enabled ] || { ${savedIn(['/etc/nftables.conf', '/etc/sysconfig/nftables.conf'])}; }`;

function savedIn(paths: readonly string[]): Sh {
  return sh`for f in ${paths}; do [ -f "$f" ] && [ ! -L "$f" ] && { echo "=saved $f"; stat -c 'file %a %U %G %u %g %s' -- "$f"; base64 -w0 -- "$f"; echo; }; done; :`;
}

/**
 * The firewall that is in force on a host and its rules for what comes in: firewalld (one zone, the default one unless named),
 * ufw, nftables, or iptables; `none` when nothing keeps anybody out.
 */
export const firewall = defineFact<[zone: string], Firewall>({
  kind: 'firewall',
  class: 'state',
  script: (zone) => sh`z=${zone}
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then ${FIREWALLD}
elif command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then ${UFW}
else { ! command -v iptables >/dev/null || { echo =iptables; ${IPTABLES}; }; ! command -v nft >/dev/null || { ${NFTABLES}; }; }; fi`,
  parse: ({ code, stdout, stderr }) =>
    code === 0 ? parseFirewall(stdout) : unreadable(stderr.trim() || `it ended with exit code ${code}`),
  publish: (found) => ({
    ...{ kind: found.kind, zone: found.zone, lists: found.lists as never },
    saved: found.saved.map(({ text, ...file }) => ({ ...file, digest: digestOf(text) })),
  }),
  meets: (read, predicted) =>
    read.kind === predicted.kind &&
    predicted.lists.every(({ name, rules }) => {
      const now = read.lists.find((list) => list.name === name)?.rules ?? [];
      return rules.every((rule) => now.includes(rule));
    }) &&
    predicted.saved.every(({ path, text }) => read.saved.find((file) => file.path === path)?.text === text),
  show(published) {
    const { kind, lists } = published as unknown as Firewall;
    const rules = lists.reduce((sum, list) => sum + list.rules.length, 0);
    return kind === 'none' ? 'no firewall' : `${kind}, ${plural(rules, 'rule')}`;
  },
  parts: (published) =>
    Object.fromEntries(
      (published as unknown as Firewall).lists.flatMap(({ name, rules }) => rules.map((rule) => [`${name}: ${rule}`, 'there'])),
    ),
});

/** Reads what the script prints. A chain that lets everything in keeps nobody out, so it is no firewall. */
export function parseFirewall(stdout: string): Observed<Firewall> {
  const parts = stdout.split(/^=/m).map((part) => part.split('\n').filter((line) => line !== ''));
  const kind = parts[1]?.[0];
  const of = (name: string) => parts.filter(([head]) => head?.startsWith(`${name} `));
  const lists = of('list').map(([head = '', ...rules]) => ({ name: head.slice(5), rules }));
  const saved = of('saved').flatMap(([head = '', stat = '', base64 = '']): SavedRules[] => {
    const has = parseStat(stat);
    return has ? [{ path: head.slice(6), text: Buffer.from(base64, 'base64').toString('utf8'), ...ownership(has) }] : [];
  });
  if (kind === 'firewalld') return value({ kind, zone: of('zone')[0]?.[0]?.slice(5) ?? '', lists, saved: [] });
  if (kind === 'ufw') return value({ kind, zone: null, lists, saved: [] });
  const tables = lists.filter(({ rules }) => rules.some(closesIptables));
  if (tables.length > 0) return value({ kind: 'iptables', zone: null, lists: tables, saved: saved.filter(isOfIptables) });
  const chains = inputChains(parts.find(([head]) => head === 'nft')?.slice(1) ?? []).filter(({ rules }) => rules.some(closesNft));
  if (chains.length === 0) return value({ kind: 'none', zone: null, lists: [], saved: [] });
  return value({ kind: 'nftables', zone: null, lists: chains, saved: saved.filter((file) => !isOfIptables(file)) });
}

function ownership({ mode, owner, group }: { mode: string; owner: string; group: string }) {
  return { mode, owner, group };
}

function isOfIptables({ path }: SavedRules): boolean {
  return path.includes('ip');
}

/** Whether a line of `iptables -S` keeps out what no rule before it let in. */
function closesIptables(line: string): boolean {
  return /^-P INPUT (DROP|REJECT)$/.test(line) || /^-A INPUT (-m comment --comment \S+ )?-j (DROP|REJECT)\b/.test(line);
}

/** Whether a line of a chain does: its policy, or a rule without a condition. */
function closesNft(line: string): boolean {
  return /^type filter hook input .*policy drop;$/.test(line) || /^(counter )?(drop|reject( with .*)?)( comment .*)?$/.test(line);
}

/** The chains of `nft list ruleset` through which what comes in must pass: head line and rules. */
function inputChains(lines: readonly string[]): RuleList[] {
  const chains: { name: string; rules: string[] }[] = [];
  let table = '';
  let open: { name: string; rules: string[] } | undefined;
  for (const line of lines) {
    table = /^table (.*) \{$/.exec(line)?.[1] ?? table;
    const chain = /^\tchain (.*) \{$/.exec(line)?.[1];
    if (chain !== undefined) open = { name: `${table} ${chain}`, rules: [] };
    else if (/^\t\}/.test(line) && open) {
      // iptables-nft shows its own chains here too; they are iptables' to change.
      if (open.rules[0]?.startsWith('type filter hook input') && !/^(ip|ip6) filter INPUT$/.test(open.name)) chains.push(open);
      open = undefined;
    } else if (open && line.startsWith('\t\t')) open.rules.push(line.trim());
  }
  return chains;
}
