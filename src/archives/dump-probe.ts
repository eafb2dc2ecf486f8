export type DumpFormat = 'custom' | 'plain' | 'sqlite' | 'unknown';

/** What the bytes of a dump say of it. */
export interface ProbedDump {
  readonly format: DumpFormat;
  readonly sizeBytes: number;
  /** Of the server it was taken from, and of the pg_dump that wrote it; null where it does not say. */
  readonly server: string | null;
  readonly client: string | null;
  /** Name of the database it was taken from; only dumps in custom format say. */
  readonly database: string | null;
  /** Of a plain dump: whether it ends as a finished one does. Null where the bytes alone do not tell. */
  readonly isWhole: boolean | null;
}

const HEAD = 16_384;
const TAIL = 512;
const MARK = '\n-- PostgreSQL database dump complete\n';

/** Looks at a dump as its bytes go by; holds its beginning and its end alone. */
export class DumpProbe {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #size = 0;

  take(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#head.length < HEAD) this.#head = Buffer.concat([this.#head, bytes.subarray(0, HEAD - this.#head.length)]);
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(Math.max(0, bytes.length - TAIL))]).subarray(-TAIL);
  }

  get isCustom(): boolean {
    return this.#head.subarray(0, 5).toString('latin1') === 'PGDMP';
  }

  /** What was seen, once all bytes have gone by. */
  result(): ProbedDump {
    const sizeBytes = this.#size;
    const none = { sizeBytes, server: null, client: null, database: null, isWhole: null };
    if (this.#head.subarray(0, 5).toString('latin1') === 'PGDMP')
      return { ...none, format: 'custom', ...customHeader(this.#head) };
    const text = this.#head.toString('utf8');
    if (text.startsWith('SQLite format 3\0')) return { ...none, format: 'sqlite' };
    if (!/^--\r?\n-- PostgreSQL database dump\r?\n--/m.test(text)) return { ...none, format: 'unknown' };
    const version = (of: string) => new RegExp(`^-- Dumped ${of} version ([0-9.]+)`, 'm').exec(text)?.[1] ?? null;
    return {
      ...none,
      format: 'plain',
      server: version('from database'),
      client: version('by pg_dump'),
      isWhole: this.#tail.toString('utf8').includes(MARK),
    };
  }
}

/** The header of a dump in custom format: where it comes from. Nulls where it is in a form that is not known. */
function customHeader(head: Buffer): Pick<ProbedDump, 'server' | 'client' | 'database'> {
  const none = { server: null, client: null, database: null };
  const [major = 0, minor = 0, , intBytes = 0] = head.subarray(5, 9);
  const version = major * 100 + minor;
  if (version < 112 || intBytes < 1 || intBytes > 8) return none;
  // The offset size and the format follow the size of integers; then, since 1.15, the compression is one byte.
  let at = 11;
  const integer = (): number => {
    const bytes = head.subarray(at + 1, at + 1 + intBytes);
    const sign = head[at] === 0 ? 1 : -1;
    at += 1 + intBytes;
    return sign * bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  };
  const string = (): string | null => {
    const length = integer();
    if (length < 0 || length > 1024 || at + length > head.length) return null;
    at += length;
    return head.toString('utf8', at - length, at);
  };
  if (version >= 115) at += 1;
  else integer();
  // Seven numbers tell when it was made.
  for (let index = 0; index < 7; index += 1) integer();
  const [database, server, client] = [string(), string(), string()];
  const short = (text: string | null) => /^[0-9.]+/.exec(text ?? '')?.[0] ?? null;
  return { database, server: short(server), client: short(client) };
}
