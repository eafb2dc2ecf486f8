import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** One key of a known_hosts file that stands for the host asked about. */
export interface KnownKey {
  readonly file: string;
  readonly line: number;
  readonly type: string;
  /** Base64, as in the file. */
  readonly blob: string;
  readonly revoked: boolean;
}

/** `SHA256:…` of a key blob, as OpenSSH shows it. */
export function fingerprint(blob: string): string {
  return `SHA256:${createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '')}`;
}

/** The name a host has in known_hosts: bare on port 22, `[host]:port` else. */
export function knownHostsName(hostName: string, port: number): string {
  return port === 22 ? hostName : `[${hostName}]:${port}`;
}

/** Every key the files hold for a host, in order; files that do not exist hold none. CA lines are left out: they are not supported. */
export async function knownKeys(files: readonly string[], hostName: string, port: number): Promise<KnownKey[]> {
  const name = knownHostsName(hostName, port).toLowerCase();
  const found: KnownKey[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => '');
    text.split('\n').forEach((raw, index) => {
      const words = raw.trim().split(/\s+/);
      const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
      const [names, type, blob] = words;
      if (!names || !type || !blob || names.startsWith('#') || marker === '@cert-authority') return;
      if (namesMatch(names, name)) found.push({ file, line: index + 1, type, blob, revoked: marker === '@revoked' });
    });
  }
  return found;
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
