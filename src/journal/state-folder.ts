import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
// What SQLite puts beside a database, and who may read the one may read the others.
const BESIDE = ['', '-wal', '-shm', '-journal'];

/**
 * Makes the state folder when it is absent, and says no to one in which somebody else could have put something: a link, what
 * belongs to another user, what others may write. What others may merely read is closed to them. After it nobody else can reach
 * a file in there, so what is true of it stays true.
 * @throws STATE_DIR_UNUSABLE, STATE_DIR_UNSAFE
 */
export function secureStateFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    // A link that leads nowhere is told as what it is.
    if (lookAt(dir)?.isSymbolicLink()) refuseUnsafe(dir);
    throw new FerryError('STATE_DIR_UNUSABLE', { dir, why: wordsOf(cause) }, { cause });
  }
  const names = refuseUnsafe(dir)?.isDirectory() ? readdirSync(dir) : [];
  // Somebody's home folder is not Ferry's to close.
  const isOwn = names.length === 0 || names.includes('journal.db') || names.includes('hash.key');
  if (isOpen(dir)) {
    if (!isOwn) throw unsafe(dir, 'it holds what is not of Ferry, and others may read it', `mkdir -m 700 ${join(dir, 'ferry')}`);
    chmodSync(dir, 0o700);
  }
  refuseMovable(dir);
  for (const name of ['journal.db', 'hash.key']) secureFile(join(dir, name));
  if (refuseUnsafe(join(dir, 'locks')) && isOpen(join(dir, 'locks'))) chmodSync(join(dir, 'locks'), 0o700);
}

/** Makes a file of the state folder, 0600 from its first moment, or checks the one that is there with what SQLite puts beside it. */
export function secureNewFile(path: string): void {
  secureFile(path);
  try {
    closeSync(openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
}

function secureFile(path: string): void {
  for (const end of BESIDE) if (refuseUnsafe(path + end) && isOpen(path + end)) chmodSync(path + end, 0o600);
}

/** What is there, null when nothing is. @throws STATE_DIR_UNSAFE */
function refuseUnsafe(path: string): Stats | null {
  const found = lookAt(path);
  if (!found) return null;
  if (found.isSymbolicLink()) throw unsafe(path, 'it is a symbolic link', `ls -l ${path}`);
  if (found.uid !== process.geteuid?.()) throw unsafe(path, `it belongs to the user with number ${found.uid}`, `ls -ld ${path}`);
  if ((found.mode & 0o022) !== 0)
    throw unsafe(path, 'others may write there', `ls -la ${path}   and when all of it is yours:  chmod go-rwx ${path}`);
  return found;
}

/** A folder that everybody may write, and that does not keep them from each other's files, holds what anybody may exchange. */
function refuseMovable(dir: string): void {
  for (let above = dirname(dir), below = dir; above !== below; below = above, above = dirname(above)) {
    const { mode } = lstatSync(above);
    if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0)
      throw unsafe(above, 'everybody may exchange what is in it', `ls -ld ${above}`);
  }
}

function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isOpen(path: string): boolean {
  return ((lookAt(path)?.mode ?? 0) & 0o077) !== 0;
}

function unsafe(path: string, why: string, look: string): FerryError<'STATE_DIR_UNSAFE'> {
  return new FerryError('STATE_DIR_UNSAFE', { path, why, look });
}

function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
