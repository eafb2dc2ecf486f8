import { readFile } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';

/** Asks for a passphrase; null when nobody can be asked or the question was taken back. */
export type AskPassphrase = (question: string) => Promise<string | null>;
export type ParseKey = (data: Buffer | string, passphrase?: string) => ParsedKey | Error;

/** A private key file as far as it can be known without its passphrase. */
export interface Identity {
  readonly file: string;
  /** Null where only the passphrase shows it: in old PEM files without a .pub beside them. */
  readonly publicKey: ParsedKey | null;
  /** The private key; null while it is locked, and for a file that holds a public key alone. */
  readonly key: ParsedKey | null;
  readonly locked: boolean;
}

const TRIES = 3;

/** The private keys in files, each read once and unlocked at most once, whoever needs it. */
export class KeyRing {
  readonly #ask: AskPassphrase | null;
  readonly #passphrase: string | null;
  readonly #read = new Map<string, Promise<Identity | Error>>();
  readonly #unlocked = new Map<string, Promise<ParsedKey | Error>>();
  #asking: Promise<unknown> = Promise.resolve();

  /** `passphrase` is tried on each locked key before anybody is asked. */
  constructor(ways: { readonly passphrase?: string | null; readonly ask?: AskPassphrase | null } = {}) {
    this.#passphrase = ways.passphrase ?? null;
    this.#ask = ways.ask ?? null;
  }

  /** Whether there is any way to unlock a key. */
  get canUnlock(): boolean {
    return this.#passphrase !== null || this.#ask !== null;
  }

  /** An error says in words why the file is of no use. */
  identity(file: string, parse: ParseKey): Promise<Identity | Error> {
    const known = this.#read.get(file) ?? readIdentity(file, parse);
    this.#read.set(file, known);
    return known;
  }

  /** The private key in a locked file. One question stands at a time; an error says in words why the key stays locked. */
  unlock(file: string, parse: ParseKey): Promise<ParsedKey | Error> {
    const known = this.#unlocked.get(file);
    if (known) return known;
    const unlocking = this.#asking.then(() => this.#unlock(file, parse));
    this.#asking = unlocking;
    this.#unlocked.set(file, unlocking);
    return unlocking;
  }

  async #unlock(file: string, parse: ParseKey): Promise<ParsedKey | Error> {
    const data = await readFile(file).catch((cause: Error) => cause);
    if (data instanceof Error) return data;
    const given = this.#passphrase === null ? null : parse(data, this.#passphrase);
    if (given && !(given instanceof Error)) return given;
    for (let tries = 1; this.#ask !== null && tries <= TRIES; tries += 1) {
      const typed = await this.#ask(`${tries > 1 ? 'That does not open it. ' : ''}Passphrase of the key ${file}`);
      if (typed === null || typed === '') return new Error('it is encrypted, and no passphrase was given');
      const key = parse(data, typed);
      if (!(key instanceof Error)) return key;
    }
    if (this.#ask !== null) return new Error(`it is encrypted, and ${TRIES} passphrases did not open it`);
    return new Error(
      given
        ? 'it is encrypted, and FERRY_KEY_PASSPHRASE does not open it'
        : 'it is encrypted, no agent holds it, and nobody can be asked for its passphrase',
    );
  }
}

async function readIdentity(file: string, parse: ParseKey): Promise<Identity | Error> {
  const data = await readFile(file).catch((cause: NodeJS.ErrnoException) => cause);
  if (data instanceof Error) return data.code === 'ENOENT' ? new Error('no such file') : data;
  const key = parse(data);
  if (!(key instanceof Error)) return { file, publicKey: key, key: key.isPrivateKey() ? key : null, locked: false };
  if (!/encrypted/i.test(key.message)) return key;
  const shown = openSshPublic(data);
  const beside = shown ? null : await readFile(`${file}.pub`).catch(() => null);
  const publicKey = shown ? parse(shown) : beside ? parse(beside) : null;
  return { file, publicKey: publicKey instanceof Error ? null : publicKey, key: null, locked: true };
}

/** The public key that an OpenSSH private key file shows in the clear, as a line of authorized_keys; null in other formats. */
function openSshPublic(data: Buffer): string | null {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(data.toString('latin1')) ?? [];
  const bytes = Buffer.from(body ?? '', 'base64');
  try {
    let offset = 'openssh-key-v1\0'.length;
    const string = () => {
      const length = bytes.readUInt32BE(offset);
      offset += 4 + length;
      return bytes.subarray(offset - length, offset);
    };
    // Cipher, key derivation, its options; then the count of keys.
    for (let skipped = 0; skipped < 3; skipped += 1) string();
    offset += 4;
    const blob = string();
    return `${blob.toString('latin1', 4, 4 + blob.readUInt32BE(0))} ${blob.toString('base64')}`;
  } catch {
    return null;
  }
}
