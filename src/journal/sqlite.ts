import { lstatSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { isoTime } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { hashOf, headOf, lineOf } from './chain.ts';
import type { Journal, JournalRecord, NewRecord, RunSummary } from './journal.ts';
import { RunLocks } from './run-locks.ts';
import { secureNewFile, secureStateFolder } from './state-folder.ts';

// statfs type numbers of file systems whose locks and syncs cannot be relied on.
const NETWORK_FILE_SYSTEMS = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
]);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, runbook TEXT NOT NULL, started_at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    run TEXT NOT NULL REFERENCES runs, seq INTEGER NOT NULL, at TEXT NOT NULL, epoch INTEGER NOT NULL,
    type TEXT NOT NULL, step TEXT, host TEXT, body TEXT NOT NULL, hash TEXT, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the journal in a state folder. Every append is on disk when it returns: WAL with synchronous=FULL. Where there is none it is
 * made (0700, files 0600), or with `create: false` read as an empty one that nothing can be written to: a mistyped folder is not made.
 * @throws STATE_DIR_UNUSABLE, STATE_DIR_UNSAFE
 */
export function openSqliteJournal(stateDir: string, { create = true } = {}): Journal {
  const isThere = create || !isAbsent(join(stateDir, 'journal.db'));
  const database = isThere ? openDatabase(stateDir) : openEmpty();
  const opened = isThere ? fileOf(stateDir) : null;
  const locks = new RunLocks(stateDir);
  const insert = database.prepare(
    `INSERT INTO records (run, seq, at, epoch, type, step, host, body, hash)
     VALUES (:run, :seq, :at, :epoch, :type, :step, :host, :body, :hash)`,
  );
  const last = database.prepare('SELECT seq, epoch, hash FROM records WHERE run = ? ORDER BY seq DESC LIMIT 1');
  const after = database.prepare('SELECT * FROM records WHERE run = ? AND seq > ? ORDER BY seq');

  const known = (run: string): void => {
    if (!database.prepare('SELECT 1 FROM runs WHERE run = ?').get(run)) throw new FerryError('RUN_UNKNOWN', { run });
  };
  const epochOf = (run: string): number => Number(last.get(run)?.epoch ?? 1);
  const readAfter = (run: string, seq: number): JournalRecord[] => after.all(run, seq).map(recordOf);

  /** All of it on disk, or nothing: other processes append too, and the next number and hash hang on the last. */
  const transaction = <T>(run: string, work: () => T): T => {
    if (database.isTransaction) return work();
    // What is written to a file that was removed is on disk for nobody.
    if (opened === null || fileOf(stateDir) !== opened)
      throw new FerryError('JOURNAL_UNWRITABLE', { dir: stateDir, why: 'it was removed or replaced', run });
    try {
      database.exec('BEGIN IMMEDIATE');
      const done = work();
      database.exec('COMMIT');
      return done;
    } catch (cause) {
      if (database.isTransaction) database.exec('ROLLBACK');
      if (isFerryError(cause)) throw cause;
      throw new FerryError('JOURNAL_UNWRITABLE', { dir: stateDir, why: wordsOf(cause) }, { cause });
    }
  };

  const refuseFenced = (run: string, ours: number): void => {
    const fence = readAfter(run, 0).find(({ epoch }) => epoch > ours);
    if (fence)
      throw new FerryError('JOURNAL_FENCED', { run, by: String(fence.body.by ?? ''), at: fence.at, ours, theirs: fence.epoch });
  };

  const append = (run: string, { type, epoch, step = '', host = '', body = {} }: NewRecord): JournalRecord =>
    transaction(run, () => {
      const before = last.get(run);
      if (Number(before?.epoch ?? 0) > epoch) refuseFenced(run, epoch);
      const record = {
        ...{ seq: Number(before?.seq ?? 0) + 1, at: isoTime(), epoch, type, step: step || null, host: host || null },
        // As it will be read again: what JSON leaves out is no part of the hash.
        body: JSON.parse(JSON.stringify(body)) as JournalRecord['body'],
      };
      const previous = before?.hash ?? headOf(run, before ? readAfter(run, 0) : []);
      const hash = hashOf(String(previous), record);
      insert.run({ ...record, run, hash, body: JSON.stringify(body) });
      return { ...record, hash };
    });

  return {
    create: (run, runbook, first) => {
      locks.take(run, first.epoch);
      return transaction(run, () => {
        database.prepare('INSERT INTO runs (run, runbook, started_at) VALUES (?, ?, ?)').run(run, runbook, isoTime());
        return append(run, first);
      });
    },
    open(run) {
      known(run);
      // Again when it was taken over between the look and the lock.
      for (let epoch = 0; epoch !== epochOf(run); ) {
        if (epoch > 0) locks.release(run);
        epoch = epochOf(run);
        locks.take(run, epoch);
      }
    },
    release: (run) => locks.release(run),
    isOpen: (run) => locks.isTaken(run, epochOf(run)),
    holderOf: (run) => locks.holderOf(run, epochOf(run)),
    append,
    takeOver(run, body, least = 0) {
      known(run);
      for (;;) {
        const epoch = Math.max(epochOf(run) + 1, least);
        locks.release(run);
        locks.take(run, epoch);
        const taken = transaction(run, () =>
          epochOf(run) < epoch ? append(run, { type: 'run.taken-over', epoch, body }) : undefined,
        );
        if (taken) return taken;
      }
    },
    adopt: (run, runbook, records) =>
      transaction(run, () => {
        const startedAt = records[0]?.at ?? isoTime();
        database.prepare('INSERT OR IGNORE INTO runs (run, runbook, started_at) VALUES (?, ?, ?)').run(run, runbook, startedAt);
        for (const record of records.slice(Number(last.get(run)?.seq ?? 0)))
          insert.run({ ...record, run, body: JSON.stringify(record.body) });
      }),
    read: (run) => readAfter(run, 0),
    readAfter,
    linesAfter(run, seq) {
      const records = readAfter(run, seq - 1);
      const before = seq > 0 ? records.shift() : undefined;
      return { previous: before?.hash ?? null, lines: records.map(lineOf) };
    },
    runs() {
      const rows = database
        .prepare(
          `SELECT r.run, r.runbook, r.started_at, l.at, l.type,
             (SELECT type FROM records WHERE run = r.run AND (type GLOB 'run.*' OR type GLOB 'rollback.*') ORDER BY seq DESC LIMIT 1) AS stands,
             (SELECT count(*) FROM json_each((SELECT body FROM records WHERE run = r.run AND type = 'rollback.finished' ORDER BY seq DESC LIMIT 1), '$.proof')
               WHERE json_extract(value, '$.verdict') = 'differs') AS differing
           FROM runs r
           LEFT JOIN records l ON l.run = r.run AND l.seq = (SELECT max(seq) FROM records WHERE run = r.run)
           ORDER BY r.started_at DESC, r.rowid DESC`,
        )
        .all();
      return rows.map(
        (row): RunSummary => ({
          run: String(row.run),
          runbook: String(row.runbook),
          startedAt: String(row.started_at),
          lastAt: String(row.at ?? row.started_at),
          lastType: String(row.type ?? 'run.created'),
          stands: String(row.stands ?? 'run.created'),
          differing: Number(row.differing ?? 0),
        }),
      );
    },
    close() {
      locks.releaseAll();
      database.close();
    },
  };
}

