import type { Observed } from '../../facts/fact.ts';
import { describeContents, isEmpty, type PgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import type { KeptOnPurpose } from '../action.ts';

/** What is known of a database that is to go back, undefined where it is not there or cannot be looked into. */
export interface Found {
  readonly database: PgDatabase | undefined;
  readonly inside: PgContents | undefined;
  /** Whether what was written is under its other name already. */
  readonly isRenamed: boolean;
}

export interface Decision {
  readonly act: 'drop' | 'rename' | null;
  readonly kept: readonly KeptOnPurpose[];
}

// The new name may not be longer than PostgreSQL allows, and cutting must not split a character.
export function keptName(database: string, run: string): string {
  const tail = `_ferry_${run}`;
  let head = database;
  while (Buffer.byteLength(head + tail) > 63) head = [...head].slice(0, -1).join('');
  return `${head}${tail}`;
}

/** What was observed, for a decision. */
export function foundOf(
  database: PgDatabase | undefined,
  contents: Observed<unknown> | undefined,
  renamed: Observed<unknown> | undefined,
): Found {
  return {
    database,
    inside: contents?.state === 'value' ? (contents.value as PgContents) : undefined,
    isRenamed: renamed?.state === 'value',
  };
}

/**
 * What becomes of a database the run has made: it is dropped, or, with `keep`, renamed and closed. One that does not bear the
 * run's mark and holds something is somebody else's, and stays.
 */
export function decideTakeBack(
  { database, inside, isRenamed }: Found,
  about: {
    readonly host: string;
    readonly port: number;
    readonly name: string;
    readonly run: string;
    readonly mark: string;
    readonly keep: boolean;
  },
): Decision {
  const { host, port, name } = about;
  const isOurs = database?.comment === about.mark || (inside !== undefined && isEmpty(inside));
  if (database && !isOurs) {
    const what = `database ${name} does not come from this run and is kept${inside ? `: ${describeContents(inside)}` : ''}`;
    return { act: null, kept: [{ host, key: pgDatabase.key(port, name), what }] };
  }
  if (!about.keep) return { act: database ? 'drop' : null, kept: [] };
  if (!database && !isRenamed) return { act: null, kept: [] };
  // A restore into it was taken back before: what was written is under the other name already, and this one is new and empty.
  const isFollowUp = database && isRenamed && inside !== undefined && isEmpty(inside);
  return { act: isFollowUp ? 'drop' : 'rename', kept: [keptOnPurpose(host, port, name, about.run)] };
}

/** What makes a database as empty as it was: nothing if it is, else it is dropped, or, with `keep`, renamed and closed. */
export function decideEmpty(
  { database, inside, isRenamed }: Found,
  about: { readonly host: string; readonly port: number; readonly name: string; readonly run: string; readonly keep: boolean },
): Decision {
  // A drop that failed half-way has left the database closed: then nobody can look inside, and it is dropped again.
  const mustGo = database !== undefined && (inside === undefined || !isEmpty(inside));
  return {
    act: mustGo ? (about.keep ? 'rename' : 'drop') : null,
    kept: about.keep && (mustGo || isRenamed) ? [keptOnPurpose(about.host, about.port, about.name, about.run)] : [],
  };
}

function keptOnPurpose(host: string, port: number, name: string, run: string): KeptOnPurpose {
  const kept = keptName(name, run);
  const what = `database ${name} holds what was written after the write line; it is kept as ${kept}, closed to all but superusers`;
  return { host, key: pgDatabase.key(port, kept), what };
}
