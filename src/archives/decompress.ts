import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { ArchiveFault } from './archive-fault.ts';
import type { Bytes } from './byte-source.ts';

export type Compressor = 'none' | 'gzip' | 'bzip2' | 'xz';

/** What compressed a stream, by its first bytes: the name of a file never tells. */
export function compressorOf(head: Uint8Array): Compressor {
  const hex = Buffer.from(head.subarray(0, 6)).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex === 'fd377a585a00') return 'xz';
  return /^425a68(3[1-9])/.test(hex) ? 'bzip2' : 'none';
}

/** The compressor of a stream, and the stream as it was before it was compressed; reading that throws ArchiveFault where it is cut or damaged. */
export async function decompress(source: Bytes): Promise<{ compressor: Compressor; bytes: Bytes }> {
  const { head, whole } = await peek(source, 6);
  const compressor = compressorOf(head);
  if (compressor === 'none') return { compressor, bytes: whole };
  return { compressor, bytes: compressor === 'gzip' ? gunzip(whole) : throughProgram(compressor, whole) };
}

/** The first bytes of a stream, and the stream with them still in it. */
async function peek(source: Bytes, count: number): Promise<{ head: Uint8Array; whole: Bytes }> {
  const iterator = source[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let have = 0;
  while (have < count) {
    const { done, value } = await iterator.next();
    if (done) break;
    pieces.push(value);
    have += value.length;
  }
  const whole = (async function* () {
    yield* pieces;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  })();
  return { head: Buffer.concat(pieces), whole };
}

async function* gunzip(source: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const inflate = createGunzip();
  // Only an error of the stream that is read is told: this one ends with it.
  const fed = pipeline(Readable.from(source, { objectMode: false }), inflate).catch((thrown: unknown) => thrown);
  try {
    yield* inflate;
  } catch (thrown) {
    const cause = (await fed) ?? thrown;
    throw cause instanceof ArchiveFault ? cause : new ArchiveFault(`gzip: ${(cause as Error).message}`, { cause });
  }
}

/** xz and bzip2 are in no library of Node: the programs of this machine read them. */
async function* throughProgram(program: 'xz' | 'bzip2', source: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn(program, ['-dc'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', XZ_OPT: '', XZ_DEFAULTS: '' },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = `${said}${text}`.slice(0, 2000);
  });
  const ended = once(child, 'close').then(
    ([code]) => (code === 0 ? null : new ArchiveFault(`${program}: ${reason(said, program) || `ended with exit code ${code}`}`)),
    () => new ArchiveFault(`there is no program ${program} here to read it with`, { isOurs: true }),
  );
  // What the program does not read any more is no loss; what the source tells is.
  const fed = pipeline(Readable.from(source, { objectMode: false }), child.stdin).catch((thrown: unknown) => thrown);
  try {
    yield* child.stdout;
    const fault = await ended;
    const cause = await fed;
    if (cause instanceof ArchiveFault) throw cause;
    if (fault) throw fault;
  } finally {
    child.kill();
  }
}

function reason(said: string, program: string): string {
  return (said.split('\n').find((line) => line.trim() !== '') ?? '')
    .replace(`${program}: (stdin): `, '')
    .replace(`${program}: `, '')
    .trim();
}
