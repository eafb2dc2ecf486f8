import type { z } from 'zod';
import { asUser } from '../../hosts/as-user.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { type Answer, absent, type Observed, unreadable, value } from '../fact.ts';

/** A database of the cluster on a port, reached over its socket by the user postgres. */
export interface PgAt {
  readonly port: number;
  /** `postgres` unless given. */
  readonly database?: string;
}

/** psql variables; SQL names them as `:'name'` (a literal), `:"name"` (an identifier) or `:name` (as it is). */
export type PgVariables = Readonly<Record<string, string | number>>;

/** A connection string that names one database, whatever characters its name has. */
export function conninfo(database: string): string {
  return `dbname='${database.replaceAll(/['\\]/g, '\\$&')}'`;
}

// Options of the session win over ALTER DATABASE and ALTER ROLE settings; the search path keeps objects of users from
// standing in for those of the catalog in a superuser's session.
const SESSION = '-c search_path=pg_catalog -c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0';

// Debian's psql is a wrapper that costs more than the query; the programs themselves come first where they are.
const OWN_PATH = sh`for b in /usr/lib/postgresql/[1-9][0-9]/bin /usr/pgsql-[1-9][0-9]/bin; do if [ -x "$b/psql" ]; then PATH="$b:$PATH"; fi; done;`;

/** The environment psql and its siblings run in: names come out in UTF-8 whatever the database's encoding. */
export const PG_ENV: Sh = sh`PGCONNECT_TIMEOUT=10 PGCLIENTENCODING=UTF8 PGOPTIONS=${SESSION}`;

/** What to write before pg_dump and its like: they run as postgres with a bare environment, their stdin and stdout are the caller's. */
export const asPostgres: Sh = sh`runuser -u postgres -- env -i LC_ALL=C PATH="$PATH" PGCONNECT_TIMEOUT=10`;

/** A command that runs the SQL on its stdin and stops at the first error: exit 3 for SQL, 2 for a connection. */
export function psql(at: PgAt, variables: PgVariables = {}): Sh {
  const assigned = Object.entries(variables).flatMap(([name, given]) => ['-v', `${name}=${given}`]);
  const target = ['-p', at.port, '-d', conninfo(at.database ?? 'postgres')];
  return asUser('postgres', sh`${OWN_PATH} ${PG_ENV} exec psql -X -A -t -q -v ON_ERROR_STOP=1 ${target} ${assigned}`);
}

/** A command that runs given SQL; the values come as psql variables, never as text inside the SQL. */
export function runSql(at: PgAt, sql: string, variables: PgVariables = {}): Sh {
  return sh`printf '%s\\n' ${sql} | ${psql(at, variables)}`;
}

/** Exit codes of `readSql` beside psql's own. */
const NOT_INSTALLED = 90;
const NOT_RUNNING = 91;

/** The script of a fact: runs SQL, and tells "no PostgreSQL here" and "it does not run" from a refusal. */
export function readSql(port: number, sql: string, variables: PgVariables = {}): Sh {
  return sh`command -v psql >/dev/null 2>&1 && id -u postgres >/dev/null 2>&1 || exit ${NOT_INSTALLED}
${runSql({ port }, sql, variables)}; r=$?
if [ $r -eq 2 ]; then ${asUser('postgres', sh`exec pg_isready -q -p ${port}`)}; [ $? -eq 2 ] && exit ${NOT_RUNNING}; fi
exit $r`;
}

/**
 * Variables and opening lines for SQL about the inside of a database: the session moves there when it can. After them
 * `:found` and `:open` tell whether the database exists and takes connections. Close with `\endif`.
 */
export function inDatabase(database: string): { readonly open: string; readonly variables: PgVariables } {
  const open = String.raw`SELECT count(*) > 0 AS found, coalesce(bool_or(datallowconn), false) AS open FROM pg_database WHERE datname = :'db' \gset
\if :found
\if :open
\connect -reuse-previous=on :conninfo
\endif`;
  // \connect takes double quotes off its argument.
  return { open, variables: { db: database, conninfo: `"${conninfo(database).replaceAll('"', '""')}"` } };
}

/** Whether a `readSql` script has found no server: none is installed, or it does not run. */
export function isNoServer({ code }: Pick<Answer, 'code'>): boolean {
  return code === NOT_INSTALLED || code === NOT_RUNNING;
}

/** Reads the one JSON line of a `readSql` script; no line and no server are `absent`. */
export function fromJson<V>(answer: Answer, schema: z.ZodType<V>): Observed<V> {
  if (isNoServer(answer)) return absent;
  if (answer.code !== 0) return unreadable(whyNot(answer));
  const line = answer.stdout.trim();
  if (line === '') return absent;
  try {
    const parsed = schema.safeParse(JSON.parse(line));
    return parsed.success
      ? value(parsed.data)
      : unreadable(`PostgreSQL answered in an unknown form (${parsed.error.issues[0]?.path.join('.')})`);
  } catch {
    return unreadable('PostgreSQL answered with something that is not JSON');
  }
}

/** The line of an answer that says most about its failure. */
export function whyNot(answer: Answer): string {
  const lines = answer.stderr.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /(ERROR|FATAL|error):/.test(line)) ?? lines[0];
  return (
    telling
      ?.replace(/^psql(:[^ ]*)?: (error: )?/, '')
      .replace(/^.*?(ERROR|FATAL):\s*/, '')
      .trim() ?? `psql ended with exit code ${answer.code}`
  );
}
