import { type Sh, sh } from '../../hosts/sh.ts';
import { inDatabase, readSql, runSql } from './psql.ts';

const own = (catalog: string, alias: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${alias}.oid AND e.deptype = 'e')`;

// What objects are, without who may use them: privileges are carried over after a restore. Of extensions nothing counts.
const OBJECTS = `WITH spaces AS (SELECT oid, nspname FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND ${own('pg_namespace', 'n')}),
 relations AS (SELECT c.* FROM pg_class c JOIN spaces ON spaces.oid = c.relnamespace WHERE ${own('pg_class', 'c')})
SELECT md5(coalesce(string_agg(line, '' ORDER BY line COLLATE "C"), '')) FROM (
 SELECT concat_ws(' ', 'n', oid, nspname) AS line FROM spaces
 UNION ALL SELECT concat_ws(' ', 'c', oid, relkind, relnamespace, relname) FROM relations
 UNION ALL SELECT concat_ws(' ', 'a', a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull, a.attisdropped) FROM pg_attribute a JOIN relations r ON r.oid = a.attrelid
 UNION ALL SELECT concat_ws(' ', 'd', d.oid, md5(d.adbin::text)) FROM pg_attrdef d JOIN relations r ON r.oid = d.adrelid
 UNION ALL SELECT concat_ws(' ', 'r', w.oid, md5(w.ev_action::text)) FROM pg_rewrite w JOIN relations r ON r.oid = w.ev_class
 UNION ALL SELECT concat_ws(' ', 'o', o.oid, o.conname) FROM pg_constraint o JOIN spaces ON spaces.oid = o.connamespace
 UNION ALL SELECT concat_ws(' ', 't', t.oid, t.tgname, t.tgenabled) FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid
 UNION ALL SELECT concat_ws(' ', 'f', p.oid, p.proname, md5(p.prosrc)) FROM pg_proc p JOIN spaces ON spaces.oid = p.pronamespace WHERE ${own('pg_proc', 'p')}
 UNION ALL SELECT concat_ws(' ', 'y', t.oid, t.typname) FROM pg_type t JOIN spaces ON spaces.oid = t.typnamespace WHERE ${own('pg_type', 't')}
 UNION ALL SELECT concat_ws(' ', 'e', enumtypid, enumlabel) FROM pg_enum) all_of_it;`;

// Rows written since the statistics began, of large objects too. Counters that began anew count as others.
const ROWS = `SELECT md5(coalesce(string_agg(concat_ws(' ', relid, n_tup_ins, n_tup_upd, n_tup_del), ',' ORDER BY relid), ''))
 FROM pg_stat_all_tables s WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND (relid = 'pg_largeobject'::regclass
 OR (schemaname !~ '^pg_' AND schemaname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = relid AND e.deptype = 'e')));
SELECT concat_ws(' ', 'since', extract(epoch FROM stats_reset), current_setting('track_counts')) FROM pg_stat_database WHERE datname = current_database();`;

// Before PostgreSQL 15 what is read of the statistics may be half a second old.
const SETTLED = String.raw`SELECT current_setting('server_version_num')::int < 150000 AS is_late \gset
\if :is_late
SELECT pg_sleep(1) AS slept \gset
\endif`;

const IMPRINT = `${SETTLED}
SELECT oid FROM pg_database WHERE datname = current_database();
${OBJECTS}
${ROWS}`;

/** How many sessions of programs that restore a database has: they leave their counts when they end. */
const RESTORING = `SELECT count(*) FROM pg_stat_activity WHERE datname = :'db' AND pid <> pg_backend_pid() AND application_name IN ('pg_restore', 'psql');`;

/** What stands in place of an imprint while a database is being filled bit by bit: seen later, that was cut off. */
export const FILLING = 'filling';

/**
 * Prints some lines that are others after any write into a database: a row in a table or a large object, an object made, changed
 * or dropped. Privileges, settings, statistics and extensions change nothing of them. Prints nothing where nobody can look inside.
 */
export function printImprint(port: number, database: string): Sh {
  const { open, variables } = inDatabase(database);
  return readSql(port, `${open}\n\\if :open\n${IMPRINT}\n\\endif\n\\endif`, variables);
}

/** Says in the file that is to hold the imprint of a database that it is being filled. */
export function beginImprint(file: string): Sh {
  const folder = file.slice(0, file.lastIndexOf('/'));
  return sh`( umask 077; mkdir -p ${folder} && echo ${FILLING} >${file} )`;
}

/**
 * Writes the imprint of a database that was just filled to a file, whole or not at all; waits a moment for the counts of who
 * filled it. Never fails: without the file it cannot be told what came later, and what is there is kept.
 */
export function leaveImprint(port: number, database: string, file: string): Sh {
  return leave(runSql({ port }, RESTORING, { db: database }), printImprint(port, database), file);
}

/** The same by a psql command that is in the database as any role: what an imprint is made of, everybody may see. */
export function leaveImprintBy(psql: Sh, database: string, file: string): Sh {
  const by = (sql: string) => sh`printf '%s\\n' ${sql} | ${psql} -v ${`db=${database}`}`;
  return leave(by(RESTORING), by(IMPRINT), file);
}

function leave(restoring: Sh, print: Sh, file: string): Sh {
  const folder = file.slice(0, file.lastIndexOf('/'));
  return sh`rm -f ${file}; ( umask 077; i=0; while [ $i -lt 25 ] && n=$(${restoring}) && [ "$n" -gt 0 ]; do i=$((i+1)); sleep 0.2; done
mkdir -p ${folder} && ( ${print} ) >${`${file}.new`} && sync ${`${file}.new`} && mv -f ${`${file}.new`} ${file} ) || rm -f ${`${file}.new`}`;
}

/** Whether a database was as it is now when its imprint was left. Not where its server counts nothing, which nobody can tell by. */
export function isSameImprint(left: string, now: string | undefined): boolean {
  return now?.trim() === left.trim() && left.trim().endsWith(' on');
}
