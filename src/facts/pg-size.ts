import { z } from 'zod';
import { formatBytes } from '../lib/bytes.ts';
import { defineFact } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  /** On disk, indexes included. */
  bytes: z.int(),
  tables: z.int(),
  /** Of tables of users and what they keep out of line; null when one of them is locked. */
  tableBytes: z.int().nullable(),
  indexBytes: z.int().nullable(),
});
export type PgSize = z.infer<typeof shape>;

// A lock on one table must not keep the rest from being told.
const SQL = String.raw`\if :open
\set ON_ERROR_STOP 0
\set table_bytes null
\set index_bytes null
SET lock_timeout = '2s';
SELECT coalesce(sum(pg_table_size(c.oid)), 0) AS table_bytes, coalesce(sum(pg_indexes_size(c.oid)), 0) AS index_bytes FROM pg_class c
 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \gset
\set ON_ERROR_STOP 1
SELECT json_build_object('bytes', pg_database_size(:'db'), 'tables', (SELECT count(*) FROM pg_stat_user_tables),
 'tableBytes', :table_bytes, 'indexBytes', :index_bytes);
\endif
\endif`;

/** How big a database is, for estimates. */
export const pgSize = defineFact<[port: number, database: string], PgSize>({
  kind: 'pgSize',
  class: 'measure',
  script: (port, database) => readSql(port, `${inDatabase(database).open}\n${SQL}`, inDatabase(database).variables),
  parse: (answer) => fromJson(answer, shape),
  show: (published) => formatBytes((published as unknown as PgSize).bytes),
});
