import type { Json } from '../lib/json.ts';

/** One durable record of a run. `seq` counts from 1 without gaps. */
export interface JournalRecord {
  readonly seq: number;
  readonly at: string;
  readonly epoch: number;
  /** Dotted, past tense: `step.intended`. */
  readonly type: string;
  readonly step: string | null;
  readonly host: string | null;
  readonly body: { readonly [name: string]: Json };
  /** Over this record and the hash of the one before it (`chain.ts`); null where an older release wrote it. */
  readonly hash: string | null;
}

/** A record before it has its number and time. */
export interface NewRecord {
  readonly type: string;
  readonly epoch: number;
  readonly step?: string;
  readonly host?: string;
  readonly body?: { [name: string]: Json };
}

export interface RunSummary {
  readonly run: string;
  readonly runbook: string;
  readonly startedAt: string;
  readonly lastAt: string;
  /** The type of the last record. */
  readonly lastType: string;
  /** Type of the last record that tells how the run as a whole stands. */
  readonly stands: string;
  /** Hosts that still hold something of a run that is being cleaned. */
  readonly left?: readonly string[];
  /** How many facts the proof of its last rollback found otherwise than before; 0 where there was none. */
  readonly differing?: number;
}

/** A process that holds the lock of a run. */
export interface Holder {
  readonly pid: number;
  /** ISO time. */
  readonly since: string;
}

/** Records as hosts keep them, one line each, and the hash of the record before the first. */
export interface JournalLines {
  readonly previous: string | null;
  readonly lines: readonly string[];
}

/** The durable memory of runs. */
export interface Journal {
  /**
   * Begins a run with its first record, both or neither; its lock is held by this process until `close`.
   * @throws RUN_BUSY when another process works on it
   */
  create(run: string, runbook: string, first: NewRecord): JournalRecord;
  /** Takes the lock of an existing run. @throws RUN_BUSY, RUN_UNKNOWN */
  open(run: string): void;
  /** Lets go of the lock of a run, for others to take; `open` takes it again. */
  release(run: string): void;
  /** Whether some process holds the lock of the run, in its present epoch. */
  isOpen(run: string): boolean;
  /** Who does; null when nobody does, or it left no word. */
  holderOf(run: string): Holder | null;
  /**
   * Adds a record and returns when it is on disk. Any process may, with the lock or without.
   * @throws JOURNAL_FENCED when a record of a higher epoch is there: another controller has taken the run over
   */
  append(run: string, record: NewRecord): JournalRecord;
  /**
   * Takes a run over, whoever holds its lock: the record `run.taken-over` begins the next epoch, whose lock this process holds
   * until `close`. From then on every append of an epoch before is refused. The epoch is `least` or higher.
   * @throws RUN_UNKNOWN; RUN_BUSY when another takeover is under way
   */
  takeOver(run: string, body: { [name: string]: Json }, least?: number): JournalRecord;
  /** Writes the records of a run down as they are, after those of them that are here already: all of them, or none. */
  adopt(run: string, runbook: string, records: readonly JournalRecord[]): void;
  read(run: string): JournalRecord[];
  /** The records after one, whoever wrote them. */
  readAfter(run: string, seq: number): JournalRecord[];
  /** The same, as they are chained. */
  linesAfter(run: string, seq: number): JournalLines;
  /** Newest first. */
  runs(): RunSummary[];
  close(): void;
}
