import type { ArchiveFault } from './archive-fault.ts';
import type { Compressor } from './decompress.ts';
import type { ProbedDump } from './dump-probe.ts';
import type { TarType } from './tar-reader.ts';

/** A member of the archive as it went by; names are without `./`. */
export interface SeenMember {
  readonly name: string;
  readonly type: TarType;
  readonly sizeBytes: number;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly link: string | null;
  /** Of the content; null for what has none. */
  readonly sha256: string | null;
  readonly md5: string | null;
}

/** A dump that was read to its end. */
export interface SeenDump extends ProbedDump {
  readonly member: string;
  readonly compressor: Compressor;
  /** Why it is not whole, or why that could not be found out. */
  readonly fault: ArchiveFault | null;
}

/** The product's files, an archive inside the archive. */
export interface SeenFiles {
  readonly compressor: Compressor;
  readonly members: number;
  /** Of the files in it. */
  readonly sizeBytes: number;
  /** Members that may not be unpacked over a machine, the first few, and how many there are. */
  readonly unsafe: Few<{ readonly name: string; readonly why: string }>;
  /** Members outside the places engine-backup saves, likewise. */
  readonly foreign: Few<string>;
  /** What engine-setup has on record there as set up: `OVESETUP_DWH_CORE/enable`. */
  readonly enabled: readonly string[];
  readonly fault: ArchiveFault | null;
}

export interface Few<T> {
  readonly first: readonly T[];
  readonly count: number;
}

/** All that was seen of an archive in one pass; what it means is judged from this alone. */
export interface SeenBackup {
  readonly compressor: Compressor;
  readonly members: readonly SeenMember[];
  /** The texts of small members by name: `config`, `version`, `os_version`, the lists of hashes. */
  readonly texts: ReadonlyMap<string, string>;
  readonly dumps: readonly SeenDump[];
  readonly files: SeenFiles | null;
  /** Why it could not be read to its end. */
  readonly fault: ArchiveFault | null;
}
