import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { formatDuration } from '../lib/duration.ts';
import { PRELUDE } from './become.ts';
import { type CommandResult, OUTPUT_LIMIT_BYTES, type Transport } from './transport.ts';

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
    const result = await execa(file, args, {
      reject: false,
      timeout: options.timeoutMs,
      maxBuffer: OUTPUT_LIMIT_BYTES,
      stripFinalNewline: false,
      // A process group of its own: Ctrl-C in the terminal is for Ferry, and what runs comes to its end as on any other host.
      detached: true,
      ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    });
    if (result.timedOut) {
      throw new FerryError('COMMAND_TIMEOUT', {
        host: this.#settings.name,
        what: 'A command',
        limit: formatDuration(options.timeoutMs),
      });
    }
    return { code: result.exitCode ?? 137, stdout: result.stdout, stderr: result.stderr };
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

  close(): Promise<void> {
    return Promise.resolve();
  }
}
