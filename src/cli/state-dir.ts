import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { Secret } from '../hosts/secret.ts';
import type { Journal } from '../journal/journal.ts';
import type { SecretHashes } from '../journal/secret-hash.ts';
import { openSqliteJournal } from '../journal/sqlite.ts';
import type { CommonOptions } from './contract.ts';
import type { InputValues } from './inputs.ts';
import { stateDirOf } from './places.ts';
import { readSecret } from './secrets.ts';

/** Where each secret came from, and a keyed hash to know it again. */
export type SecretRecord = { readonly [name: string]: { readonly source: string; readonly hash: string } };

/** Opens the journal for a piece of work and closes it after. Only what begins a record of its own makes the folder: `create`. */
export async function withJournal<T>(
  options: CommonOptions,
  work: (journal: Journal, stateDir: string) => Promise<T>,
  { create = false } = {},
): Promise<T> {
  const stateDir = stateDirOf(options.stateDir);
  const journal = openSqliteJournal(stateDir, { create });
  try {
    return await work(journal, stateDir);
  } catch (thrown) {
    throw namingFolder(thrown, stateDir);
  } finally {
    journal.close();
  }
}

/** The same for work that waits for nothing. */
export function readJournal<T>(options: CommonOptions, work: (journal: Journal) => T): T {
  const stateDir = stateDirOf(options.stateDir);
  const journal = openSqliteJournal(stateDir, { create: false });
  try {
    return work(journal);
  } catch (thrown) {
    throw namingFolder(thrown, stateDir);
  } finally {
    journal.close();
  }
}

/** Where a run is not known, which folder does not know it: it may be the wrong one. */
function namingFolder(thrown: unknown, dir: string): unknown {
  return isFerryError(thrown, 'RUN_UNKNOWN') ? new FerryError('RUN_UNKNOWN', { run: thrown.args.run, dir }) : thrown;
}

/** The secret inputs in the form that may be written down. */
export function recordSecrets(inputs: InputValues, hashes: () => SecretHashes): SecretRecord {
  return Object.fromEntries(
    [...inputs].flatMap(([name, value]) =>
      value instanceof Secret ? [[name, { source: value.source, hash: hashes().hash(value.reveal()) }]] : [],
    ),
  );
}

/**
 * Makes sure that secrets are those on record. Answers with the names of those whose hash was made with a key that is lost.
 * @throws SECRET_CHANGED when one is not
 */
export function refuseOtherSecrets(
  secrets: SecretRecord,
  inputs: InputValues,
  hashes: () => SecretHashes,
  told: { readonly since: string; readonly command: string },
): string[] {
  const unknown: string[] = [];
  for (const [name, { source, hash }] of Object.entries(secrets)) {
    const value = inputs.get(name);
    if (!(value instanceof Secret)) continue;
    if (!hashes().canCompare(hash)) unknown.push(name);
    else if (!hashes().matches(value.reveal(), hash))
      throw new FerryError('SECRET_CHANGED', { name, source, ...told }, { left: 'Nothing was changed.' });
  }
  return unknown;
}

/**
 * The secrets of a run that can be had without asking anybody, to be kept out of what is shown and written: a rollback needs
 * none, and goes on without those that are gone.
 */
export async function secretsAtHand(secrets: SecretRecord, hashes: () => SecretHashes): Promise<InputValues> {
  const known = new Map<string, Secret>();
  for (const [name, { source, hash }] of Object.entries(secrets)) {
    if (!/^(env|file):/.test(source)) continue;
    const value = await readSecret(name, source, process.env).catch(() => null);
    if (value !== null && mayBe(value, hash, hashes)) known.set(name, new Secret(value, source));
  }
  return known;
}

/** Whether a value may be the secret: one that cannot be compared is better kept out of what is shown, for it may be the one. */
function mayBe(value: string, hash: string, hashes: () => SecretHashes): boolean {
  try {
    return !hashes().canCompare(hash) || hashes().matches(value, hash);
  } catch (thrown) {
    if (isFerryError(thrown, 'HASH_KEY_BROKEN')) return true;
    throw thrown;
  }
}
