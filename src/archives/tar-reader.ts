import { ArchiveFault } from './archive-fault.ts';
import { ByteSource, type Bytes } from './byte-source.ts';
import { BLOCK, type Piece, readExtended, readHeader, readPieces, sized, type TarHeader } from './tar-header.ts';

export type TarType = 'file' | 'folder' | 'link' | 'hard link' | 'device' | 'pipe' | 'unknown';

/** One member of a tar archive, in the archive's order. */
export interface TarMember {
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  /** The size of the file, holes included. */
  readonly sizeBytes: number;
  /** Bytes of it that are zeros and not stored. */
  readonly holeBytes: number;
  readonly link: string | null;
  /** The content, to be read before the next member is asked for; what is not read then is passed over. */
  readonly body: Bytes;
}

const TYPES: Readonly<Record<string, TarType>> = {
  ...{ '0': 'file', '7': 'file', S: 'file', '1': 'hard link', '2': 'link' },
  ...{ '3': 'device', '4': 'device', '5': 'folder', '6': 'pipe' },
};
/** Names and attributes longer than this are no accident. */
const EXTENDED_LIMIT = 1 << 20;
const MAP_LIMIT = 1 << 16;
const ZEROS = new Uint8Array(1 << 16);

/**
 * Reads a tar archive as GNU tar writes it: long names, extended headers and both forms of sparse files, which is what `tar -S` makes of
 * a file with holes. Constant memory.
 * @throws ArchiveFault where the archive is cut or is none
 */
export async function* readTar(archive: Bytes): AsyncGenerator<TarMember, void, undefined> {
  const source = new ByteSource(archive);
  let extended = new Map<string, string>();
  for (;;) {
    const block = await source.exactly(BLOCK, 'a header');
    if (!block)
      throw new ArchiveFault(
        source.position === 0
          ? 'it is empty, as engine-backup leaves one when it fails'
          : `it is cut: it ends after ${source.position} bytes, without the mark that ends an archive`,
      );
    const header = readHeader(block);
    if (!header) break;
    const padding = (BLOCK - (header.storedBytes % BLOCK)) % BLOCK;
    if (['x', 'g', 'L', 'K'].includes(header.flag)) {
      if (header.storedBytes > EXTENDED_LIMIT) throw new ArchiveFault(`a header of ${header.storedBytes} bytes is refused`);
      const bytes = (await source.exactly(header.storedBytes, 'a header')) ?? new Uint8Array(0);
      await source.skip(padding, 'a header');
      extended = new Map([...extended, ...longer(header.flag, bytes)]);
      continue;
    }
    const member = await memberOf(header, extended, source);
    extended = new Map();
    const body = member.body[Symbol.asyncIterator]();
    // Somebody may stop reading a body early; what is left of it must still go by.
    yield { ...member, body: { [Symbol.asyncIterator]: () => ({ next: () => body.next() }) } };
    while (!(await body.next()).done);
    await source.skip((BLOCK - (member.storedBytes % BLOCK)) % BLOCK, member.name);
  }
  // To the end, so that the checksum of a compressed archive is looked at too.
  for (let piece = await source.some(BLOCK); piece; piece = await source.some(1 << 16))
    if (piece.some((byte) => byte !== 0)) throw new ArchiveFault('there is something behind its end');
}

/** What a header before a member says of it, in the words of extended headers. */
function longer(flag: string, bytes: Uint8Array): Map<string, string> {
  if (flag === 'x') return readExtended(bytes);
  if (flag === 'g') return new Map();
  const end = bytes.indexOf(0);
  const name = new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  return new Map([[flag === 'L' ? 'path' : 'linkpath', name]]);
}

