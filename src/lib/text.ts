import { stripVTControlCharacters } from 'node:util';

/** The candidate nearest to a misspelt word, or undefined when none is near enough to suggest. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    // Their lengths alone differ by more: comparing a whole pasted file with a name would take minutes.
    if (Math.abs(word.length - candidate.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Letters put in, taken out, replaced, or swapped with their neighbour. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost, swapped));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** `1 step`, `3 steps`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

// Any control character but tab and newline.
const CONTROL = /(?![\t\n])\p{Cc}/gu;
// What moves letters about or stands between them and is not seen: bidirectional controls, zero-width letters, tags, line separators.
const UNSEEN = /[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;

const codePoint = (char: string): string => `<U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;

/**
 * Makes text of a host safe to show: terminal escapes and control characters are taken out, what is not seen and changes how the
 * rest reads is shown as `<U+202E>`; tabs and newlines stay.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(CONTROL, '').replace(UNSEEN, codePoint);
}

/** The same with nothing taken out, for text whose every byte matters: an escape is shown as `<U+001B>`. */
export function visible(text: string): string {
  return text.replace(CONTROL, codePoint).replace(UNSEEN, codePoint);
}

/** What stands where something was taken away: a secret may have been cut in two there. */
export const CUT = / ?\.\.\. \((?:\d+ (?:characters?|lines?)|the (?:beginning|rest)) left out\) \.\.\.[ \n]?/g;

/** Cuts text of a host that is too long for a message in the middle: its beginning and its end say what it is. */
export function cutMiddle(text: string, limit = 4000): string {
  if (text.length <= limit) return text;
  const head = Math.floor(limit / 4);
  const left = text.length - limit;
  return `${text.slice(0, head).toWellFormed()} ... (${left} characters left out) ... ${text.slice(head - limit).toWellFormed()}`;
}

/** The beginning of text that is too long. */
export function cutEnd(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).toWellFormed()} ... (${plural(text.length - limit, 'character')} left out) ...`;
}

/** The last lines of what a command printed. */
export function lastLines(text: string, count: number): string {
  const lines = text.trim().split('\n');
  if (lines.length <= count) return lines.join('\n');
  return `... (${plural(lines.length - count, 'line')} left out) ...\n${lines.slice(-count).join('\n')}`;
}

/** The beginning of a text that a host gave no more of than so many bytes, told where it is one. */
export function headOf(text: string, bytes: number): string {
  return Buffer.byteLength(text) < bytes ? text : `${text} ... (the rest left out) ...`;
}

/** The same of its end, from the first whole line on where there is one. */
export function tailOf(text: string, bytes: number): string {
  if (Buffer.byteLength(text) < bytes) return text;
  const line = text.indexOf('\n') + 1;
  return `... (the beginning left out) ...\n${text.slice(line === text.length ? 0 : line)}`;
}
