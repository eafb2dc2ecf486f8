import { ArchiveFault } from './archive-fault.ts';

export type Bytes = AsyncIterable<Uint8Array>;

/** Reads a stream in pieces of the lengths a format asks for, and never holds more than one piece of the stream and what was asked. */
export class ByteSource {
  readonly #next: () => Promise<IteratorResult<Uint8Array>>;
  #left: Uint8Array = new Uint8Array(0);
  /** How many bytes were handed out. */
  position = 0;

  constructor(source: Bytes) {
    const iterator = source[Symbol.asyncIterator]();
    this.#next = () => iterator.next();
  }

  /** The next bytes, `most` at most; null at the end of the stream. */
  async some(most: number): Promise<Uint8Array | null> {
    while (this.#left.length === 0) {
      const { done, value } = await this.#next();
      if (done) return null;
      this.#left = value;
    }
    const taken = this.#left.subarray(0, most);
    this.#left = this.#left.subarray(taken.length);
    this.position += taken.length;
    return taken;
  }

  /** Exactly so many bytes; null when the stream ends before the first of them. @throws ArchiveFault when it ends within them */
  async exactly(count: number, what: string): Promise<Uint8Array | null> {
    const whole = new Uint8Array(count);
    for (let have = 0; have < count; ) {
      const piece = await this.some(count - have);
      if (!piece && have === 0) return null;
      if (!piece) throw new ArchiveFault(`it ends in the middle of ${what}, after ${this.position} bytes`);
      whole.set(piece, have);
      have += piece.length;
    }
    return whole;
  }

  /** So many bytes, piece by piece. @throws ArchiveFault when the stream ends before */
  async *through(count: number, what: string): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = count; left > 0; ) {
      const piece = await this.some(left);
      if (!piece) throw new ArchiveFault(`it ends in the middle of ${what}, after ${this.position} bytes`);
      left -= piece.length;
      yield piece;
    }
  }

  /** The same, thrown away. */
  async skip(count: number, what: string): Promise<void> {
    for await (const _ of this.through(count, what));
  }
}
