import { readdir, readFile } from 'node:fs/promises';
import { homedir, hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';
import { accountName } from '../lib/account.ts';

/** Where journals are: `--state-dir`, FERRY_STATE_DIR, or the XDG state folder. */
export function stateDirOf(given: string | undefined): string {
  const named = given ?? process.env.FERRY_STATE_DIR;
  if (named) return resolve(named);
  return join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'ferry');
}

/** Who works here, for leases and records: `user@machine`. */
export function holderName(): string {
  return `${accountName()}@${hostname()}`;
}

/** The home folder of the account, which is where ssh looks whatever HOME says; HOME where there is no account. */
export function accountHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return homedir();
  }
}

/** The names in a folder, those of folders with a slash behind them; none when it cannot be read. */
export async function readFolder(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`);
}

/** A file's bytes. @throws FILE_UNREADABLE with the reason in words */
export async function readInput(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EACCES'
          ? 'permission denied'
          : code === 'EISDIR'
            ? 'it is a folder'
            : message;
    throw new FerryError('FILE_UNREADABLE', { file: path, why }, { cause: thrown });
  }
}
