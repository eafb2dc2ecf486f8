import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';

/** What an ssh configuration says about one name; absent where it says nothing. Paths are as written, with tokens. */
export interface SshSettings {
  hostName?: string;
  user?: string;
  port?: number;
  identityFiles: string[];
  knownHostsFiles?: string[];
  identityAgent?: string;
}

interface Directive {
  readonly keyword: string;
  readonly written: string;
  readonly values: readonly string[];
  readonly place: Place;
}

const UNSUPPORTED = ['include', 'proxyjump', 'proxycommand', 'hostkeyalias'];
const FOLLOWED = ['hostname', 'user', 'port', 'identityfile', 'userknownhostsfile', 'identityagent', ...UNSUPPORTED];

/**
 * Looks a name up in the text of an ssh configuration, by ssh's rules: blocks whose patterns match, in file order, the first
 * value wins, identity files add up. A directive that would apply and is not followed is told rather than passed over.
 */
export function lookUpSshHost(file: string, text: string, name: string, report: (found: Diagnostic) => void): SshSettings {
  const settings: SshSettings = { identityFiles: [] };
  const seen = new Set<string>();
  let applies: 'yes' | 'no' | 'unsure' = 'yes';
  for (const directive of parse(file, text)) {
    const { keyword, values, place } = directive;
    if (keyword === 'host') applies = matchesHost(name, values) ? 'yes' : 'no';
    else if (keyword === 'match') applies = values.length === 1 && values[0]?.toLowerCase() === 'all' ? 'yes' : 'unsure';
    else if (applies === 'no' || !FOLLOWED.includes(keyword) || (seen.has(keyword) && keyword !== 'identityfile')) continue;
    else if (applies === 'unsure')
      report(finding('SSH_CONFIG_UNSUPPORTED', { directive: `${directive.written} under Match`, host: name }, place));
    else if (UNSUPPORTED.includes(keyword)) {
      seen.add(keyword);
      if (values[0]?.toLowerCase() !== 'none')
        report(finding('SSH_CONFIG_UNSUPPORTED', { directive: directive.written, host: name }, place));
    } else {
      seen.add(keyword);
      take(settings, directive, report);
    }
  }
  return settings;
}

function take(settings: SshSettings, { keyword, written, values, place }: Directive, report: (found: Diagnostic) => void): void {
  const [value] = values;
  if (value === undefined) {
    report(finding('SSH_CONFIG_INVALID', { why: `${written} has no value` }, place));
  } else if (keyword === 'port') {
    const port = Number(value);
    if (Number.isInteger(port) && port > 0 && port < 65_536) settings.port = port;
    else report(finding('SSH_CONFIG_INVALID', { why: `Port must be a number from 1 to 65535, got "${value}"` }, place));
  } else if (keyword === 'hostname') settings.hostName = value;
  else if (keyword === 'user') settings.user = value;
  else if (keyword === 'identityagent') settings.identityAgent = value;
  else if (keyword === 'userknownhostsfile') settings.knownHostsFiles = [...values];
  else if (keyword === 'identityfile' && value.toLowerCase() !== 'none') settings.identityFiles.push(value);
}

function parse(file: string, text: string): Directive[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const parts = /^\s*([A-Za-z][A-Za-z0-9]*)(?:\s*=\s*|\s+|$)(.*)$/.exec(line);
    if (!parts?.[1]) return [];
    const values = [...(parts[2] ?? '').matchAll(/"([^"]*)"|(#.*$)|(\S+)/g)].flatMap((found) =>
      found[2] === undefined ? [found[1] ?? found[3] ?? ''] : [],
    );
    const column = line.search(/\S/) + 1;
    return [
      {
        keyword: parts[1].toLowerCase(),
        written: parts[1],
        values,
        place: { at: { file, line: index + 1, column }, length: line.trim().length },
      },
    ];
  });
}

function matchesHost(name: string, patterns: readonly string[]): boolean {
  const negated = patterns.filter((pattern) => pattern.startsWith('!')).some((pattern) => matches(name, pattern.slice(1)));
  return !negated && patterns.some((pattern) => !pattern.startsWith('!') && matches(name, pattern));
}

function matches(name: string, pattern: string): boolean {
  const source = pattern
    .replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 'i').test(name);
}
