import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  tables: z.int(),
  views: z.int(),
  sequences: z.int(),
  functions: z.int(),
  types: z.int(),
  /** Beside `public`. */
  schemas: z.int(),
  largeObjects: z.int(),
});
export type PgContents = z.infer<typeof shape>;

/** Contents of a database just made from template0. */
export const NO_CONTENTS: PgContents = { tables: 0, views: 0, sequences: 0, functions: 0, types: 0, schemas: 0, largeObjects: 0 };

/** Whether somebody made anything in a database; what extensions bring does not count. */
export function isEmpty(contents: PgContents): boolean {
  return Object.values(contents).every((count) => count === 0);
}

/** `156 tables, 20 views`, for people. */
export function describeContents(contents: PgContents): string {
  const words = Object.entries(contents).filter(([, count]) => count > 0);
  return words.length === 0
    ? 'empty'
    : words.map(([name, count]) => `${count} ${name === 'largeObjects' ? 'large objects' : name}`).join(', ');
}

const own = (catalog: string, alias: string) =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${alias}.oid AND e.deptype = 'e')`;

const SQL = String.raw`\if :open
WITH spaces AS (SELECT oid, nspname FROM pg_namespace n WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND ${own('pg_namespace', 'n')}),
 relations AS (SELECT c.relkind FROM pg_class c JOIN spaces ON spaces.oid = c.relnamespace WHERE ${own('pg_class', 'c')})
SELECT json_build_object('tables', (SELECT count(*) FROM relations WHERE relkind IN ('r', 'p', 'f')),
 'views', (SELECT count(*) FROM relations WHERE relkind IN ('v', 'm')), 'sequences', (SELECT count(*) FROM relations WHERE relkind = 'S'),
 'functions', (SELECT count(*) FROM pg_proc p JOIN spaces ON spaces.oid = p.pronamespace WHERE ${own('pg_proc', 'p')}),
 'types', (SELECT count(*) FROM pg_type t JOIN spaces ON spaces.oid = t.typnamespace WHERE t.typelem = 0 AND t.typtype IN ('e', 'd', 'r', 'b', 'c')
   AND (t.typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) AND ${own('pg_type', 't')}),
 'schemas', (SELECT count(*) FROM spaces WHERE nspname <> 'public'), 'largeObjects', (SELECT count(*) FROM pg_largeobject_metadata));
\else
SELECT 1 / 0 AS "the database takes no connections";
\endif
\endif`;

/** How many objects users have made in a database. State: rows and bytes are not in it. */
export const pgContents = defineFact<[port: number, database: string], PgContents>({
  kind: 'pgContents',
  class: 'state',
  script: (port, database) => readSql(port, `${inDatabase(database).open}\n${SQL}`, inDatabase(database).variables),
  parse: (answer) => fromJson(answer, shape),
  show: (published) => describeContents(published as unknown as PgContents),
});
