import { printable } from '../lib/text.ts';

/**
 * Breaks text into lines of at most `width` characters, at spaces where there are any; a longer word is cut, a path behind
 * one of its folders. Newlines stay, control characters go: what is wrapped may come from a host.
 */
export function wrapText(text: string, width: number): string[] {
  const limit = Math.max(8, width);
  const lines: string[] = [];
  for (const paragraph of printable(text).replaceAll('\t', '  ').split('\n')) {
    let rest = paragraph.trimEnd();
    while (rest.length > limit) {
      const space = rest.lastIndexOf(' ', limit);
      const folder = rest.lastIndexOf('/', limit - 1) + 1;
      const end = space > limit / 3 ? space : folder > limit / 3 ? folder : limit;
      lines.push(rest.slice(0, end).trimEnd());
      rest = rest.slice(end).trimStart();
    }
    lines.push(rest);
  }
  return lines;
}

/** Text after a word in a column of its own, broken beside that word. */
export function besideWord(word: string, text: string, width: number, brush: (line: string) => string): string[] {
  const column = 9;
  return wrapText(text, width - column).map((line, index) => brush(`${(index === 0 ? word : '').padEnd(column)}${line}`));
}

/** One line of text that may come from a host: newlines become spaces, control characters go. */
export function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim();
}

/** Cuts a line to `width`, with `...` where something was taken away. */
export function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 3))}...`;
}

/** Sets columns side by side, each to its widest cell; the last is left ragged. `paintCell` sees the padded text. */
export function table(
  rows: readonly (readonly string[])[],
  paintCell: (text: string, column: number, row: number) => string = (text) => text,
): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row, index) =>
    row
      .map((cell, column) => paintCell(column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0), column, index))
      .join('  ')
      .trimEnd(),
  );
}

/** Names with what they mean beside them, wrapped to `width` below each other; the lines of one row are an array. */
export function hangingTable(
  rows: readonly (readonly [name: string, text: string])[],
  width: number,
  paintName: (text: string) => string,
): string[][] {
  const indent = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, text]) =>
    wrapText(text, width - indent).map((line, index) =>
      `${index === 0 ? paintName(name.padEnd(indent)) : ' '.repeat(indent)}${line}`.trimEnd(),
    ),
  );
}

/** The moment of an ISO time for a person and for logs: `2026-01-01 02:00:31Z`. */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

/** Hosts that `ferry clean` could not reach: `a and b still hold it`. */
export function stillHold(hosts: readonly string[]): string {
  return `${hosts.join(' and ')} still ${hosts.length === 1 ? 'holds' : 'hold'} it`;
}
