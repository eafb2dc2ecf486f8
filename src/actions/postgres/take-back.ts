import { FerryError } from '../../errors/ferry-error.ts';
import type { Observed } from '../../facts/fact.ts';
import { describeContents, isEmpty, type PgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import type { KeptOnPurpose } from '../action.ts';

/** What is known of a database that is to go back, undefined where it is not there or cannot be looked into. */
export interface Found {
  readonly database: PgDatabase | undefined;
  readonly inside: PgContents | undefined;
  /** Names under which earlier rollbacks of the run have kept what was written. */
  readonly taken: readonly string[];
}

/** The database a decision is about. */
interface About {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly run: string;
  /** Whether writers have run on it: what is in it is then kept. */
  readonly keep: boolean;
}

export interface Decision {
  readonly act: 'drop' | 'rename' | null;
  readonly kept: readonly KeptOnPurpose[];
}

const NAMES = 4;

/** Under this name a step that fills a database keeps what tells later whether somebody has written into it. */
export const IMPRINT = 'imprint';

/** The names under which a run keeps a database, one for each time it goes back over what was written. */
export function keptNames(database: string, run: string): string[] {
  return Array.from({ length: NAMES }, (_, index) => keptName(database, `_ferry_${run}${index === 0 ? '' : `_${index + 1}`}`));
}

// The new name may not be longer than PostgreSQL allows, and cutting must not split a character.
function keptName(database: string, tail: string): string {
  let head = database;
  while (Buffer.byteLength(head + tail) > 63) head = [...head].slice(0, -1).join('');
  return `${head}${tail}`;
}

/** The name a database is to be kept under: a free one; the last one given where it is renamed already. */
export function keptAs(found: Pick<Found, 'database' | 'taken'>, database: string, run: string): string {
  const names = keptNames(database, run);
  const name = found.database ? names.find((one) => !found.taken.includes(one)) : (found.taken.at(-1) ?? names[0]);
  if (name === undefined)
    throw new FerryError('INTERNAL', { what: `run ${run} has kept ${database} ${NAMES} times; drop or rename one` });
  return name;
}

/** What was observed, for a decision; `renamed` in the order of `keptNames`. */
export function foundOf(
  database: PgDatabase | undefined,
  contents: Observed<unknown> | undefined,
  names: readonly string[],
  renamed: readonly (Observed<unknown> | undefined)[],
): Found {
  return {
    database,
    inside: contents?.state === 'value' ? (contents.value as PgContents) : undefined,
    taken: names.filter((_, index) => renamed[index]?.state === 'value'),
  };
}

/**
 * Whether a database may be dropped: it is empty, or closed by a drop that was cut off. One nobody could look into may not, nor one
 * that a renaming has closed, which leaves no connection to it.
 */
function isDroppable({ database, inside }: Found): boolean {
  if (inside !== undefined) return isEmpty(inside);
  return database?.allowConnections === false && database.connectionLimit !== 0;
}

/**
 * What becomes of a database the run has made: it is dropped when it is empty, as its own restore, taken back before, has left
 * it; else renamed and closed, for what is in it is not this run's to throw away. One that does not bear the run's mark and
 * holds something is somebody else's, and stays.
 */
export function decideTakeBack(found: Found, about: About & { readonly mark: string }): Decision {
  const { database, inside, taken } = found;
  const { host, port, name } = about;
  const isOurs = database?.comment === about.mark || (inside !== undefined && isEmpty(inside));
  if (database && !isOurs) {
    const what = `database ${name} does not come from this run and is kept${inside ? `: ${describeContents(inside)}` : ''}`;
    return { act: null, kept: [{ host, key: pgDatabase.key(port, name), what }] };
  }
  if (!database && taken.length === 0) return { act: null, kept: [] };
  if (!about.keep) return database && isDroppable(found) ? { act: 'drop', kept: [] } : renamed(found, about, FOREIGN);
  // A restore into it was taken back before: what was written is under the other name already, and this one is new and empty.
  const isFollowUp = database && taken.length > 0 && inside !== undefined && isEmpty(inside);
  if (isFollowUp) return { act: 'drop', kept: [keptOnPurpose(about, taken.at(-1) ?? name, WRITTEN)] };
  return renamed(found, about, WRITTEN);
}

/**
 * What makes a database as empty as it was: nothing if it is, else it is dropped, or, with `keep`, renamed and closed. So it is
 * where `isOwn` does not say that all in it comes from the run.
 */
export function decideEmpty(found: Found, about: About & { readonly isOwn: boolean }): Decision {
  const { database, inside, taken } = found;
  const mustGo = database !== undefined && (inside === undefined || !isEmpty(inside));
  if (!mustGo) {
    const before = taken.at(-1);
    return { act: null, kept: before === undefined ? [] : [keptOnPurpose(about, before, about.keep ? WRITTEN : UNPROVEN)] };
  }
  if (about.keep) return renamed(found, about, WRITTEN);
  return isDroppable(found) || (inside !== undefined && about.isOwn)
    ? { act: 'drop', kept: [] }
    : renamed(found, about, UNPROVEN);
}

const FOREIGN = 'what this run has not put there';
const UNPROVEN = 'what may not come from this run';
const WRITTEN = 'what was written after the write line';

function renamed(found: Found, about: About, holds: string): Decision {
  return { act: 'rename', kept: [keptOnPurpose(about, keptAs(found, about.name, about.run), holds)] };
}

function keptOnPurpose({ host, port, name }: About, kept: string, holds: string): KeptOnPurpose {
  const what = `database ${name} holds ${holds}; it is kept as ${kept}, closed to all but superusers`;
  return { host, key: pgDatabase.key(port, kept), what };
}
