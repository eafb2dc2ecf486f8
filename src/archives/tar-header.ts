import { ArchiveFault } from './archive-fault.ts';

export const BLOCK = 512;

/** What a header block of a tar archive says, before longer names and sizes of extended headers are put in. */
export interface TarHeader {
  readonly name: string;
  /** The type flag: `0` a file, `5` a folder, `2` a link, `S` a sparse file of GNU tar, `x` a header of extended attributes... */
  readonly flag: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  /** How many bytes follow the header. */
  readonly storedBytes: number;
  readonly link: string;
  /** Of a GNU sparse file: its size when it is expanded, its first pieces, and whether blocks with more of them follow. */
  readonly sparse: { readonly realBytes: number; readonly pieces: readonly Piece[]; readonly goesOn: boolean } | null;
}

/** A piece of a sparse file that is stored; what lies between the pieces is zeros. */
export interface Piece {
  readonly offset: number;
  readonly bytes: number;
}

const decoder = new TextDecoder();

/** The text of a field that ends with a NUL or with the field. */
function text(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return decoder.decode(end < 0 ? field : field.subarray(0, end));
}

/** A number in octal digits, or, where the first bit is set, in base 256. @throws ArchiveFault when it is none */
function number(block: Uint8Array, from: number, length: number, what: string): number {
  const field = block.subarray(from, from + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return sized(value, what);
  }
  const digits = text(block, from, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new ArchiveFault(`the ${what} of a member is no number`);
  return sized(digits === '' ? 0 : Number.parseInt(digits, 8), what);
}

/** @throws ArchiveFault for a size no file system holds */
export function sized(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new ArchiveFault(`the ${what} of a member is ${value}, more than any file has`);
}

/** Reads a header block; null for a block of zeros, which ends an archive. @throws ArchiveFault when it is no header */
export function readHeader(block: Uint8Array): TarHeader | null {
  if (block.every((byte) => byte === 0)) return null;
  let sum = 0;
  let signed = 0;
  for (const [index, byte] of block.entries()) {
    const counted = index >= 148 && index < 156 ? 0x20 : byte;
    sum += counted;
    signed += counted > 127 ? counted - 256 : counted;
  }
  const said = Number.parseInt(text(block, 148, 8).trim(), 8);
  if (said !== sum && said !== signed) throw new ArchiveFault('a header has the wrong checksum');
  const flag = String.fromCharCode(block[156] || 0x30);
  const isPosix = text(block, 257, 6) === 'ustar' && text(block, 263, 2) === '00';
  const prefix = isPosix ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    flag,
    mode: number(block, 100, 8, 'mode') & 0o7777,
    owner: text(block, 265, 32) || String(number(block, 108, 8, 'owner')),
    group: text(block, 297, 32) || String(number(block, 116, 8, 'group')),
    storedBytes: number(block, 124, 12, 'size'),
    link: text(block, 157, 100),
    sparse:
      flag === 'S'
        ? { realBytes: number(block, 483, 12, 'size'), pieces: readPieces(block, 386, 4), goesOn: block[482] === 1 }
        : null,
  };
}

/** The pieces of a sparse file in a header or in a block that follows it; an empty one ends them. */
export function readPieces(block: Uint8Array, from: number, most: number): Piece[] {
  const pieces: Piece[] = [];
  for (let index = 0; index < most; index += 1) {
    const at = from + index * 24;
    if (block[at] === 0) break;
    pieces.push({ offset: number(block, at, 12, 'map'), bytes: number(block, at + 12, 12, 'map') });
  }
  return pieces;
}

/** The records `LENGTH KEY=VALUE` of an extended header. @throws ArchiveFault when they do not add up */
export function readExtended(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(decoder.decode(bytes.subarray(at, space < 0 ? at : space)));
    const record = decoder.decode(bytes.subarray(space + 1, at + length));
    const cut = record.indexOf('=');
    if (!Number.isInteger(length) || length < 5 || at + length > bytes.length || !record.endsWith('\n') || cut < 1)
      throw new ArchiveFault('an extended header of a member cannot be read');
    found.set(record.slice(0, cut), record.slice(cut + 1, -1));
    at += length;
  }
  return found;
}
