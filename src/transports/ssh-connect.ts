import { type Socket, connect as tcpConnect } from 'node:net';
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { fingerprint, type KnownKey, knownKeys } from './known-hosts.ts';
import { loginMethods } from './ssh-auth.ts';

export interface Connection {
  readonly client: Client;
  readonly key: { type: string; blob: string };
}

// ssh2 prefers in this order whatever it is told to prepend, so the whole list is given, known types first.
const HOST_KEY_TYPES: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/**
 * Opens one checked connection.
 * @throws HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_UNREACHABLE, HOST_LOGIN_REFUSED, IDENTITY_UNREADABLE
 */
export async function sshConnect(settings: HostSettings, timeoutMs: number): Promise<Connection> {
  const [{ default: ssh2 }, known] = await Promise.all([
    import('ssh2'),
    knownKeys(settings.knownHostsFiles, settings.hostName, settings.port),
  ]);
  const { methods, tried } = await loginMethods(settings, (data) => ssh2.utils.parseKey(data));
  const socket = await openSocket(settings, timeoutMs);
  const client = new ssh2.Client();
  let refusal: FerryError | undefined;
  let seen: { type: string; blob: string } | undefined;
  const config: ConnectConfig = {
    sock: socket,
    username: settings.user,
    authHandler: methods,
    readyTimeout: timeoutMs,
    keepaliveInterval: 1500,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: orderedTypes(known) },
    hostVerifier: (key: Buffer) => {
      seen = { type: keyType(key), blob: key.toString('base64') };
      refusal = judge(settings, known, seen);
      return refusal === undefined;
    },
  };
  return await new Promise<Connection>((resolve, reject) => {
    client.once('ready', () => resolve({ client, key: seen ?? { type: '', blob: '' } }));
    client.once('error', (cause: Error & { level?: string }) => {
      client.destroy();
      reject(refusal ?? connectError(settings, cause, tried));
    });
    client.once('close', () => reject(refusal ?? unreachable(settings, 'the connection was closed')));
    client.connect(config);
  });
}

function openSocket(settings: HostSettings, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // ssh2 leaves Nagle's algorithm on, which costs 40 ms or more on every command.
    const socket = tcpConnect({ host: settings.hostName, port: settings.port, noDelay: true, keepAlive: true });
    const timer = setTimeout(() => socket.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.once('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(unreachable(settings, socketTrouble(cause, timeoutMs), cause));
    });
  });
}

function socketTrouble(cause: NodeJS.ErrnoException, timeoutMs: number): string {
  if (cause.code === 'ECONNREFUSED') return 'the connection was refused';
  if (cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') return 'the name cannot be resolved';
  if (cause.code === 'ETIMEDOUT') return `no answer within ${Math.round(timeoutMs / 1000)} s`;
  if (cause.code === 'EHOSTUNREACH' || cause.code === 'ENETUNREACH') return 'there is no route to it';
  return cause.message;
}

function unreachable(settings: HostSettings, why: string, cause?: unknown): FerryError {
  return new FerryError(
    'HOST_UNREACHABLE',
    { host: settings.name, address: settings.hostName, port: settings.port, why },
    { cause },
  );
}

function connectError(settings: HostSettings, cause: Error & { level?: string }, tried: readonly string[]): FerryError {
  if (isFerryError(cause)) return cause;
  if (cause.level === 'client-authentication') {
    return new FerryError('HOST_LOGIN_REFUSED', {
      host: settings.name,
      user: settings.user,
      address: settings.hostName,
      tried: tried.join(', '),
    });
  }
  return unreachable(settings, cause.message, cause);
}

function judge(settings: HostSettings, known: readonly KnownKey[], seen: { type: string; blob: string }): FerryError | undefined {
  const base = { host: settings.name, address: settings.hostName, port: settings.port };
  const same = known.filter((key) => key.blob === seen.blob);
  const got = `${seen.type} ${fingerprint(seen.blob)}`;
  const revoked = same.find((key) => key.revoked);
  if (revoked) return new FerryError('HOST_KEY_REVOKED', { ...base, got, file: revoked.file, line: revoked.line });
  if (same.length > 0) return undefined;
  const other = known.find((key) => key.type === seen.type && !key.revoked) ?? known.find((key) => !key.revoked);
  if (other) {
    return new FerryError('HOST_KEY_CHANGED', {
      ...base,
      got,
      expected: `${other.type} ${fingerprint(other.blob)}`,
      file: other.file,
      line: other.line,
    });
  }
  return new FerryError('HOST_KEY_UNKNOWN', {
    ...base,
    fingerprint: fingerprint(seen.blob),
    type: seen.type,
    files: settings.knownHostsFiles.join(', '),
  });
}

function orderedTypes(known: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const types = new Set(known.filter((key) => !key.revoked).map((key) => key.type));
  const wanted = (type: string) => types.has(type) || (type.startsWith('rsa-') && types.has('ssh-rsa'));
  return [...HOST_KEY_TYPES.filter(wanted), ...HOST_KEY_TYPES.filter((type) => !wanted(type))];
}

function keyType(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('ascii');
}
