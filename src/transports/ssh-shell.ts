import type { ClientChannel } from 'ssh2';
import { quote } from '../lib/quote.ts';
import { randomToken } from '../lib/random.ts';
import { type CommandResult, ConnectionLost, OUTPUT_LIMIT_BYTES, OutputTooLong } from './transport.ts';

/**
 * One POSIX shell that stays open for short commands: about 1 ms a command where a channel of its own costs 5.
 * Commands run one after the other, so a shell is taken by one caller at a time; each has /dev/null as stdin, because bytes a command left unread would be run by
 * this shell. A random token per command marks the end of both streams, so output may hold anything.
 */
export class SshShell {
  readonly #channel: ClientChannel;
  #closed: string | undefined;
  #current: ((why: string) => void) | undefined;
  /** Set by whoever is about to run a command, before anything is awaited, and unset by them when its answer is there. */
  taken = true;

  constructor(channel: ClientChannel) {
    this.#channel = channel;
    channel.once('close', () => {
      this.#closed = 'the shell on the host ended';
      this.#current?.(this.#closed);
    });
    // Errors of a channel are followed by its close.
    channel.on('error', () => undefined);
  }

  get open(): boolean {
    return this.#closed === undefined;
  }

  run(command: string): Promise<CommandResult> {
    if (this.#closed !== undefined) return Promise.reject(new ConnectionLost(this.#closed));
    const token = randomToken();
    return new Promise<CommandResult>((resolve, reject) => {
      const out = new Tail(`\n${token} `);
      const err = new Tail(`\n${token}\n`);
      const finish = (failure?: Error) => {
        this.#channel.off('data', onOut);
        this.#channel.stderr.off('data', onErr);
        this.#current = undefined;
        if (failure) {
          this.#channel.close();
          this.#closed ??= failure.message;
          reject(failure);
        } else {
          resolve({ code: Number(out.after()), stdout: out.before(), stderr: err.before() });
        }
      };
      const settle = () => {
        if (out.size > OUTPUT_LIMIT_BYTES || err.size > OUTPUT_LIMIT_BYTES) finish(new OutputTooLong());
        else if (out.complete('\n') && err.complete()) finish();
      };
      const onOut = (chunk: Buffer) => {
        out.add(chunk);
        settle();
      };
      const onErr = (chunk: Buffer) => {
        err.add(chunk);
        settle();
      };
      this.#current = (why) => finish(new ConnectionLost(why));
      this.#channel.on('data', onOut);
      this.#channel.stderr.on('data', onErr);
      this.#channel.write(
        `sh -c ${quote(command)} </dev/null; r=$?; printf '\\n%s %s\\n' ${token} $r; printf '\\n%s\\n' ${token} >&2\n`,
      );
    });
  }

  /** Ends the shell; a command under way fails with ConnectionLost. */
  abandon(why: string): void {
    this.#closed ??= why;
    this.#current?.(why);
    this.#channel.close();
  }
}

/** Collects a stream and finds the end mark, searching only where it can be new. */
class Tail {
  readonly #mark: Buffer;
  #chunks: Buffer[] = [];
  #text: Buffer = Buffer.alloc(0);
  #at = -1;
  size = 0;

  constructor(mark: string) {
    this.#mark = Buffer.from(mark);
  }

  add(chunk: Buffer): void {
    this.size += chunk.length;
    this.#chunks.push(chunk);
  }

  /** Whether the mark, and then `terminator`, has come. */
  complete(terminator = ''): boolean {
    if (this.#chunks.length > 0) {
      const from = Math.max(0, this.#text.length - this.#mark.length);
      this.#text = Buffer.concat([this.#text, ...this.#chunks]);
      this.#chunks = [];
      if (this.#at < 0) this.#at = this.#text.indexOf(this.#mark, from);
    }
    return this.#at >= 0 && this.#text.includes(terminator, this.#at + this.#mark.length);
  }

  before(): string {
    return this.#text.subarray(0, this.#at).toString('utf8');
  }

  after(): string {
    return this.#text
      .subarray(this.#at + this.#mark.length)
      .toString('utf8')
      .trim();
  }
}
