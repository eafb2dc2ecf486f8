import { BlockList, isIP } from 'node:net';

/** One rule as a runbook asks for it. */
export interface HbaRule {
  readonly type: 'host' | 'hostssl' | 'hostnossl';
  readonly database: string;
  readonly role: string;
  /** An address, a network as `192.0.2.0/24`, a host name, or `all`, `samehost`, `samenet`. */
  readonly address: string;
  readonly method: string;
}

/** At the end of every line Ferry writes. */
export const HBA_MARK = '# ferry';

const DATABASE_WORDS = new Set(['all', 'sameuser', 'samerole', 'samegroup', 'replication']);

/** The line of a rule. Names are quoted where they need it; `all` keeps its meaning. */
export function hbaLine(rule: HbaRule): string {
  const name = (text: string) =>
    /^[a-z_][a-z0-9_]*$/.test(text) && !(DATABASE_WORDS.has(text) && text !== 'all') ? text : `"${text.replaceAll('"', '""')}"`;
  return `${rule.type} ${name(rule.database)} ${name(rule.role)} ${network(rule.address)} ${rule.method} ${HBA_MARK}`;
}

/** An address as pg_hba.conf wants it: a single one gets the mask of one host. */
export function network(address: string): string {
  const family = isIP(address);
  return family === 0 ? address : `${address}/${family === 4 ? 32 : 128}`;
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** The words of one line: double quotes hold blanks and commas together, `#` starts a comment. A list is one word per member. */
function words(line: string): Token[][] {
  const fields: Token[][] = [];
  const pattern = /\s*(?:(#.*)|((?:"(?:[^"]|"")*"|[^\s,"#])+)(\s*,)?)/gy;
  let goesOn = false;
  for (let found = pattern.exec(line); found?.[2] !== undefined; found = pattern.exec(line)) {
    const token = {
      text: found[2].replaceAll(/"((?:[^"]|"")*)"/g, (_, inner: string) => inner.replaceAll('""', '"')),
      quoted: found[2].startsWith('"'),
    };
    if (goesOn) fields.at(-1)?.push(token);
    else fields.push([token]);
    goesOn = found[3] !== undefined;
  }
  return fields;
}

interface ParsedRule {
  readonly type: string;
  readonly databases: readonly Token[];
  readonly roles: readonly Token[];
  readonly address: string;
  readonly method: string;
}

function parseRules(content: string): ParsedRule[] {
  return content.split('\n').flatMap((line): ParsedRule[] => {
    const [type, databases, roles, ...rest] = words(line);
    const kind = type?.[0]?.text;
    if (!kind || !databases || !roles)
      return kind?.startsWith('include') ? [{ type: 'include', databases: [], roles: [], address: '', method: '' }] : [];
    if (kind === 'local') return [{ type: kind, databases, roles, address: '', method: rest[0]?.[0]?.text ?? '' }];
    const [address = '', second = '', third = ''] = rest.map((field) => field[0]?.text ?? '');
    // The mask may stand in a column of its own.
    const masked = isIP(second) !== 0;
    return [
      { type: kind, databases, roles, address: masked ? `${address} ${second}` : address, method: masked ? third : second },
    ];
  });
}

/**
 * The rules whose lines must be put at the top of `content` so that each decides for its connections: not there yet, or
 * standing after another rule that would decide first.
 */
export function rulesMissing(content: string, wanted: readonly HbaRule[]): HbaRule[] {
  const present = parseRules(content);
  return wanted.filter((rule) => {
    for (const found of present) {
      if (found.type === 'local') continue;
      if (isRule(found, rule)) return false;
      if (found.method !== rule.method && mayDecide(found, rule)) return true;
    }
    return true;
  });
}

function isRule(found: ParsedRule, rule: HbaRule): boolean {
  return (
    found.type === rule.type &&
    found.method === rule.method &&
    sameNetwork(found.address, rule.address) &&
    names(found.databases, rule.database) &&
    names(found.roles, rule.role)
  );
}

function names(tokens: readonly Token[], name: string): boolean {
  return tokens.some(
    (token) => token.text === name && (token.quoted || !token.text.startsWith('+')) && (name !== 'all' || !token.quoted),
  );
}

function mayDecide(found: ParsedRule, rule: HbaRule): boolean {
  if (found.type === 'include') return true;
  return (
    touches(found.databases, rule.database, DATABASE_WORDS) &&
    touches(found.roles, rule.role, new Set(['all'])) &&
    overlaps(found.address, rule.address)
  );
}

function touches(tokens: readonly Token[], name: string, wide: ReadonlySet<string>): boolean {
  if (name === 'all') return true;
  // Replication rules never decide for connections to a database.
  return tokens.some(
    (token) =>
      token.text === name ||
      (!token.quoted && token.text !== 'replication' && (wide.has(token.text) || /^[+@/]/.test(token.text))),
  );
}

function sameNetwork(a: string, b: string): boolean {
  return network(a).toLowerCase() === network(b).toLowerCase();
}

/** Whether two address columns can mean the same client; true whenever that cannot be told, as for host names. */
function overlaps(a: string, b: string): boolean {
  const [left, right] = [subnet(a), subnet(b)];
  if (!left || !right) return true;
  if (left.family !== right.family) return false;
  const [wide, narrow] = left.bits <= right.bits ? [left, right] : [right, left];
  const list = new BlockList();
  list.addSubnet(wide.address, wide.bits, wide.family);
  return list.check(narrow.address, narrow.family);
}

function subnet(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits] = network(text).split('/');
  const family = isIP(address);
  if (family === 0 || bits === undefined) return undefined;
  return { address, bits: Number(bits), family: family === 4 ? 'ipv4' : 'ipv6' };
}

/** How many lines to leave above new rules: the comments the file begins with, but not the one that speaks of its first rule. */
export function leadingComments(content: string): number {
  const lines = content.split('\n');
  const first = lines.findIndex((line) => /^\s*[^#\s]/.test(line));
  const end = first < 0 ? Math.max(0, lines.length - 1) : first;
  const blank = lines.slice(0, end).findLastIndex((line) => line.trim() === '');
  return blank < 0 ? end : blank + 1;
}
