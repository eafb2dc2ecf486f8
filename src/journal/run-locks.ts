import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { isoTime } from '../lib/clock.ts';
import type { Holder } from './journal.ts';
import { secureNewFile } from './state-folder.ts';

// SQLite's own number for a lock that another process holds.
const SQLITE_BUSY = 5;

/**
 * The locks of runs in a state folder: one process works on a run. Each epoch has a lock of its own, so that a takeover needs
 * nothing of a controller that hangs and still holds the one before.
 */
export class RunLocks {
  readonly #folder: string;
  readonly #stateDir: string;
  readonly #held = new Map<string, DatabaseSync>();

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#folder = join(stateDir, 'locks');
  }

  /**
   * The lock is an open transaction on a file of its own: the kernel lets go of it when this process dies, however it dies.
   * @throws RUN_BUSY, STATE_DIR_UNUSABLE, STATE_DIR_UNSAFE
   */
  take(run: string, epoch: number): void {
    if (this.#held.has(run)) return;
    const file = this.#file(run, epoch);
    let handle: DatabaseSync | undefined;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      secureNewFile(file);
      // Long enough for a look by `isTaken`, which holds it for an instant.
      handle = new DatabaseSync(file, { timeout: 200 });
      handle.exec('BEGIN EXCLUSIVE');
      writeFileSync(`${file}.pid`, `${process.pid} ${isoTime()}\n`, { mode: 0o600 });
    } catch (cause) {
      handle?.close();
      if (isFerryError(cause)) throw cause;
      if (!isBusy(cause)) throw this.#unusable(run, cause);
      const { pid = 0, since = '' } = this.holderOf(run, epoch) ?? {};
      throw new FerryError('RUN_BUSY', { run, pid, since }, { cause });
    }
    this.#held.set(run, handle);
  }

  isTaken(run: string, epoch: number): boolean {
    if (this.#held.has(run)) return true;
    const file = this.#file(run, epoch);
    if (!existsSync(file)) return false;
    let handle: DatabaseSync | undefined;
    try {
      handle = new DatabaseSync(file, { timeout: 0 });
      handle.exec('BEGIN EXCLUSIVE; ROLLBACK');
      return false;
    } catch (cause) {
      if (isBusy(cause)) return true;
      throw this.#unusable(run, cause);
    } finally {
      handle?.close();
    }
  }

  /** What the process that took it last left beside it; null when nobody has it now. */
  holderOf(run: string, epoch: number): Holder | null {
    const file = `${this.#file(run, epoch)}.pid`;
    if (!existsSync(file) || !this.isTaken(run, epoch)) return null;
    const [pid, since = ''] = readFileSync(file, 'utf8').trim().split(' ');
    return { pid: Number(pid), since };
  }

  release(run: string): void {
    this.#held.get(run)?.close();
    this.#held.delete(run);
  }

  releaseAll(): void {
    for (const run of [...this.#held.keys()]) this.release(run);
  }

  /** The first epoch's name is the one that older releases know. */
  #file(run: string, epoch: number): string {
    return join(this.#folder, epoch === 1 ? `${run}.lock` : `${run}.${epoch}.lock`);
  }

  #unusable(run: string, cause: unknown): FerryError<'STATE_DIR_UNUSABLE'> {
    const words = cause instanceof Error ? cause.message : String(cause);
    return new FerryError('STATE_DIR_UNUSABLE', { dir: this.#stateDir, why: `locks/${run}.lock: ${words}` }, { cause });
  }
}

function isBusy(thrown: unknown): boolean {
  return (thrown as { errcode?: number }).errcode === SQLITE_BUSY;
}
