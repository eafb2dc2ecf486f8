import { FerryError } from '../../errors/ferry-error.ts';
import { isEmpty, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import { type PgPrivilege, pgPrivileges } from '../../facts/pg-privileges.ts';
import { pgUntouched } from '../../facts/pg-untouched.ts';
import { psql, runSql } from '../../facts/postgres/psql.ts';
import { readFacts } from '../../facts/read.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import type { KeptOnPurpose } from '../action.ts';
import { lookForUndo } from './look-for-undo.ts';
import { privilegeStatements } from './privileges.ts';
import { DROP_DATABASE, END_SESSIONS, IF_DATABASE, identifier, settingStatements } from './sql.ts';
import { decideEmpty, decideTakeBack, type Found, foundOf, keptAs, keptNames } from './take-back.ts';

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
  const lines = [
    IF_DATABASE,
    'BEGIN;',
    owner === null ? '' : 'ALTER DATABASE :"db" OWNER TO :"owner";',
    comment === null ? '' : `COMMENT ON DATABASE :"db" IS :'comment';`,
    settingStatements('ALTER DATABASE :"db"', wish.settings),
    'COMMIT;',
    '\\endif',
  ];
  await on.change(name, psql({ port }, { db, owner: owner ?? '', comment: comment ?? '' }), { stdin: `${lines.join('\n')}\n` });
}

const RENAME = String.raw`${IF_DATABASE}
ALTER DATABASE :"db" WITH ALLOW_CONNECTIONS false CONNECTION LIMIT 0;
${END_SESSIONS}
ALTER DATABASE :"db" RENAME TO :"kept";
\endif
SELECT count(*) > 0 AS found FROM pg_database WHERE datname = :'kept' \gset
\if :found
ALTER DATABASE :"kept" WITH ALLOW_CONNECTIONS true CONNECTION LIMIT 0;
\endif`;

// What a session has written counts at the latest when it ends.
const FENCE = String.raw`${IF_DATABASE}
ALTER DATABASE :"db" CONNECTION LIMIT 0;
${END_SESSIONS}
\endif`;
const SESSIONS = `SELECT count(*) FROM pg_stat_activity WHERE datname = :'db' AND backend_type = 'client backend';`;

/**
 * Whether nobody has written into a database since its imprint was left, null without one. Everybody's session on it is ended first, and
 * only superusers can begin another.
 */
async function isUntouched(on: ActingHost, port: number, db: string, imprint: string): Promise<boolean | null> {
  const count = runSql({ port }, SESSIONS, { db });
  await on.change(
    'fence',
    sh`${runSql({ port }, FENCE, { db })} >/dev/null || exit; i=0
while n=$(${count}) && [ "$n" -gt 0 ] && [ $i -lt 50 ]; do i=$((i+1)); sleep 0.1; done`,
  );
  const [found] = await readFacts(on, [pgUntouched(port, db, imprint).on(on.name)]);
  if (found?.state === 'unreadable') return false;
  return found?.state === 'value' ? found.value === true : null;
}

async function lookAround(on: ActingHost, port: number, database: string, run: string): Promise<Found> {
  const names = keptNames(database, run);
  const refs = [pgContents(port, database), ...names.map((name) => pgDatabase(port, name))].map((ref) => ref.on(on.name));
  const { found, more } = await lookForUndo(on, port, database, refs);
  return foundOf(found, more[0], names, more.slice(1));
}

/** Takes back a database the run has made: drops it, renames and closes it, or leaves it, as `decideTakeBack` says. */
export async function takeBackDatabase(
  on: ActingHost,
  target: {
    readonly port: number;
    readonly database: string;
    readonly run: string;
    readonly mark: string;
    readonly keep: boolean;
  },
): Promise<readonly KeptOnPurpose[]> {
  const { port, database: db } = target;
  const look = await lookAround(on, port, db, target.run);
  const kept = keptAs(look, db, target.run);
  const decision = decideTakeBack(look, { ...target, host: on.name, name: db });
  if (decision.act === 'drop') await on.change('drop', runSql({ port }, DROP_DATABASE, { db }));
  if (decision.act === 'rename') await on.change('rename', runSql({ port }, RENAME, { db, kept }));
  return decision.kept;
}

