import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { reveal, type Secret } from '../../hosts/secret.ts';

/** What PostgreSQL uses by default. */
const ITERATIONS = 4096;

export type VerifierKind = 'scram-sha-256' | 'md5' | 'unknown';

/** Tells by which method a stored verifier was made. */
export function verifierKind(verifier: string): VerifierKind {
  if (verifier.startsWith('SCRAM-SHA-256$')) return 'scram-sha-256';
  return /^md5[0-9a-f]{32}$/.test(verifier) ? 'md5' : 'unknown';
}

/**
 * Makes the text PostgreSQL stores for a password under SCRAM-SHA-256 (RFC 5802, 7677), so that the password itself never
 * reaches the server. `salt` must be fresh and random.
 */
export function scramVerifier(password: string | Secret, salt: Uint8Array, iterations = ITERATIONS): string {
  const salted = pbkdf2Sync(saslPrep(reveal(password)), salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest();
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(hmac('Server Key'))}`;
}

/** Whether a stored verifier is that of a password. */
export function verifierMatches(verifier: string | null, password: string | Secret, user: string): boolean {
  if (verifier === null) return false;
  const scram = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(verifier);
  if (scram) return same(verifier, scramVerifier(password, Buffer.from(scram[2] ?? '', 'base64'), Number(scram[1])));
  return same(verifier, md5Verifier(password, user));
}

/** The text PostgreSQL stores for a password under md5, for clients too old for SCRAM. Who has it can log in with it. */
export function md5Verifier(password: string | Secret, user: string): string {
  return `md5${createHash('md5').update(reveal(password)).update(user).digest('hex')}`;
}

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/**
 * Prepares a password as RFC 4013 asks, as far as PostgreSQL does: other spaces become a space, invisible characters go,
 * compatibility forms are unified. Text with control characters is taken as it is, as PostgreSQL takes it.
 */
function saslPrep(password: string): string {
  if (/^[\x20-\x7e]*$/.test(password)) return password;
  const mapped = password
    .replaceAll(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replaceAll(/\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200b-\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/g, '')
    .normalize('NFKC');
  return mapped === '' || /[\p{Cc}\p{Cs}\p{Co}]/u.test(mapped) ? password : mapped;
}
