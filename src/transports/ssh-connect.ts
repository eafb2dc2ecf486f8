import { connect as tcpConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnyAuthMethod, Client, ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { judgeHostKey } from './judge-host-key.ts';
import { addressOf, type JumpHosts } from './jump-hosts.ts';
import type { KeyRing } from './key-ring.ts';
import { type KnownKey, knownKeys } from './known-hosts.ts';
import { type Login, prepareLogin } from './ssh-auth.ts';

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

/** What the connections of a fleet share. */
export interface SshShared {
  readonly keys: KeyRing;
  readonly jumpHosts: JumpHosts;
}

/**
 * Opens one checked connection, through the jump hosts its settings name, each checked like any other.
 * @throws HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_REVOKED, HOST_KEY_CA, KNOWN_HOSTS_UNREADABLE, HOST_UNREACHABLE, HOST_LOGIN_REFUSED, IDENTITY_UNREADABLE
 */
export async function sshConnect(settings: HostSettings, timeoutMs: number, shared: SshShared): Promise<Connection> {
  let asked = false;
  const tell = (begins: boolean) => {
    asked ||= begins;
  };
  try {
    return await connectOnce(settings, timeoutMs, shared, tell);
  } catch (thrown) {
    // A server waits for a login for two minutes at most; the passphrase that was typed meanwhile is known now.
    if (!asked || !isFerryError(thrown, 'HOST_UNREACHABLE')) throw thrown;
    return await connectOnce(settings, timeoutMs, shared, tell);
  }
}

async function connectOnce(
  settings: HostSettings,
  timeoutMs: number,
  shared: SshShared,
  tell: (begins: boolean) => void,
): Promise<Connection> {
  const [{ default: ssh2 }, known] = await Promise.all([
    import('ssh2'),
    settings.hostKeyAlias === undefined
      ? knownKeys(settings.knownHostsFiles, settings.hostName, settings.port)
      : knownKeys(settings.knownHostsFiles, settings.hostKeyAlias, 22),
  ]);
  const client = new ssh2.Client();
  let timer: NodeJS.Timeout | undefined;
  let late = (): void => undefined;
  const watch = () => {
    timer = setTimeout(() => late(), timeoutMs);
  };
  const login = await prepareLogin(settings, shared.keys, ssh2, (begins) => {
    tell(begins);
    // Nobody types against a clock.
    if (begins) clearTimeout(timer);
    else if (timer) watch();
  });
  const socket = await openSocket(settings, timeoutMs, shared);
  let refusal: FerryError | undefined;
  let seen: { type: string; blob: string } | undefined;
  const methods: AnyAuthMethod[] = [{ type: 'agent', username: settings.user, agent: login.agent }];
  const config: ConnectConfig = {
    sock: socket as ConnectConfig['sock'] & Duplex,
    username: settings.user,
    authHandler: methods,
    readyTimeout: 0,
    keepaliveInterval: 1500,
    keepaliveCountMax: 3,
    algorithms: { serverHostKey: orderedTypes(known) },
    hostVerifier: (key: Buffer) => {
      seen = { type: keyType(key), blob: key.toString('base64') };
      refusal = judgeHostKey(settings, known, seen);
      return refusal === undefined;
    },
  };
  try {
    return await new Promise<Connection>((resolve, reject) => {
      const fail = (error: FerryError) => {
        client.destroy();
        reject(refusal ?? error);
      };
      late = () => fail(unreachable(settings, `no login within ${Math.round(timeoutMs / 1000)} s`));
      client.once('ready', () => resolve({ client, key: seen ?? { type: '', blob: '' } }));
      client.on('error', (cause: Error & { level?: string }) => {
        // A key that could not sign: the next one is tried.
        if (cause.level !== 'agent') fail(connectError(settings, cause, login));
      });
      client.once('close', () => fail(unreachable(settings, 'the connection was closed')));
      client.connect(config);
      watch();
    });
  } finally {
    clearTimeout(timer);
    timer = undefined;
  }
}

function openSocket(settings: HostSettings, timeoutMs: number, shared: SshShared): Promise<Duplex> {
  if (settings.via)
    return shared.jumpHosts.through(settings.via, settings, timeoutMs, (hop) => sshConnect(hop, timeoutMs, shared));
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
  return new FerryError('HOST_UNREACHABLE', { ...addressOf(settings), why }, { cause });
}

function connectError(settings: HostSettings, cause: Error & { level?: string }, login: Login): FerryError {
  if (isFerryError(cause)) return cause;
  if (cause.level === 'client-authentication') {
    const trouble = login.trouble();
    if (trouble) return new FerryError('IDENTITY_UNREADABLE', { host: settings.name, ...trouble });
    return new FerryError('HOST_LOGIN_REFUSED', {
      host: settings.name,
      user: settings.user,
      address: settings.hostName,
      tried: login.tried.join(', '),
    });
  }
  return unreachable(settings, cause.message, cause);
}

function orderedTypes(known: readonly KnownKey[]): ServerHostKeyAlgorithm[] {
  const types = new Set(known.filter((key) => key.as === 'host').map((key) => key.type));
  const wanted = (type: string) => types.has(type) || (type.startsWith('rsa-') && types.has('ssh-rsa'));
  return [...HOST_KEY_TYPES.filter(wanted), ...HOST_KEY_TYPES.filter((type) => !wanted(type))];
}

function keyType(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return key.subarray(4, 4 + length).toString('ascii');
}
