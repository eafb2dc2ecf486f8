import { createHash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';
import { secureStateFolder } from './state-folder.ts';

const KEY_BYTES = 32;

/**
 * Makes hashes that tell whether a secret is the same one as before, and little else: keyed with a key of the state
 * folder (0600, made when absent), and slow on purpose.
 */
export class SecretHashes {
  readonly #dir: string;
  #read: Buffer | undefined;

  /** The key is read, or made, when it is first asked for. @throws STATE_DIR_UNUSABLE, STATE_DIR_UNSAFE */
  constructor(stateDir: string) {
    this.#dir = stateDir;
    secureStateFolder(stateDir);
  }

  /** Has the key at hand, for work in the midst of which it must not be missing. @throws STATE_DIR_UNUSABLE, HASH_KEY_BROKEN */
  prepare(): void {
    void this.#key;
  }

  /** @throws STATE_DIR_UNUSABLE when it cannot be read or made; HASH_KEY_BROKEN when it is none */
  get #key(): Buffer {
    if (this.#read) return this.#read;
    const file = join(this.#dir, 'hash.key');
    let found: Buffer;
    try {
      if (!existsSync(file)) makeKey(this.#dir, file);
      found = readFileSync(file);
    } catch (thrown) {
      throw new FerryError('STATE_DIR_UNUSABLE', { dir: this.#dir, why: (thrown as Error).message }, { cause: thrown });
    }
    // Another key than the one its runs began with would call every right secret a wrong one.
    if (found.length !== KEY_BYTES) throw new FerryError('HASH_KEY_BROKEN', { file, bytes: found.length, expected: KEY_BYTES });
    this.#read = found;
    return found;
  }

  /** Names the key without telling it: what was hashed with another cannot be compared. */
  get keyName(): string {
    return createHash('sha256').update('ferry hash.key').update(this.#key).digest('hex').slice(0, 16);
  }

  /** `salt:hash:key`, all hex; the key by its name. */
  hash(value: string): string {
    const salt = randomBytes(16);
    return `${salt.toString('hex')}:${this.#derive(value, salt).toString('hex')}:${this.keyName}`;
  }

  /** Whether a hash was made with this key, as far as it tells: of another's nobody can say what it is of. */
  canCompare(hashed: string): boolean {
    const [, , key = this.keyName] = hashed.split(':');
    return key === this.keyName;
  }

  matches(value: string, hashed: string): boolean {
    const [salt = '', expected = ''] = hashed.split(':');
    const made = this.#derive(value, Buffer.from(salt, 'hex'));
    const wanted = Buffer.from(expected, 'hex');
    return made.length === wanted.length && timingSafeEqual(made, wanted);
  }

  #derive(value: string, salt: Buffer): Buffer {
    return scryptSync(value, Buffer.concat([salt, this.#key]), 32, { N: 16384, r: 8, p: 1 });
  }
}

/** Makes a key that is whole on disk before it has its name; one that another process was faster with stays. */
function makeKey(dir: string, file: string): void {
  const temp = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temp, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true });
    linkSync(temp, file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  } finally {
    rmSync(temp, { force: true });
  }
  const folder = openSync(dir, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