/**
 * Makes a database as empty as it was: drops it if it holds anything, or, with `keep`, renames and closes it; then
 * has it again with all it had.
 */
export async function emptyDatabase(
  on: ActingHost,
  target: {
    readonly port: number;
    readonly database: string;
    readonly former: Omit<PgDatabase, 'settings'>;
    readonly settings: Readonly<Record<string, string | null>>;
    readonly run: string;
    readonly keep: boolean;
    /** Whether the run has filled it, as far as evidence tells. */
    readonly isRestored: boolean;
    /** File on the host with the imprint of it right after that. */
    readonly imprint: string;
    /** Whether it may have been filled without leaving one, as by a load that was cut off. */
    readonly mayLack?: boolean;
  },
): Promise<readonly KeptOnPurpose[]> {
  const { port, database, former, settings, run, keep } = target;
  const { owner, encoding, collate, ctype, comment, connectionLimit } = former;
  const look = await lookAround(on, port, database, run);
  const kept = keptAs(look, database, run);
  const isAsked = !keep && target.isRestored && look.inside !== undefined && !isEmpty(look.inside);
  const isOwn = isAsked && ((await isUntouched(on, port, database, target.imprint)) ?? target.mayLack ?? false);
  const decision = decideEmpty(look, { host: on.name, port, name: database, run, keep, isOwn });
  if (decision.act === 'drop') await on.change('drop', runSql({ port }, DROP_DATABASE, { db: database }));
  if (decision.act === 'rename') await on.change('rename', runSql({ port }, RENAME, { db: database, kept }));
  if (decision.act !== null || !look.database) await createDatabase(on, { port, database, owner, encoding, collate, ctype });
  await changeDatabase(on, 'settings', { port, database, owner, settings, comment });
  await on.change(
    'limit',
    runSql({ port }, 'ALTER DATABASE :"db" CONNECTION LIMIT :limit;', { db: database, limit: connectionLimit }),
  );
  if (former.grants) await setGrants(on, 'grants', { port, database, grants: former.grants });
  for (const [index, [name, { schema }]] of Object.entries(former.extensions ?? {}).entries()) {
    const sql = 'SET search_path = :"schema";\nCREATE EXTENSION IF NOT EXISTS :"name";';
    await on.change(`extension-${index}`, runSql({ port, database }, sql, { name, schema }));
  }
  return decision.kept;
}

/** Gives exactly these grants on a database to others than its owner, if it is there; those of the owner too, where they are named. */
export async function setGrants(
  on: ActingHost,
  name: string,
  wish: { readonly port: number; readonly database: string; readonly grants: NonNullable<PgDatabase['grants']> },
): Promise<void> {
  const lines = wish.grants.flatMap(({ to, privilege }) =>
    /^[A-Z]+$/.test(privilege) ? [`GRANT ${privilege} ON DATABASE :"db" TO ${to === '' ? 'PUBLIC' : identifier(to)};`] : [],
  );
  const sql = [IF_DATABASE, 'BEGIN;', REVOKE_ALL, ...lines, 'COMMIT;', '\\endif'].join('\n');
  await on.change(name, psql({ port: wish.port }, { db: wish.database }), { stdin: `${sql}\n` });
}

const REVOKE_ALL = String.raw`REVOKE ALL ON DATABASE :"db" FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM %I', datname, pg_get_userbyid(grantee)) FROM pg_database, aclexplode(datacl)
 WHERE datname = :'db' AND grantee NOT IN (0, datdba) GROUP BY 1 \gexec`;

/** Brings the privileges inside a database, from whatever they are, to these, in one transaction. */
export async function setPrivileges(
  on: ActingHost,
  name: string,
  wish: { readonly port: number; readonly database: string; readonly privileges: readonly PgPrivilege[] },
): Promise<void> {
  const { port, database } = wish;
  const [now] = await readFacts(on, [pgPrivileges(port, database).on(on.name)]);
  if (now?.state === 'unreadable')
    throw new FerryError('FACT_UNREADABLE', { host: on.name, fact: `Privileges in ${database}`, why: now.why });
  const lines = privilegeStatements(now?.state === 'value' ? (now.value as PgPrivilege[]) : [], wish.privileges);
  await on.change(name, psql({ port, database }), { stdin: `BEGIN;\n${lines.join('\n')}\nCOMMIT;\n` });
}
