import { z } from 'zod';
import { formatBytes } from '../lib/bytes.ts';
import { defineFact } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  /** On disk, indexes included. */
  bytes: z.int(),
  tables: z.int(),
});
export type PgSize = z.infer<typeof shape>;

const SQL = String.raw`\if :open
SELECT json_build_object('bytes', pg_database_size(:'db'), 'tables', (SELECT count(*) FROM pg_stat_user_tables));
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
