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
  /** Whether some process holds the lock of the run. */
  isOpen(run: string): boolean;
  /** Adds a record and returns when it is on disk. */
  append(run: string, record: NewRecord): JournalRecord;
  read(run: string): JournalRecord[];
  /** Newest first. */
  runs(): RunSummary[];
  close(): void;
}
