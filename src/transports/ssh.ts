import type { Duplex } from 'node:stream';
import type { ClientChannel, PseudoTtyOptions } from 'ssh2';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { nowMs, timerMs } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import { quote } from '../lib/quote.ts';
import { becomeRoot, PRELUDE } from './become.ts';
import { addressOf } from './jump-hosts.ts';
import { collect } from './ssh-channel.ts';
import { type Connection, type SshShared, sshConnect } from './ssh-connect.ts';
import { SshShell } from './ssh-shell.ts';
import { PTY, sshTerminal } from './ssh-terminal.ts';
import { type CommandResult, ConnectionLost, type Terminal, type Transport } from './transport.ts';

// sshd allows 10 sessions a connection by default; two stay free.
const CHANNELS_AT_ONCE = 8;
// Shells stay open, so they may not take all of them.
const SHELLS_AT_ONCE = 5;

export interface SshLimits {
  /** How long one attempt to connect may take. */
  readonly connectTimeoutMs: number;
  /** How long a lost connection is tried again before the host counts as unreachable. */
  readonly reconnectMs: number;
}

/** One ssh connection to a host, opened when first needed and again after it was lost. */
export class SshTransport implements Transport {
  readonly #settings: HostSettings;
  readonly #shared: SshShared;
  readonly #limits: SshLimits;
  #connection: Promise<Connection> | undefined;
  /** The one that is up now. */
  #live: Connection | undefined;
  /** What goes through it: commands, and streams that are open. */
  #busy = 0;
  #wasUp = false;
  #closing = false;
  #shells: SshShell[] = [];
  #channels = 0;
  #waiting: (() => void)[] = [];
  #opening = 0;
  #waitingForShell: (() => void)[] = [];

  constructor(settings: HostSettings, shared: SshShared, limits: SshLimits = { connectTimeoutMs: 15_000, reconnectMs: 90_000 }) {
    this.#settings = settings;
    this.#shared = shared;
    this.#limits = limits;
  }

  async exec(command: string, options: { stdin?: Uint8Array; timeoutMs: number }): Promise<CommandResult> {
    this.#busy += 1;
    try {
      return await this.#exec(command, options);
    } finally {
      this.#busy -= 1;
    }
  }

