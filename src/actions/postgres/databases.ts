import { describeContents, isEmpty, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import type { ActingHost } from '../../hosts/host.ts';
import type { KeptOnPurpose } from '../action.ts';
import { lookForUndo } from './look-for-undo.ts';
import { DROP_DATABASE, END_SESSIONS, IF_DATABASE, settingStatements } from './sql.ts';

export interface NewDatabase {
  readonly port: number;
  readonly database: string;
  readonly owner: string;
  readonly encoding: string;
  /** Those of template0 when null. */
  readonly collate: string | null;
  readonly ctype: string | null;
}

/** Makes a database from template0. */
export async function createDatabase(on: ActingHost, wish: NewDatabase): Promise<void> {
  const { port, database: db, owner, encoding, collate, ctype } = wish;
  const locale = `${collate === null ? '' : ` LC_COLLATE :'collate'`}${ctype === null ? '' : ` LC_CTYPE :'ctype'`}`;
  const sql = `CREATE DATABASE :"db" OWNER :"owner" TEMPLATE template0 ENCODING :'encoding'${locale};`;
  await on.change('create', runSql({ port }, sql, { db, owner, encoding, collate: collate ?? '', ctype: ctype ?? '' }));
}

/** Gives a database, if it is there, an owner, settings (null resets one) and a comment; null leaves owner or comment alone. */
export async function changeDatabase(
  on: ActingHost,
  name: string,
  wish: {
    readonly port: number;
    readonly database: string;
    readonly owner: string | null;
    readonly settings: Readonly<Record<string, string | null>>;
    readonly comment: string | null;
  },
): Promise<void> {
  const { port, database: db, owner, comment } = wish;
  const { sql, variables } = settingStatements('ALTER DATABASE :"db"', wish.settings);
  const lines = [
    IF_DATABASE,
    'BEGIN;',
    owner === null ? '' : 'ALTER DATABASE :"db" OWNER TO :"owner";',
    comment === null ? '' : `COMMENT ON DATABASE :"db" IS :'comment';`,
    sql,
    'COMMIT;',
    '\\endif',
  ];
  await on.change(name, runSql({ port }, lines.join('\n'), { db, owner: owner ?? '', comment: comment ?? '', ...variables }));
}

// The new name may not be longer than PostgreSQL allows, and cutting must not split a character.
export function keptName(database: string, run: string): string {
  const tail = `_ferry_${run}`;
  let head = database;
  while (Buffer.byteLength(head + tail) > 63) head = [...head].slice(0, -1).join('');
  return `${head}${tail}`;
}

const RENAME = String.raw`${IF_DATABASE}
ALTER DATABASE :"db" ALLOW_CONNECTIONS false;
${END_SESSIONS}
ALTER DATABASE :"db" RENAME TO :"kept";
\endif
SELECT count(*) > 0 AS found FROM pg_database WHERE datname = :'kept' \gset
\if :found
ALTER DATABASE :"kept" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT 0;
\endif`;

/**
 * Takes back a database the run has made: drops it, or, with `keep`, renames and closes it. One that does not bear the run's
 * mark and holds something is somebody else's, and stays.
 */
export async function takeBackDatabase(
  on: ActingHost,
  target: {
    readonly port: number;
    readonly database: string;
    readonly run: string;
    readonly mark: string;
    readonly keep: boolean;
  },
): Promise<KeptOnPurpose[]> {
  const { port, database: db } = target;
  const key = pgDatabase.key(port, db);
  const kept = keptName(db, target.run);
  const asked = [pgContents(port, db).on(on.name), pgDatabase(port, kept).on(on.name)];
  const { found: database, more } = await lookForUndo(on, port, db, asked);
  const [contents, renamed] = more;
  const inside = contents?.state === 'value' ? (contents.value as Parameters<typeof isEmpty>[0]) : undefined;
  const isOurs = database?.comment === target.mark || (inside !== undefined && isEmpty(inside));
  if (database && !isOurs) {
    return [
      {
        host: on.name,
        key,
        what: `database ${db} does not come from this run and is kept${inside ? `: ${describeContents(inside)}` : ''}`,
      },
    ];
  }
  if (!target.keep) {
    if (database) await on.change('drop', runSql({ port }, DROP_DATABASE, { db }));
    return [];
  }
  if (!database && renamed?.state !== 'value') return [];
  // A restore into it was taken back before: what was written is under the other name already, and this one is new and empty.
  const isFollowUp = database && renamed?.state === 'value' && inside !== undefined && isEmpty(inside);
  if (isFollowUp) await on.change('drop', runSql({ port }, DROP_DATABASE, { db }));
  else await on.change('rename', runSql({ port }, RENAME, { db, kept }));
  return [keptOnPurpose(on.name, port, db, kept)];
}

function keptOnPurpose(host: string, port: number, db: string, kept: string): KeptOnPurpose {
  const what = `database ${db} holds what was written after the write line; it is kept as ${kept}, closed to all but superusers`;
  return { host, key: pgDatabase.key(port, kept), what };
}

/**
 * Makes a database as empty as it was: drops it if it holds anything, or, with `keepFor` a run, renames and closes it; then
 * has it again with all it had.
 */
export async function emptyDatabase(
  on: ActingHost,
  target: { readonly port: number; readonly database: string; readonly former: PgDatabase; readonly keepFor: string | null },
): Promise<KeptOnPurpose[]> {
  const { port, database, former } = target;
  const { owner, encoding, collate, ctype, settings, comment, connectionLimit } = former;
  const kept = target.keepFor === null ? null : keptName(database, target.keepFor);
  const asked = [pgContents(port, database), ...(kept === null ? [] : [pgDatabase(port, kept)])].map((ref) => ref.on(on.name));
  const { found, more } = await lookForUndo(on, port, database, asked);
  const [contents, renamed] = more;
  const inside = contents?.state === 'value' ? (contents.value as Parameters<typeof isEmpty>[0]) : undefined;
  // A drop that failed half-way has left the database closed: then nobody can look inside, and it is dropped again.
  const mustGo = found !== undefined && (inside === undefined || !isEmpty(inside));
  if (mustGo && kept === null) await on.change('drop', runSql({ port }, DROP_DATABASE, { db: database }));
  if (mustGo && kept !== null) await on.change('rename', runSql({ port }, RENAME, { db: database, kept }));
  if (mustGo || !found) await createDatabase(on, { port, database, owner, encoding, collate, ctype });
  await changeDatabase(on, 'settings', { port, database, owner, settings, comment });
  await on.change(
    'limit',
    runSql({ port }, 'ALTER DATABASE :"db" CONNECTION LIMIT :limit;', { db: database, limit: connectionLimit }),
  );
  if (former.grants) await on.change('grants', grantsSql(port, database, former.grants));
  for (const [index, [name, { schema }]] of Object.entries(former.extensions ?? {}).entries()) {
    const sql = 'SET search_path = :"schema";\nCREATE EXTENSION IF NOT EXISTS :"name";';
    await on.change(`extension-${index}`, runSql({ port, database }, sql, { name, schema }));
  }
  return kept !== null && (mustGo || renamed?.state === 'value') ? [keptOnPurpose(on.name, port, database, kept)] : [];
}

function grantsSql(port: number, db: string, grants: NonNullable<PgDatabase['grants']>) {
  const variables = Object.fromEntries(grants.map(({ to }, index) => [`to${index}`, to]));
  const lines = grants.flatMap(({ to, privilege }, index) =>
    /^[A-Z]+$/.test(privilege) ? [`GRANT ${privilege} ON DATABASE :"db" TO ${to === '' ? 'PUBLIC' : `:"to${index}"`};`] : [],
  );
  return runSql({ port }, ['REVOKE ALL ON DATABASE :"db" FROM PUBLIC;', ...lines].join('\n'), { db, ...variables });
}
