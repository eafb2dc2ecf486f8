import { FerryError } from '../../errors/ferry-error.ts';
import { isEmpty, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import { pgImprint } from '../../facts/pg-imprint.ts';
import { type PgPrivilege, pgPrivileges } from '../../facts/pg-privileges.ts';
import { FILLING, isSameImprint } from '../../facts/postgres/imprint.ts';
import { psql, runSql } from '../../facts/postgres/psql.ts';
import { readFacts } from '../../facts/read.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
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

/** Asks again and again, ten times a second, how many there are, and prints `none` once there are none. */
export function untilNone(count: Sh, rounds: number): Sh {
  return sh`i=0; while n=$(${count}) && [ "$n" -gt 0 ] && [ $i -lt ${rounds} ]; do i=$((i+1)); sleep 0.1; done
[ "$n" = 0 ] && echo none || :`;
}

/**
 * Whether nobody has written into a database since this imprint was left. Everybody's session on it is ended first, and only
 * superusers can begin another; of one that does not end, nobody knows what it has written.
 */
async function isUntouched(on: ActingHost, port: number, db: string, left: string): Promise<boolean> {
  const { stdout } = await on.change(
    'fence',
    sh`${runSql({ port }, FENCE, { db })} >/dev/null || exit
${untilNone(runSql({ port }, SESSIONS, { db }), 50)}`,
  );
  if (stdout.trim() !== 'none') return false;
  const [now] = await readFacts(on, [pgImprint(port, db).on(on.name)]);
  return now?.state === 'value' && isSameImprint(left, now.value as string);
}

/** What a step that filled a database has left to tell later writes by; null where it has left nothing. */
export async function imprintLeft(on: ActingHost, file: string): Promise<string | null> {
  const { code, stdout } = await on.run(sh`cat -- ${file}`);
  return code === 0 ? stdout.trim() : null;
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
    /** The imprint of it that was left right after the run had filled it, or the word for one that was cut off half way; null where there is none. */
    readonly imprint: string | null;
  },
): Promise<readonly KeptOnPurpose[]> {
  const { port, database, former, settings, run, keep, imprint } = target;
  const { owner, encoding, collate, ctype, comment, connectionLimit } = former;
  const look = await lookAround(on, port, database, run);
  const kept = keptAs(look, database, run);
  const isAsked = !keep && imprint !== null && look.inside !== undefined && !isEmpty(look.inside);
  const isOwn = isAsked && (imprint === FILLING || (await isUntouched(on, port, database, imprint)));
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
