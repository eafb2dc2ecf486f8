import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { FerryError } from '../errors/ferry-error.ts';

/** One key of a known_hosts file that stands for the host asked about. */
export interface KnownKey {
  readonly file: string;
  readonly line: number;
  readonly type: string;
  /** Base64, as in the file. */
  readonly blob: string;
  /** What the line says of its key: it is the host's, nobody's any more, or an authority that signs keys of hosts. */
  readonly as: 'host' | 'revoked' | 'authority';
}

const MARKERS: Readonly<Record<string, KnownKey['as']>> = { '@revoked': 'revoked', '@cert-authority': 'authority' };

/** `SHA256:…` of a key blob, as OpenSSH shows it. */
export function fingerprint(blob: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

/** The name a host has in known_hosts: bare on port 22, `[host]:port` else. */
export function knownHostsName(hostName: string, port: number): string {
  return port === 22 ? hostName : `[${hostName}]:${port}`;
}

/**
 * Every key the files hold for a host, in order; files that do not exist hold none. A key revoked for the host counts as revoked
 * on each of its ports. A line with a marker that OpenSSH does not know says nothing.
 * @throws KNOWN_HOSTS_UNREADABLE, since what cannot be read may be what revokes a key
 */
export async function knownKeys(files: readonly string[], hostName: string, port: number): Promise<KnownKey[]> {
  const name = knownHostsName(hostName, port).toLowerCase();
  const bare = hostName.toLowerCase();
  const found: KnownKey[] = [];
  for (const file of files) {
    (await textOf(file)).split('\n').forEach((raw, index) => {
      const words = raw.trim().split(/\s+/);
      const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
      const as = marker === undefined ? 'host' : MARKERS[marker];
      const [names, type, blob] = words;
      if (!as || !names || !type || !blob || names.startsWith('#')) return;
      const isMeant = namesMatch(names, name) || (as === 'revoked' && namesMatch(names, bare));
      if (isMeant) found.push({ file, line: index + 1, type, blob, as });
    });
  }
  return found;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new FerryError('KNOWN_HOSTS_UNREADABLE', { file, why: message }, { cause: thrown });
  }
}

function namesMatch(names: string, name: string): boolean {
  if (names.startsWith('|1|')) {
    const [, , salt = '', hash = ''] = names.split('|');
    const made = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
    const given = Buffer.from(hash, 'base64');
    return made.length === given.length && timingSafeEqual(made, given);
  }
  let matched = false;
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!globMatches(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function globMatches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}
