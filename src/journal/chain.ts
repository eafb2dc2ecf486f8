import { createHash } from 'node:crypto';
import { canonicalJson } from '../lib/json.ts';
import type { JournalRecord } from './journal.ts';

/** A record before it has its hash. */
type Unhashed = Omit<JournalRecord, 'hash'>;

/** Where a chain of records is broken. */
export interface ChainFault {
  readonly seq: number;
  readonly why: string;
}

/** The hash of a record on top of the one before it, 64 hex digits. The first of a run stands on the run's name: it is no other's. */
export function hashOf(previous: string, { seq, at, epoch, type, step, host, body }: Unhashed): string {
  return createHash('sha256')
    .update(`${previous}\n${canonicalJson({ seq, at, epoch, type, step, host, body })}`)
    .digest('hex');
}

/**
 * Looks for the first record that is not what it was when it was written; null when all are. Records of older releases have no
 * hash: nothing is compared there, and the first record that has one vouches for them too.
 */
export function verifyChain(run: string, records: readonly JournalRecord[]): ChainFault | null {
  let previous = run;
  let isChained = false;
  for (const [index, record] of records.entries()) {
    if (record.seq !== index + 1) return { seq: index + 1, why: `it is missing; the next there is ${record.seq}` };
    previous = hashOf(previous, record);
    if (record.hash === null && isChained) return { seq: record.seq, why: 'it has no hash, and the one before it has' };
    if (record.hash !== null && record.hash !== previous)
      return { seq: record.seq, why: 'its hash is not that of what it says, on top of the record before it' };
    isChained ||= record.hash !== null;
  }
  return null;
}

/** The hash a next record stands on: that of the last one, or of all of them where none was written down. */
export function headOf(run: string, records: readonly JournalRecord[]): string {
  return records.at(-1)?.hash ?? records.reduce(hashOf, run);
}

/** A record as one line of text, as hosts keep it. It begins with `{"seq":N,"hash":"HEX",`, which scripts there rely on. */
export function lineOf({ seq, hash, at, epoch, type, step, host, body }: JournalRecord): string {
  return `{"seq":${seq},"hash":${JSON.stringify(hash)},${canonicalJson({ at, epoch, type, step, host, body }).slice(1)}`;
}

/**
 * The records of a host's copy, as far as they are a chain; and where and why that ends before the copy does. What stands after
 * the last newline is a write that died, and no record.
 */
export function parseLines(run: string, text: string): { records: JournalRecord[]; fault: ChainFault | null } {
  const records: JournalRecord[] = [];
  for (const line of text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1)) {
    const record = recordIn(line);
    if (record === null) return { records, fault: { seq: records.length + 1, why: 'it is no record' } };
    records.push(record);
  }
  const fault = verifyChain(run, records);
  return { records: fault ? records.slice(0, fault.seq - 1) : records, fault };
}

function recordIn(line: string): JournalRecord | null {
  try {
    const { seq, hash, at, epoch, type, step, host, body } = JSON.parse(line) as JournalRecord;
    const isText = (value: unknown) => value === null || typeof value === 'string';
    const isRecord = typeof seq === 'number' && typeof epoch === 'number' && typeof at === 'string' && typeof type === 'string';
    const isWhole = isRecord && [hash, step, host].every(isText) && body !== null && typeof body === 'object';
    return isWhole ? { seq, hash, at, epoch, type, step, host, body } : null;
  } catch {
    return null;
  }
}
