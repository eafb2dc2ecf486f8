import { printable } from '../lib/text.ts';

/** How much of a log is taken at once. */
export const LOG_CHUNK_BYTES = 16_384;

/** A piece of the log of a command, fit for a terminal. Secrets may stand in it, and across it and the next (`redacted-log.ts`). */
export interface LogPiece {
  /** Whose log it is, among those of an attempt. */
  readonly of: string;
  /** Whole lines with their ends, but for a line longer than a chunk. */
  readonly text: string;
  /** What stands before it: the last piece, nothing when the log begins with it, else something that was left out. */
  readonly after: 'last' | 'nothing' | 'gap';
}

// A letter, or an escape sequence after its control character, that the end of a chunk may have cut in two, a byte a character.
const UNFINISHED = /(?:(?![\x80-\x9f])\p{Cc}[^\r\n]{0,40}|[\xc2-\xf4][\x80-\xbf]{0,2})$/u;

/**
 * Follows the log of a command by byte offsets, a chunk at a time, and gives it in whole lines: no line, letter or escape sequence is
 * cut in two by where a chunk ends.
 */
export class LogFollower {
  readonly #of: string;
  /** Where the next chunk is to begin; null before the first, which may begin anywhere near the end. */
  at: number | null = null;
  /** Whether what comes next begins within a line, because something was left out. */
  #isWithinLine = false;
  #endedInReturn = false;
  #after: LogPiece['after'] = 'nothing';

  constructor(of: string) {
    this.#of = of;
  }

  /** The lines that a chunk completes, null when it completes none; what follows the last of them is asked for again. */
  take(from: number, chunk: Uint8Array): LogPiece | null {
    const bytes = Buffer.from(chunk);
    if (from !== (this.at ?? 0)) [this.#after, this.#isWithinLine] = ['gap', true];
    const last = endOfLine(bytes, 'last');
    const end = last === 0 && bytes.length >= LOG_CHUNK_BYTES ? wholeUntil(bytes) : last;
    this.at = from + end;
    if (end === 0) return null;
    const begin = this.#isWithinLine ? endOfLine(bytes, 'first') : this.#endedInReturn && bytes[0] === 0x0a ? 1 : 0;
    this.#endedInReturn = bytes[end - 1] === 0x0d;
    this.#isWithinLine = false;
    if (begin === end) return null;
    const text = printable(bytes.subarray(begin, end).toString('utf8').replaceAll(/\r\n?/g, '\n'));
    const after = this.#after;
    this.#after = 'last';
    return { of: this.#of, text, after };
  }
}

/** The index behind the first or last end of a line; 0 when there is none. A progress bar ends its lines with a carriage return. */
function endOfLine(bytes: Buffer, which: 'first' | 'last'): number {
  const found = [0x0a, 0x0d]
    .map((end) => (which === 'first' ? bytes.indexOf(end) : bytes.lastIndexOf(end)))
    .filter((at) => at >= 0);
  if (found.length === 0) return 0;
  return 1 + (which === 'first' ? Math.min(...found) : Math.max(...found));
}

/** Up to where a chunk without an end of a line can be taken. */
function wholeUntil(bytes: Buffer): number {
  const unfinished = UNFINISHED.exec(bytes.toString('latin1'));
  // An escape that is finished is left for the next chunk too; it costs nothing.
  return unfinished?.index || bytes.length;
}
