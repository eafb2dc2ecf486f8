import type { Duplex } from 'node:stream';

/** What a command left; output is bounded to `OUTPUT_LIMIT_BYTES` per stream. */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A command at a terminal of its own, for a program that will not be asked otherwise. What it prints is one stream, as it would
 * stand on a screen.
 */
export interface Terminal {
  /** Calls `listener` with what the command prints, from its beginning on. One listener only. */
  onOutput(listener: (chunk: Uint8Array) => void): void;
  /** Types text as it is; Enter is a carriage return. After its end nothing is typed. */
  type(text: string): void;
  /** Resolves when the command has ended, whatever with. @throws ConnectionLost when that is not known */
  readonly ended: Promise<void>;
  /** Goes away from the terminal: what runs at it is sent a SIGHUP. */
  hangUp(): void;
}

/** How much of each stream is kept; a command that prints more is ended. */
export const OUTPUT_LIMIT_BYTES = 8 * 1024 * 1024;

/** How bytes reach a machine. Commands run as root in `/` with LC_ALL=C and umask 022. */
export interface Transport {
  /**
   * Runs one command. Without `stdin` it may go through a shell that stays open; with it, over a channel of its own.
   * A lost connection is an error here: whoever knows whether the command may run twice decides about a retry.
   * @throws ConnectionLost, HOST_UNREACHABLE, COMMAND_TIMEOUT
   */
  exec(command: string, options: { stdin?: Uint8Array; timeoutMs: number }): Promise<CommandResult>;
  /** Starts one command at a terminal of its own. @throws ConnectionLost, HOST_UNREACHABLE, TERMINAL_UNSUPPORTED */
  terminal(command: string): Promise<Terminal>;
  /** A TCP connection made by the machine. @throws CONNECT_REFUSED */
  forward(address: string, port: number, timeoutMs: number): Promise<Duplex>;
  /** The host key that was checked at connect; null where there is none. */
  hostKey(): Promise<{ type: string; blob: string } | null>;
  /** Closes the connection when nothing goes through it right now; the next call opens another. */
  rest(): void;
  close(): Promise<void>;
}

/** A command printed more than `OUTPUT_LIMIT_BYTES` and was ended; asking again would end the same way. */
export class OutputTooLong extends Error {
  constructor() {
    super('it printed more than 8 MiB');
    this.name = 'OutputTooLong';
  }
}

/** The connection broke while something was under way; what it did is not known. */
export class ConnectionLost extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'ConnectionLost';
  }
}
