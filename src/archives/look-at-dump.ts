import { ArchiveFault } from './archive-fault.ts';
import type { Bytes } from './byte-source.ts';
import { decompress } from './decompress.ts';
import { DumpProbe } from './dump-probe.ts';
import { type ReadThrough, readThrough } from './read-through.ts';
import type { SeenDump } from './seen-backup.ts';

/** Reads a dump to its end: whole is one that pg_restore reads through, or that ends as a finished one does. */
export async function lookAtDump(member: string, body: Bytes, pgRestore?: string): Promise<SeenDump> {
  const probe = new DumpProbe();
  let compressor: SeenDump['compressor'] = 'none';
  let reader: ReadThrough | null = null;
  let fault: ArchiveFault | null = null;
  try {
    const opened = await decompress(body);
    compressor = opened.compressor;
    for await (const piece of opened.bytes) {
      probe.take(piece);
      if (probe.isCustom) reader ??= readThrough(pgRestore);
      await reader?.take(piece);
    }
  } catch (thrown) {
    if (!(thrown instanceof ArchiveFault)) throw thrown;
    fault = thrown;
  }
  const unread = (await reader?.end()) ?? null;
  const seen = probe.result();
  fault ??= unread;
  if (fault === null && seen.isWhole === false)
    fault = new ArchiveFault('it does not end with the line that ends a finished one; pg_dump was cut off');
  if (fault === null && seen.format === 'unknown' && seen.sizeBytes > 0)
    fault = new ArchiveFault('it is neither a dump in custom format nor one in plain SQL');
  return { ...seen, member, compressor, fault };
}
