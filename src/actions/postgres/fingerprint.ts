import { FerryError } from '../../errors/ferry-error.ts';
import { inDatabase, psql } from '../../facts/postgres/psql.ts';
import type { Host } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';

/** What one object of a database is, by `kind name`: tables have rows, hashes and columns, sequences a position. */
export type Fingerprint = ReadonlyMap<string, ObjectPrint>;

export interface ObjectPrint {
  readonly kind: string;
  readonly name: string;
  readonly rows?: number;
  /** Two sums over hashes of every row, the same in whatever order rows come; for others what is compared of them. */
  readonly content?: string;
  readonly columns?: string;
}

// Objects of users: not of the system, not part of an extension.
const own = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
const USER_SPACES = `SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'`;

const relations = (kind: string, kinds: string) =>
  `SELECT json_build_array('${kind}', c.oid::regclass::text) FROM pg_class c WHERE c.relkind IN (${kinds}) AND c.relpersistence <> 't' AND c.relnamespace IN (${USER_SPACES}) AND ${own('pg_class', 'c.oid')};`;

/** Names alone: a newer server may write the definition of a view or an index in another way. */
const OBJECTS = [
  relations('view', `'v'`),
  relations('materialized view', `'m'`),
  relations('foreign table', `'f'`),
  relations('partitioned table', `'p'`),
  relations('index', `'i', 'I'`),
  `SELECT json_build_array('function', p.oid::regprocedure::text) FROM pg_proc p WHERE p.pronamespace IN (${USER_SPACES}) AND ${own('pg_proc', 'p.oid')};`,
  // Not-null constraints ('n') have entries of their own only in newer servers; columns tell them.
  `SELECT json_build_array('constraint', conname || ' on ' || CASE WHEN conrelid <> 0 THEN conrelid::regclass::text ELSE contypid::regtype::text END)
 FROM pg_constraint c WHERE c.contype NOT IN ('n', 't') AND c.connamespace IN (${USER_SPACES}) AND ${own('pg_class', 'c.conrelid')} AND ${own('pg_type', 'c.contypid')};`,
  `SELECT json_build_array('trigger', tgname || ' on ' || tgrelid::regclass::text, NULL, tgenabled) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND c.relnamespace IN (${USER_SPACES}) AND ${own('pg_trigger', 't.oid')} AND ${own('pg_class', 'c.oid')};`,
  `SELECT json_build_array('type', t.oid::regtype::text) FROM pg_type t WHERE t.typtype IN ('e', 'd', 'r') AND t.typnamespace IN (${USER_SPACES}) AND ${own('pg_type', 't.oid')};`,
  `SELECT json_build_array('schema', nspname) FROM pg_namespace n WHERE n.oid IN (${USER_SPACES}) AND ${own('pg_namespace', 'n.oid')};`,
  `SELECT json_build_array('extension', extname) FROM pg_extension;`,
  `SELECT json_build_array('large objects', '', count(DISTINCT loid), coalesce(sum(hashtextextended(loid || ':' || pageno || ':' || encode(data, 'hex'), 0)), 0)) FROM pg_largeobject;`,
];

// `t.*::text` and not `t::text`: a table may have a column named t. ONLY: children are tables of their own.
const ROW = `(t.*)::text COLLATE "C"`;
const CONTENTS = String.raw`SELECT format('SELECT json_build_array(''table'', %L, count(*), coalesce(sum(hashtextextended(${ROW}, 0)), 0) || '':'' || coalesce(sum(hashtextextended(${ROW}, 7)), 0), %L) FROM ONLY %s t',
 c.oid::regclass::text, (SELECT coalesce(md5(string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull, ',' ORDER BY a.attnum)), '')
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), c.oid::regclass::text)
FROM pg_class c WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.relnamespace IN (${USER_SPACES}) AND ${own('pg_class', 'c.oid')} ORDER BY c.oid::regclass::text \gexec
SELECT format('SELECT json_build_array(''sequence'', %L, NULL, last_value || '' '' || is_called) FROM %s', c.oid::regclass::text, c.oid::regclass::text)
FROM pg_class c WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.relnamespace IN (${USER_SPACES}) AND ${own('pg_class', 'c.oid')} ORDER BY 1 \gexec`;

