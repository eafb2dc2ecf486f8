import type { ExpectedDump } from '../../facts/file-stat.ts';
import type { PgSize } from '../../facts/pg-size.ts';

/** What an empty database of the server itself takes, catalogs and all. */
const EMPTY_BYTES = 8_000_000;

export interface Expected {
  readonly least: number;
  readonly likely: number;
}

/**
 * How big a dump of a database may be, from what its tables take. Many small tables are mostly air: of an engine database
 * without history the dump is a tenth of them, packed, and a fifth, unpacked. What is packed already stays as it is.
 */
export function dumpExpected({ bytes, tableBytes }: PgSize, compress: number): Expected {
  const rows = tableBytes ?? bytes;
  return compress === 0 ? { least: rows / 10, likely: rows * 1.25 } : { least: rows / 50, likely: rows * 0.7 };
}

/**
 * What a database takes when it is restored: tables and indexes are written anew, without the room freed in them, so that it
 * may be far smaller than it was; sorting for an index takes some more for a while.
 */
export function restoredExpected({ bytes, tableBytes, indexBytes }: PgSize): Expected {
  const own = tableBytes === null || indexBytes === null ? bytes : tableBytes + indexBytes;
  return { least: own / 4, likely: Math.ceil(own + own / 10) + EMPTY_BYTES };
}

/** The same from the size of a dump that is there; how well one in custom format is packed nobody knows. */
export function restoredFromFile(sizeBytes: number, format: 'custom' | 'plain'): Expected {
  if (format === 'plain') return { least: sizeBytes / 4, likely: sizeBytes * 2 + EMPTY_BYTES };
  return { least: sizeBytes / 2, likely: sizeBytes * 6 + EMPTY_BYTES };
}

/** The write-ahead log of a restore in one transaction: all of it is written once, and files are used again after a checkpoint. */
export function walExpected(restored: Expected, maxWalBytes: number): Expected {
  return { least: 0, likely: Math.min(restored.likely, maxWalBytes) };
}

/** The archive format of a pg_dump, of which pg_restore must know at least the same: it changes with some major versions only. */
function archiveFormat(client: number): number {
  if (client >= 17) return 16;
  if (client >= 16) return 15;
  return client >= 12 ? 14 : 13;
}

/** Whether the pg_restore of a version can read what the pg_dump of another wrote. */
export function canRead(reader: number, writer: number): boolean {
  return archiveFormat(reader) >= archiveFormat(writer);
}

/** What is known of a dump that an earlier step is going to make. */
export function expectedDump(
  size: PgSize,
  compress: number,
  more: Pick<ExpectedDump, 'server' | 'client' | 'grantees' | 'format'>,
): ExpectedDump {
  return { ...dumpExpected(size, compress), restored: restoredExpected(size), ...more };
}
