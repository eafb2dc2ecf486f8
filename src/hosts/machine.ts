import type { Duplex } from 'node:stream';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import { ConnectionLost, OutputTooLong, type Terminal, type Transport } from '../transports/transport.ts';
import { asUser } from './as-user.ts';
import type { Host, HostInfo, RunOptions, RunResult } from './host.ts';
import { reveal, type Secret } from './secret.ts';
import type { Sh } from './sh.ts';

const TRIES = 5;

/** What plans may know of a host. */
export function hostInfo(settings: HostSettings): HostInfo {
  return { name: settings.name, address: settings.address, user: settings.user, port: settings.port };
}

/** A machine that can be asked. Reads are tried again over a fresh connection when theirs is lost. */
export class Machine implements Host {
  readonly name: string;
  readonly address: string;
  readonly user: string;
  readonly port: number;
  readonly #transport: Transport;

  constructor(settings: HostSettings, transport: Transport) {
    ({ name: this.name, address: this.address, user: this.user, port: this.port } = hostInfo(settings));
    this.#transport = transport;
  }

  /** Safe to repeat by contract: either the script reads only, or its own guard makes it run once. */
  async run(script: Sh, options: RunOptions = {}): Promise<RunResult> {
    const command = options.as ? asUser(options.as, script).text : script.text;
    const stdin = options.stdin === undefined ? undefined : bytesOf(options.stdin);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#transport.exec(command, { timeoutMs: options.timeoutMs ?? 60_000, ...(stdin ? { stdin } : {}) });
      } catch (thrown) {
        // The transport reconnects on the next call, and gives up with HOST_UNREACHABLE in its own time.
        if (thrown instanceof OutputTooLong) throw new FerryError('OUTPUT_TOO_LONG', { host: this.name });
        if (!(thrown instanceof ConnectionLost)) throw thrown;
        // A machine that drops the connection at this very command, again and again, is not a network that comes and goes.
        if (tries >= TRIES)
          throw new FerryError('HOST_UNREACHABLE', {
            host: this.name,
            address: this.address,
            port: this.port,
            why: `${thrown.message}, ${tries} times in a row`,
          });
      }
    }
  }

  /** Starts a script at a terminal, once: what a lost connection leaves open is for its own guard to tell. @throws ConnectionLost */
  terminal(script: Sh): Promise<Terminal> {
    return this.#transport.terminal(script.text);
  }

  connect(address: string, port: number, timeoutMs = 10_000): Promise<Duplex> {
    return this.#transport.forward(address, port, timeoutMs);
  }

  hostKey(): Promise<{ type: string; blob: string } | null> {
    return this.#transport.hostKey();
  }

  rest(): void {
    this.#transport.rest();
  }

  close(): Promise<void> {
    return this.#transport.close();
  }
}

/** What a script gets as stdin, as bytes. */
export function bytesOf(input: string | Uint8Array | Secret): Uint8Array {
  return input instanceof Uint8Array ? input : Buffer.from(reveal(input), 'utf8');
}
