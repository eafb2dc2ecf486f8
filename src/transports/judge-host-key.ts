import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { addressOf } from './jump-hosts.ts';
import { fingerprint, type KnownKey } from './known-hosts.ts';

/**
 * Why a host may not be trusted on the key it shows; undefined when it may. Trusted is a key that stands for the host in a
 * known_hosts file and is revoked in none. Signatures of authorities are not followed, which is told apart from knowing nothing.
 */
export function judgeHostKey(
  settings: HostSettings,
  known: readonly KnownKey[],
  seen: { readonly type: string; readonly blob: string },
): FerryError | undefined {
  const base = { ...addressOf(settings), ...(settings.hostKeyAlias === undefined ? {} : { alias: settings.hostKeyAlias }) };
  const got = `${seen.type} ${fingerprint(seen.blob)}`;
  const shown = { type: seen.type, fingerprint: fingerprint(seen.blob) };
  // Compared as bytes: base64 has more than one way to write the same.
  const bytes = Buffer.from(seen.blob, 'base64');
  const same = known.filter(({ blob, as }) => as !== 'authority' && bytes.equals(Buffer.from(blob, 'base64')));
  const revoked = same.find(({ as }) => as === 'revoked');
  if (revoked) return new FerryError('HOST_KEY_REVOKED', { ...base, got, file: revoked.file, line: revoked.line });
  if (same.length > 0) return undefined;
  const others = known.filter(({ as }) => as === 'host');
  const other = others.find(({ type }) => type === seen.type) ?? others[0];
  if (other) {
    const expected = `${other.type} ${fingerprint(other.blob)}`;
    return new FerryError('HOST_KEY_CHANGED', { ...base, got, expected, file: other.file, line: other.line });
  }
  const authority = known.find(({ as }) => as === 'authority');
  const files = settings.knownHostsFiles.join(', ');
  if (authority) return new FerryError('HOST_KEY_CA', { ...base, ...shown, file: authority.file, line: authority.line, files });
  return new FerryError('HOST_KEY_UNKNOWN', { ...base, ...shown, files });
}
