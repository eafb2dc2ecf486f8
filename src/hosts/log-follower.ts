import { printable } from '../lib/text.ts';

/** How much of a log is taken at once. */
export const LOG_CHUNK_BYTES = 16_384;

/**
 * Follows the log of a command by byte offsets, a chunk at a time, and gives it in whole lines: a line, a character or a secret is never cut in
 * two by where a chunk ends.
 */
export class LogFollower {
  /** Where the next chunk is to begin; null before the first, which may begin anywhere near the end. */
  at: number | null = null;

  /** The lines that a chunk completes, fit for a terminal; what follows the last of them is asked for again. */
  take(from: number, chunk: Uint8Array): string {
    const bytes = Buffer.from(chunk);
    // One that does not go on where the last ended begins within a line.
    const begin = from === (this.at ?? 0) ? 0 : endOfLine(bytes, 'first');
    const last = endOfLine(bytes, 'last');
    const end = last === 0 && bytes.length >= LOG_CHUNK_BYTES ? bytes.length : last;
    if (end === 0) {
      this.at ??= from;
      return '';
    }
    this.at = from + end;
    const text = bytes.subarray(Math.min(begin, end), end).toString('utf8');
    return printable(text.replaceAll(/\r\n?/g, '\n')).replace(/\n+$/, '');
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
