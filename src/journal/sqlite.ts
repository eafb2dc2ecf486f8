import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { isoTime } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Journal, JournalRecord, NewRecord, RunSummary } from './journal.ts';
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
    type TEXT NOT NULL, step TEXT, host TEXT, body TEXT NOT NULL, PRIMARY KEY (run, seq)) STRICT, WITHOUT ROWID;
`;

// SQLite's own number for a lock that another process holds.
const SQLITE_BUSY = 5;

/**
 * Opens the journal in a state folder, made when absent (0700, files 0600). Every append is on disk when it returns:
 * WAL with synchronous=FULL.
 * @throws STATE_DIR_UNUSABLE, STATE_DIR_UNSAFE
 */
export function openSqliteJournal(stateDir: string): Journal {
  const locks = new Map<string, DatabaseSync>();
  const database = openDatabase(stateDir);
  const insert = database.prepare(
    `INSERT INTO records (run, seq, at, epoch, type, step, host, body)
     SELECT :run, coalesce(max(seq), 0) + 1, :at, :epoch, :type, :step, :host, :body FROM records WHERE run = :run RETURNING seq`,
  );

  const lockFile = (run: string): string => join(stateDir, 'locks', `${run}.lock`);
  /** The lock is an open transaction on a file of its own: the kernel lets go of it when this process dies, however it dies. */
  const lock = (run: string): void => {
    if (locks.has(run)) return;
    let handle: DatabaseSync | undefined;
    try {
      mkdirSync(join(stateDir, 'locks'), { recursive: true, mode: 0o700 });
      secureNewFile(lockFile(run));
      // Long enough for a look by `isOpen`, which holds it for an instant.
      handle = new DatabaseSync(lockFile(run), { timeout: 200 });
      handle.exec('BEGIN EXCLUSIVE');
    } catch (cause) {
      handle?.close();
      if (isFerryError(cause)) throw cause;
      if (isBusy(cause)) throw new FerryError('RUN_BUSY', { run }, { cause });
      throw unusable(stateDir, `locks/${run}.lock: ${wordsOf(cause)}`, cause);
    }
    locks.set(run, handle);
  };

  const append = (run: string, { type, epoch, step, host, body }: NewRecord): JournalRecord => {
    const at = isoTime();
    try {
      const row = insert.get({
        ...{ run, at, epoch, type, step: step ?? null, host: host ?? null },
        body: JSON.stringify(body ?? {}),
      });
      return { seq: Number(row?.seq), at, epoch, type, step: step ?? null, host: host ?? null, body: body ?? {} };
    } catch (cause) {
      throw new FerryError('JOURNAL_UNWRITABLE', { dir: stateDir, why: wordsOf(cause) }, { cause });
    }
  };

  return {
    create(run, runbook, first) {
      lock(run);
      database.exec('BEGIN IMMEDIATE');
      try {
        database.prepare('INSERT INTO runs (run, runbook, started_at) VALUES (?, ?, ?)').run(run, runbook, isoTime());
        const record = append(run, first);
        database.exec('COMMIT');
        return record;
      } catch (thrown) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw thrown;
      }
    },
    open(run) {
      if (!database.prepare('SELECT 1 FROM runs WHERE run = ?').get(run)) throw new FerryError('RUN_UNKNOWN', { run });
      lock(run);
    },
    isOpen(run) {
      if (locks.has(run)) return true;
      if (!existsSync(lockFile(run))) return false;
      let handle: DatabaseSync | undefined;
      try {
        handle = new DatabaseSync(lockFile(run), { timeout: 0 });
        handle.exec('BEGIN EXCLUSIVE; ROLLBACK');
        return false;
      } catch (cause) {
        if (isBusy(cause)) return true;
        throw unusable(stateDir, `locks/${run}.lock: ${wordsOf(cause)}`, cause);
      } finally {
        handle?.close();
      }
    },
    append,
    read(run) {
      const rows = database
        .prepare('SELECT seq, at, epoch, type, step, host, body FROM records WHERE run = ? ORDER BY seq')
        .all(run);
      return rows.map(
        (row): JournalRecord => ({
          seq: Number(row.seq),
          at: String(row.at),
          epoch: Number(row.epoch),
          type: String(row.type),
          step: row.step === null ? null : String(row.step),
          host: row.host === null ? null : String(row.host),
          body: JSON.parse(String(row.body)) as { [name: string]: Json },
        }),
      );
    },
    runs() {
      const rows = database
        .prepare(
          `SELECT r.run, r.runbook, r.started_at, l.at, l.type,
             (SELECT type FROM records WHERE run = r.run AND (type GLOB 'run.*' OR type GLOB 'rollback.*') ORDER BY seq DESC LIMIT 1) AS stands
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
        }),
      );
    },
    close() {
      for (const handle of locks.values()) handle.close();
      locks.clear();
      database.close();
    },
  };
}

function isBusy(thrown: unknown): boolean {
  return (thrown as { errcode?: number }).errcode === SQLITE_BUSY;
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function unusable(dir: string, why: string, cause?: unknown): FerryError<'STATE_DIR_UNUSABLE'> {
  return new FerryError('STATE_DIR_UNUSABLE', { dir, why }, { cause });
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
    return database;
  } catch (cause) {
    throw unusable(stateDir, wordsOf(cause), cause);
  }
}