function recordOf(row: Record<string, SQLOutputValue>): JournalRecord {
  const text = (value: unknown): string | null => (value === null ? null : String(value));
  return {
    seq: Number(row.seq),
    at: String(row.at),
    epoch: Number(row.epoch),
    type: String(row.type),
    step: text(row.step),
    host: text(row.host),
    body: JSON.parse(String(row.body)) as { [name: string]: Json },
    hash: text(row.hash),
  };
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function unusable(dir: string, why: string, cause?: unknown): FerryError<'STATE_DIR_UNUSABLE'> {
  return new FerryError('STATE_DIR_UNUSABLE', { dir, why }, { cause });
}

/** Records of older releases have no hash; theirs stays null. */
function addHashes(database: DatabaseSync): void {
  const hasHash = () => database.prepare("SELECT 1 FROM pragma_table_info('records') WHERE name = 'hash'").get() !== undefined;
  if (hasHash()) return;
  database.exec('BEGIN IMMEDIATE');
  if (!hasHash()) database.exec('ALTER TABLE records ADD COLUMN hash TEXT');
  database.exec('COMMIT');
}

/** Whether there is surely nothing: what may not be looked at, or stands behind something that is no folder, is no empty journal. */
function isAbsent(file: string): boolean {
  try {
    lstatSync(file);
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Which file the journal's name stands for now; null when for none. */
function fileOf(stateDir: string): string | null {
  try {
    const { dev, ino } = statSync(join(stateDir, 'journal.db'), { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}

function openEmpty(): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  database.exec(SCHEMA);
  return database;
}

function openDatabase(stateDir: string): DatabaseSync {
  let fileSystem: string | undefined;
  secureStateFolder(stateDir);
  try {
    // statfs numbers are unsigned 32-bit; Node may hand them out signed.
    fileSystem = NETWORK_FILE_SYSTEMS.get(statfsSync(stateDir).type >>> 0);
  } catch (cause) {
    throw unusable(stateDir, wordsOf(cause), cause);
  }
  if (fileSystem) throw unusable(stateDir, `it is on ${fileSystem}, whose locks and syncs cannot be relied on`);
  const file = join(stateDir, 'journal.db');
  try {
    secureNewFile(file);
    const database = new DatabaseSync(file, { timeout: 5000 });
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
    database.exec(SCHEMA);
    addHashes(database);
    return database;
  } catch (cause) {
    throw unusable(stateDir, wordsOf(cause), cause);
  }
}
