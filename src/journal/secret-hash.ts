import { createHash, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FerryError } from '../errors/ferry-error.ts';
import { secureStateFolder } from './state-folder.ts';

const KEY_BYTES = 32;

/**
 * Makes hashes that tell whether a secret is the same one as before, and little else: keyed with a key of the state
 * folder (0600, made when absent), and slow on purpose.
 */
export class SecretHashes {
  readonly #key: Buffer;

  /** @throws STATE_DIR_UNUSABLE when the key cannot be read or made, or is none; STATE_DIR_UNSAFE */
  constructor(stateDir: string) {
    const unusable = (why: string, cause?: unknown) => new FerryError('STATE_DIR_UNUSABLE', { dir: stateDir, why }, { cause });
    const file = join(stateDir, 'hash.key');
    secureStateFolder(stateDir);
    try {
      try {
        writeFileSync(file, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' });
      } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
      }
      this.#key = readFileSync(file);
    } catch (thrown) {
      throw unusable((thrown as Error).message, thrown);
    }
    // Another key than the one its runs began with would call every right secret a wrong one.
    if (this.#key.length !== KEY_BYTES)
      throw unusable(`hash.key, by which it knows secrets again, has ${this.#key.length} bytes and should have ${KEY_BYTES}`);
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
