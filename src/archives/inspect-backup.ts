import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { ArchiveFault } from './archive-fault.ts';
import { DATABASES, type HashList } from './backup-layout.ts';
import type { Compressor } from './decompress.ts';
import type { DumpFormat } from './dump-probe.ts';
import { judgeBackup } from './judge-backup.ts';
import { lookAtBackup } from './look-at-backup.ts';
import type { SeenBackup } from './seen-backup.ts';
import type { TarType } from './tar-reader.ts';

/** Whether something was read to its end. */
export type Proof = 'whole' | 'damaged' | 'unproven';

/** What is known of an archive of engine-backup after it was read once; JSON. */
export interface BackupReport {
  readonly file: string;
  readonly sizeBytes: number;
  readonly compressor: Compressor;
  /** Of the package that made it, and the system it was made on: `4.5.7`, `centos9`. Null where the archive does not say. */
  readonly version: string | null;
  readonly osVersion: string | null;
  readonly hashList: HashList | null;
  readonly members: readonly {
    readonly name: string;
    readonly type: TarType;
    readonly sizeBytes: number;
    readonly mode: string;
    readonly owner: string;
    readonly hash: 'right' | 'wrong' | 'unlisted' | null;
  }[];
  readonly dumps: readonly {
    readonly scope: string;
    readonly member: string;
    readonly title: string;
    readonly format: DumpFormat;
    readonly compressor: Compressor;
    readonly sizeBytes: number;
    readonly server: string | null;
    readonly client: string | null;
    readonly database: string | null;
    readonly proof: Proof;
  }[];
  readonly files: {
    readonly compressor: Compressor;
    readonly members: number;
    readonly sizeBytes: number;
    readonly enabled: readonly string[];
    readonly proof: Proof;
  } | null;
  readonly findings: readonly Diagnostic[];
  /** Damaged when a finding is an error; unproven when something could not be looked at. */
  readonly verdict: 'whole' | 'unproven' | 'damaged';
}

/**
 * Reads an archive of engine-backup and says what is in it and whether it is whole, every dump and the files too. Constant memory;
 * nothing is unpacked, and nothing in it is run.
 * @throws FILE_UNREADABLE when it cannot be opened
 */
export async function inspectBackup(
  path: string,
  options: { onProgress?(bytes: number, totalBytes: number): void; pgRestore?: string } = {},
): Promise<BackupReport> {
  const { handle, sizeBytes } = await openFile(path);
  let read = 0;
  const source = (async function* () {
    for await (const piece of createReadStream('', { fd: handle, highWaterMark: 1 << 18 }) as AsyncIterable<Uint8Array>) {
      read += piece.length;
      options.onProgress?.(read, sizeBytes);
      yield piece;
    }
  })();
  try {
    const seen = await lookAtBackup(source, options.pgRestore === undefined ? {} : { pgRestore: options.pgRestore });
    return reportOf(path, sizeBytes, seen);
  } finally {
    await handle.close().catch(() => undefined);
  }
}

/** @throws FILE_UNREADABLE */
async function openFile(path: string): Promise<{ handle: FileHandle; sizeBytes: number }> {
  try {
    const handle = await open(path, 'r');
    const stat = await handle.stat();
    if (stat.isFile()) return { handle, sizeBytes: stat.size };
    await handle.close();
    throw new FerryError('FILE_UNREADABLE', { file: path, why: 'it is no file' });
  } catch (thrown) {
    if (thrown instanceof FerryError) throw thrown;
    const { code } = thrown as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'permission denied' : String(code);
    throw new FerryError('FILE_UNREADABLE', { file: path, why }, { cause: thrown });
  }
}

/** What was seen of an archive and what it is worth, as one report. */
export function reportOf(file: string, sizeBytes: number, seen: SeenBackup): BackupReport {
  const { hashList, hashes, findings } = judgeBackup(file, seen);
  const line = (name: string) => seen.texts.get(name)?.split('\n')[0]?.trim() || null;
  const isDamaged = findings.some(({ severity }) => severity === 'error');
  const isUnproven = findings.some(({ code }) => code === 'BACKUP_DUMP_UNPROVEN');
  return {
    file,
    sizeBytes,
    compressor: seen.compressor,
    version: line('version'),
    osVersion: line('os_version'),
    hashList,
    members: seen.members.map(({ name, type, sizeBytes: size, mode, owner, group }) => ({
      ...{ name, type, sizeBytes: size, mode: mode.toString(8).padStart(4, '0'), owner: `${owner}:${group}` },
      hash: hashes.get(name) ?? null,
    })),
    dumps: seen.dumps.map(({ fault, isWhole: _, member, ...dump }) => {
      const known = DATABASES.find((one) => one.member === member);
      return { scope: known?.scope ?? '', member, title: known?.title ?? '', ...dump, proof: proofOf(fault) };
    }),
    files: seen.files && {
      ...{ compressor: seen.files.compressor, members: seen.files.members, sizeBytes: seen.files.sizeBytes },
      ...{ enabled: seen.files.enabled, proof: proofOf(seen.files.fault) },
    },
    findings,
    verdict: isDamaged ? 'damaged' : isUnproven ? 'unproven' : 'whole',
  };
}

function proofOf(fault: ArchiveFault | null): Proof {
  if (fault === null) return 'whole';
  return fault.isOurs ? 'unproven' : 'damaged';
}