  async #exec(command: string, options: { stdin?: Uint8Array; timeoutMs: number }): Promise<CommandResult> {
    const connection = await this.#connect();
    if (options.stdin === undefined) {
      const shell = await this.#takeShell(connection);
      try {
        return await this.#timed(shell.run(command), options.timeoutMs, () => shell.abandon('the command took too long'));
      } finally {
        shell.taken = false;
        this.#waitingForShell.shift()?.();
      }
    }
    const channel = await this.#channel(connection, becomeRoot(this.#settings.user, `sh -c ${quote(PRELUDE + command)}`));
    channel.end(options.stdin);
    return await this.#timed(collect(channel), options.timeoutMs, () => channel.close());
  }

  async terminal(command: string): Promise<Terminal> {
    const words = becomeRoot(this.#settings.user, `sh -c ${quote(PRELUDE + command)}`);
    this.#busy += 1;
    try {
      const terminal = sshTerminal(await this.#channel(await this.#connect(), words, PTY));
      terminal.ended
        .catch(() => undefined)
        .finally(() => {
          this.#busy -= 1;
        });
      return terminal;
    } catch (thrown) {
      this.#busy -= 1;
      throw thrown;
    }
  }

  async forward(address: string, port: number, timeoutMs: number): Promise<Duplex> {
    this.#busy += 1;
    const done = () => {
      this.#busy -= 1;
    };
    try {
      const stream = await this.#forward(address, port, timeoutMs);
      stream.once('close', done);
      return stream;
    } catch (thrown) {
      done();
      throw thrown;
    }
  }

  async #forward(address: string, port: number, timeoutMs: number): Promise<Duplex> {
    const { client } = await this.#connect();
    const refused = (how: 'refused' | 'silent' | 'forbidden', why: string) =>
      new FerryError('CONNECT_REFUSED', { from: this.#settings.name, address, port, why, how });
    const opened = new Promise<Duplex>((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, address, port, (cause, channel) => {
        // ssh2 reports the reason of RFC 4254 as a number: 1 prohibited, 2 connect failed.
        if (!cause) resolve(channel);
        else if (/\b1\b|prohibited/i.test(`${(cause as { reason?: number }).reason ?? cause.message}`))
          reject(refused('forbidden', 'the ssh server forbids forwarding'));
        else reject(refused('refused', cause.message.replace(/^\(SSH\) Channel open failure: ?/, '') || 'no connection'));
      });
    });
    return await this.#timed(
      opened,
      timeoutMs,
      () => undefined,
      refused('silent', `no answer within ${formatDuration(timeoutMs)}`),
    );
  }

  async hostKey(): Promise<{ type: string; blob: string }> {
    return (await this.#connect()).key;
  }

  rest(): void {
    const live = this.#live;
    if (!live || this.#busy > 0) return;
    this.#lost(live);
    live.client.end();
  }

  async close(): Promise<void> {
    this.#closing = true;
    const connection = await this.#connection?.catch(() => undefined);
    connection?.client.end();
    this.#connection = undefined;
  }

  #connect(): Promise<Connection> {
    // A read that lost its connection to `close` would open another, which nobody closes.
    if (this.#closing) return Promise.reject(closed(this.#settings));
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    // A host that was never reached gets one try: a wrong address should be told at once.
    const deadline = nowMs() + (this.#wasUp ? this.#limits.reconnectMs : 0);
    for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        const connection = await sshConnect(this.#settings, this.#limits.connectTimeoutMs, this.#shared);
        connection.client.on('error', () => undefined);
        connection.client.once('close', () => this.#lost(connection));
        this.#live = connection;
        this.#wasUp = true;
        return connection;
      } catch (thrown) {
        const again = isFerryError(thrown, 'HOST_UNREACHABLE') && nowMs() + pauseMs < deadline && !this.#closing;
        if (!again) {
          this.#connection = undefined;
          throw thrown;
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  #lost(connection: Connection): void {
    // One that was put to rest ends when there may be another already.
    if (connection !== this.#live) return;
    this.#live = undefined;
    this.#connection = undefined;
    for (const shell of this.#shells) shell.abandon('the connection was lost');
    this.#shells = [];
    this.#channels = 0;
    for (const wake of [...this.#waiting.splice(0), ...this.#waitingForShell.splice(0)]) wake();
  }

  /** A shell for the caller alone: one that is free, a new one, or the next that gets free. */
  async #takeShell(connection: Connection): Promise<SshShell> {
    for (;;) {
      this.#shells = this.#shells.filter((shell) => shell.open);
      const free = this.#shells.find((shell) => !shell.taken);
      if (free) {
        free.taken = true;
        return free;
      }
      if (this.#shells.length + this.#opening < SHELLS_AT_ONCE) break;
      await new Promise<void>((resolve) => this.#waitingForShell.push(resolve));
    }
    this.#opening += 1;
    try {
      const shell = await this.#openShell(connection);
      this.#shells.push(shell);
      return shell;
    } catch (thrown) {
      this.#waitingForShell.shift()?.();
      throw thrown;
    } finally {
      this.#opening -= 1;
    }
  }

  async #openShell(connection: Connection): Promise<SshShell> {
    const channel = await this.#channel(connection, becomeRoot(this.#settings.user, 'sh'));
    const shell = new SshShell(channel);
    const ready = await this.#timed(
      shell.run(':'),
      this.#limits.connectTimeoutMs,
      () => shell.abandon('no shell'),
      this.#becomeRefused('no answer from sudo'),
    ).catch(async (thrown) => {
      if (!(thrown instanceof ConnectionLost) || this.#settings.user === 'root') throw thrown;
      throw this.#becomeRefused((await this.#whyNotRoot(connection)) || thrown.message);
    });
    if (ready.code !== 0) throw this.#becomeRefused(ready.stderr.trim() || 'the shell did not start');
    channel.write(`${PRELUDE}\n`);
    return shell;
  }

  #becomeRefused(why: string): FerryError {
    return new FerryError('BECOME_REFUSED', { host: this.#settings.name, user: this.#settings.user, why });
  }

  async #whyNotRoot(connection: Connection): Promise<string> {
    const channel = await this.#channel(connection, becomeRoot(this.#settings.user, 'sh -c :'));
    const result = await this.#timed(collect(channel), this.#limits.connectTimeoutMs, () => channel.close());
    return result.stderr.trim().split('\n')[0] ?? '';
  }

  async #channel(connection: Connection, command: string, pty?: PseudoTtyOptions): Promise<ClientChannel> {
    while (this.#channels >= CHANNELS_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#channels += 1;
    return await new Promise<ClientChannel>((resolve, reject) => {
      const release = () => {
        this.#channels = Math.max(0, this.#channels - 1);
        this.#waiting.shift()?.();
      };
      try {
        connection.client.exec(command, pty ? { pty } : {}, (cause, channel) => {
          if (cause) {
            release();
            reject(new ConnectionLost(cause.message));
          } else {
            channel.once('close', release);
            resolve(channel);
          }
        });
      } catch (thrown) {
        release();
        reject(new ConnectionLost(thrown instanceof Error ? thrown.message : 'the connection was lost'));
      }
    });
  }

  async #timed<T>(work: Promise<T>, timeoutMs: number, giveUp: () => void, error?: FerryError): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(
          error ??
            new FerryError('COMMAND_TIMEOUT', { host: this.#settings.name, what: 'A command', limit: formatDuration(timeoutMs) }),
        );
        giveUp();
      }, timerMs(timeoutMs));
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      work.catch(() => undefined);
    }
  }
}

function closed(settings: HostSettings): FerryError {
  return new FerryError('HOST_UNREACHABLE', { ...addressOf(settings), why: 'Ferry has closed its connection' });
}
