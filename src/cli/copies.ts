import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { type ChainFault, parseLines } from '../journal/chain.ts';
import type { JournalRecord } from '../journal/journal.ts';

/** What one host has of a run's records. */
export interface Copy {
  readonly host: string;
  /** As far as they are a chain; null when there is no copy. */
  readonly records: readonly JournalRecord[] | null;
  readonly fault: ChainFault | null;
}

/** A host that could not be asked, and why in a sentence. */
export interface Silence {
  readonly host: string;
  readonly why: string;
}

/** Whether a host could not be reached. */
const isUnreachable = (error: FerryError): boolean => isFerryError(error, 'HOST_UNREACHABLE');

/** Whether a host could not be worked on, for whatever reason but that the run is another's by now: others must hear of it all the same. */
export const isAway = (error: FerryError): boolean => !['EPOCH_STALE', 'RUN_SHUT_OUT'].includes(error.code);

/**
 * Does something on each host that can be reached, and names those that cannot be or are not in the inventory. What else goes wrong
 * on one is thrown when all have ended.
 */
export async function onEach<T>(
  hosts: readonly string[],
  inventory: Inventory,
  work: (host: string) => Promise<T>,
  isSilence: (error: FerryError) => boolean = isUnreachable,
): Promise<{ done: T[]; silent: Silence[] }> {
  const done: T[] = [];
  const silent: Silence[] = [];
  const ends = await Promise.allSettled(
    hosts.map(async (host) => {
      if (!inventory.hosts.has(host)) return void silent.push({ host, why: `${host} is not in ${inventory.file}.` });
      try {
        done.push(await work(host));
      } catch (thrown) {
        if (!isFerryError(thrown) || !isSilence(thrown)) throw thrown;
        silent.push({ host, why: thrown.message });
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  const order = (one: { host: string }) => hosts.indexOf(one.host);
  return { done, silent: silent.sort((a, b) => order(a) - order(b)) };
}

/** Reads what a host has of a run. */
export async function readCopy(fleet: Fleet, host: string, run: string): Promise<Copy> {
  const text = await fleet.journalCopy(host, run);
  return { host, ...(text === null ? { records: null, fault: null } : parseLines(run, text)) };
}

/** The first record in which two chains differ, as a number; null when one begins with the other. */
export function firstDifference(one: readonly JournalRecord[], other: readonly JournalRecord[]): number | null {
  const index = one.slice(0, other.length).findIndex((record, at) => {
    const theirs = other[at];
    return record.hash !== theirs?.hash || record.at !== theirs.at || record.type !== theirs.type;
  });
  return index < 0 ? null : index + 1;
}

/**
 * The longest of several copies, of which all others must be a beginning.
 * @throws COPIES_DIFFER
 */
export function longestOf(run: string, copies: readonly Copy[]): Copy & { readonly records: readonly JournalRecord[] } {
  const full = copies.flatMap((copy) => (copy.records ? [{ ...copy, records: copy.records }] : []));
  const [longest, ...others] = full.sort((a, b) => b.records.length - a.records.length);
  if (!longest) throw new FerryError('INTERNAL', { what: `no host has records of ${run}` });
  for (const { host, records } of others) {
    const seq = firstDifference(longest.records, records);
    if (seq !== null)
      throw new FerryError('COPIES_DIFFER', { run, one: longest.host, other: host, seq }, { left: 'Nothing was changed.' });
  }
  return longest;
}