/** The same values must give the same text on both sides, whatever is set for the database, the role or the cluster. */
const SAME_TEXT = (
  floatDigits: number,
) => `SET LOCAL extra_float_digits = ${floatDigits}; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres';
SET LOCAL timezone = 'UTC'; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'; SET LOCAL xmlbinary = 'base64'; SET LOCAL row_security = off;`;

export interface ComparedSide {
  readonly host: Host;
  readonly port: number;
  readonly database: string;
}

/** The version of the server of one side, as a number: 150018. @throws COMPARE_INCOMPLETE when it does not answer */
export async function serverVersion(side: ComparedSide): Promise<number> {
  return Number((await ask(side, `SHOW server_version_num;`, 60_000)).trim());
}

/**
 * Reads every row of every table of a database in one snapshot. `isOld`: one side is older than version 12, whose floats are
 * written with fewer digits.
 * @throws COMPARE_INCOMPLETE when anything at all could not be read
 */
export async function fingerprint(side: ComparedSide, isOld: boolean, timeoutMs: number): Promise<Fingerprint> {
  const sql = [
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;',
    SAME_TEXT(isOld ? 0 : 1),
    ...OBJECTS,
    CONTENTS,
    'COMMIT;',
    '\\echo end',
  ];
  const { open, variables } = inDatabase(side.database);
  const text = await ask(side, `${open}\n${sql.join('\n')}\n\\endif`, timeoutMs, variables);
  const lines = text.trimEnd().split('\n');
  // Without its last line the answer was cut somewhere.
  if (lines.pop() !== 'end') throw incomplete(side, text === '' ? 'it does not exist' : 'the answer ends too early');
  return new Map(lines.map(printOf));
}

function printOf(line: string): readonly [string, ObjectPrint] {
  const [kind, name, rows, content, columns] = JSON.parse(line) as [
    string,
    string,
    number | null | undefined,
    string | number | null | undefined,
    string | undefined,
  ];
  const print: ObjectPrint = {
    kind,
    name,
    ...(rows == null ? {} : { rows }),
    ...(content == null ? {} : { content: String(content) }),
    ...(columns === undefined ? {} : { columns }),
  };
  return [`${kind} ${name}`.trim(), print];
}

async function ask(side: ComparedSide, sql: string, timeoutMs: number, variables = {}): Promise<string> {
  const answer = await side.host.run(sh`printf '%s\\n' ${sql} | ${psql({ port: side.port }, variables)}`, { timeoutMs });
  if (answer.code === 0) return answer.stdout;
  throw incomplete(side, answer.stderr.trim().split('\n')[0] ?? `psql ended with exit code ${answer.code}`);
}

function incomplete(side: ComparedSide, why: string) {
  return new FerryError(
    'COMPARE_INCOMPLETE',
    { host: side.host.name, database: side.database, why },
    { left: 'Nothing was changed.' },
  );
}

/** One line for each object that is not the same on both sides; what stands left of the bar is the left side's. */
export function differences(left: Fingerprint, right: Fingerprint): string[] {
  const names = [...new Set([...left.keys(), ...right.keys()])];
  return names.flatMap((name) => {
    const [a, b] = [left.get(name), right.get(name)];
    if (!a || !b) return [`${name}: ${a ? 'there' : 'missing'} | ${b ? 'there' : 'missing'}`];
    if (a.columns !== b.columns) return [`${name}: its columns differ`];
    if (a.rows !== b.rows) return [`${name}: ${a.rows} | ${b.rows} rows`];
    if (a.content === b.content) return [];
    return a.rows === undefined
      ? [`${name}: ${a.content} | ${b.content}`]
      : [`${name}: ${a.rows} rows on both sides, content differs (${a.content} | ${b.content})`];
  });
}
