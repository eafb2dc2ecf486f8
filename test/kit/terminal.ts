import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

/** An output stream that remembers what was written; with a size it is a terminal. */
export interface Screen {
  readonly stream: NodeJS.WriteStream;
  /** Everything written, escapes and all. */
  raw(): string;
  /** Everything written, as plain text. */
  text(): string;
}

export function createScreen(size?: { columns: number; rows: number }): Screen {
  let written = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  Object.assign(stream, size ? { isTTY: true, ...size } : {});
  return {
    stream: stream as NodeJS.WriteStream,
    raw: () => written,
    text: () => stripVTControlCharacters(written).replaceAll('\r', ''),
  };
}

/** A keyboard: `type` presses keys. */
export function createKeyboard(): { stream: NodeJS.ReadStream; type(keys: string): void } {
  const stream = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stream });
  return { stream: stream as unknown as NodeJS.ReadStream, type: (keys) => void stream.write(keys) };
}

/** Something signals can be sent to instead of the process. */
export function createSignals(): EventEmitter {
  return new EventEmitter();
}
