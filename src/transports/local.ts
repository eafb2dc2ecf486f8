import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { timerMs } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import { PRELUDE } from './become.ts';
import { localTerminal } from './local-terminal.ts';
import { type CommandResult, OUTPUT_LIMIT_BYTES, OutputTooLong, type Terminal, type Transport } from './transport.ts';

/** The machine Ferry itself runs on, for an inventory host with `connection: local`. */
export class LocalTransport implements Transport {
  readonly #settings: HostSettings;

  constructor(settings: HostSettings) {
    this.#settings = settings;
  }

  async exec(command: string, options: { stdin?: Uint8Array; timeoutMs: number }): Promise<CommandResult> {
    const { execa } = await import('execa');
    const words = ['sh', '-c', PRELUDE + command];
    const [file = 'sh', ...args] = process.getuid?.() === 0 ? words : ['sudo', '-n', '--', ...words];
    const running = execa(file, args, {
      reject: false,
      maxBuffer: OUTPUT_LIMIT_BYTES,
      stripFinalNewline: false,
      // A process group of its own: Ctrl-C in the terminal is for Ferry, and what runs comes to its end as on any other host.
      detached: true,
      ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    });
    const late = Symbol();
    const clock = new AbortController();
    const result = await Promise.race([running, delay(timerMs(options.timeoutMs), late, { signal: clock.signal })]);
    if (result === late) {
      // Left alone, as over ssh: to end the shell would end neither what it started nor the doubt about it.
      const { nodeChildProcess: child } = running;
      child.unref();
      for (const stream of child.stdio) stream?.destroy();
      throw new FerryError('COMMAND_TIMEOUT', {
        host: this.#settings.name,
        what: 'A command',
        limit: formatDuration(options.timeoutMs),
      });
    }
    clock.abort();
    if (result.isMaxBuffer) throw new OutputTooLong();
    return { code: result.exitCode ?? 137, stdout: result.stdout, stderr: result.stderr };
  }

  terminal(command: string): Promise<Terminal> {
    return localTerminal(this.#settings.name, command);
  }

  forward(address: string, port: number, timeoutMs: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      const refuse = (why: string, how: 'refused' | 'silent' = 'refused') =>
        reject(new FerryError('CONNECT_REFUSED', { from: this.#settings.name, address, port, why, how }));
      const socket = connect({ host: address, port, noDelay: true, timeout: timeoutMs });
      socket.once('connect', () => {
        socket.setTimeout(0);
        resolve(socket);
      });
      socket.once('timeout', () => {
        socket.destroy();
        refuse(`no answer within ${formatDuration(timeoutMs)}`, 'silent');
      });
      socket.once('error', (cause) => refuse(cause.message));
    });
  }

  hostKey(): Promise<null> {
    return Promise.resolve(null);
  }

  rest(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