async function memberOf(header: TarHeader, extended: ReadonlyMap<string, string>, source: ByteSource) {
  const name = extended.get('GNU.sparse.name') ?? extended.get('path') ?? header.name;
  const type = TYPES[header.flag] ?? 'unknown';
  const size = extended.get('size');
  const stored = size === undefined ? header.storedBytes : sized(Number(size), 'size');
  // Only files have a content; a folder or a link may still carry a size, which says nothing.
  const storedBytes = type === 'file' || type === 'unknown' ? stored : 0;
  const seen = {
    name,
    type,
    mode: header.mode,
    owner: extended.get('uname') ?? header.owner,
    group: extended.get('gname') ?? header.group,
  };
  const link = type === 'link' || type === 'hard link' ? (extended.get('linkpath') ?? header.link) : null;
  if (header.sparse) {
    const pieces = [...header.sparse.pieces];
    for (let goesOn = header.sparse.goesOn; goesOn; ) {
      const more = await source.exactly(BLOCK, `the map of ${name}`);
      if (!more) throw new ArchiveFault(`it ends in the map of ${name}`);
      pieces.push(...readPieces(more, 0, 21));
      if (pieces.length > MAP_LIMIT) throw new ArchiveFault(`${name} has more than ${MAP_LIMIT} holes`);
      goesOn = more[504] === 1;
    }
    return expanded(seen, storedBytes, header.sparse.realBytes, pieces, source);
  }
  if (extended.get('GNU.sparse.major') === '1') {
    const real = sized(Number(extended.get('GNU.sparse.realsize')), 'size');
    const { pieces, mapBytes } = await readMap(source, name);
    return expanded(seen, storedBytes - mapBytes, real, pieces, source);
  }
  return { ...seen, sizeBytes: storedBytes, holeBytes: 0, link, storedBytes, body: source.through(storedBytes, name) };
}

/** The map of a sparse file that stands before its content: decimal numbers, a line each, in whole blocks. */
async function readMap(source: ByteSource, name: string): Promise<{ pieces: Piece[]; mapBytes: number }> {
  let text = '';
  let mapBytes = 0;
  for (;;) {
    const lines = text.split('\n');
    const count = lines.length > 1 ? Number(lines[0]) : null;
    if (count !== null && (!Number.isInteger(count) || count < 0 || count > MAP_LIMIT))
      throw new ArchiveFault(`the map of ${name} cannot be read`);
    if (count !== null && lines.length > 1 + 2 * count) {
      const numbers = lines.slice(1, 1 + 2 * count).map((line) => sized(Number(line), 'map'));
      const pieces = Array.from({ length: count }, (_, at) => ({
        offset: numbers[2 * at] ?? 0,
        bytes: numbers[2 * at + 1] ?? 0,
      }));
      return { pieces, mapBytes };
    }
    const block = await source.exactly(BLOCK, `the map of ${name}`);
    if (!block) throw new ArchiveFault(`it ends in the map of ${name}`);
    mapBytes += BLOCK;
    text += new TextDecoder().decode(block);
  }
}

/** A sparse member. @throws ArchiveFault where its map contradicts itself */
function expanded(
  seen: Pick<TarMember, 'name' | 'type' | 'mode' | 'owner' | 'group'>,
  storedBytes: number,
  realBytes: number,
  pieces: readonly Piece[],
  source: ByteSource,
) {
  let end = 0;
  for (const { offset, bytes } of pieces) {
    if (offset < end) throw new ArchiveFault(`the map of ${seen.name} contradicts itself`);
    end = offset + bytes;
  }
  const held = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  if (end > realBytes || held !== storedBytes) throw new ArchiveFault(`the map of ${seen.name} contradicts itself`);
  const body = withHoles(realBytes, pieces, source, seen.name);
  return { ...seen, sizeBytes: realBytes, holeBytes: realBytes - held, link: null, storedBytes, body };
}

async function* withHoles(realBytes: number, pieces: readonly Piece[], source: ByteSource, name: string) {
  let at = 0;
  for (const { offset, bytes } of [...pieces, { offset: realBytes, bytes: 0 }]) {
    for (; at < offset; at += Math.min(ZEROS.length, offset - at)) yield ZEROS.subarray(0, offset - at);
    yield* source.through(bytes, name);
    at += bytes;
  }
}
