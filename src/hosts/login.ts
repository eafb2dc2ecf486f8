import type { Duplex } from 'node:stream';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Host } from './host.ts';
import { reveal, type Secret } from './secret.ts';

export interface LoginRequest {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | Secret;
  readonly database: string;
}

/** What became of a login: the server's version, or the SQLSTATE (or `CONNECT_REFUSED`, `TIMEOUT`) and the server's words. */
export type LoginAnswer =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly code: string; readonly why: string };

const LIMIT_MS = 15_000;

/**
 * Logs in to PostgreSQL as a role, from where `host` stands: through its ssh connection, so that listen_addresses, firewall
 * and pg_hba judge that host and not the controller. The password goes to that server alone, without TLS and by the method
 * its pg_hba asks for: SCRAM where Ferry made the rule. The connection, and then all that is said over it, may each take
 * `limitMs`.
 */
export async function loginThrough(host: Host, request: LoginRequest, limitMs = LIMIT_MS): Promise<LoginAnswer> {
  let stream: Duplex;
  try {
    stream = await host.connect(request.address, request.port, limitMs);
  } catch (thrown) {
    if (isFerryError(thrown, 'CONNECT_REFUSED')) return { ok: false, code: 'CONNECT_REFUSED', why: thrown.args.why };
    throw thrown;
  }
  const { default: pg } = await import('pg');
  // A server, or a pooler before it, may fall silent at any word; then the stream is taken away from under the conversation.
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    stream.destroy();
  }, limitMs);
  const client = new pg.Client({
    user: request.user,
    password: reveal(request.password),
    database: request.database,
    stream: () => asSocket(stream),
    ssl: false,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = await client.query<{ server_version: string }>('SHOW server_version');
    return { ok: true, version: answer.rows[0]?.server_version ?? '' };
  } catch (thrown) {
    if (isLate) return { ok: false, code: 'TIMEOUT', why: `no answer within ${formatDuration(limitMs)}` };
    const { code, message } = thrown as Error & { code?: string };
    return { ok: false, code: code ?? 'CLOSED', why: message };
  } finally {
    await client.end().catch((thrown: unknown) => {
      if (thrown instanceof FerryError) throw thrown;
    });
    clearTimeout(timer);
    stream.destroy();
  }
}

/** Gives a forwarded stream the few socket methods pg calls; it is connected already, so `connect` only says so. */
function asSocket(stream: Duplex): never {
  const same = () => stream;
  Object.assign(stream, {
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
    connect: () => {
      process.nextTick(() => stream.emit('connect'));
      return stream;
    },
  });
  return stream as never;
}
