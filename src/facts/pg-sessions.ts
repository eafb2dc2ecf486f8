import { z } from 'zod';
import { plural } from '../lib/text.ts';
import { defineFact } from './fact.ts';
import { fromJson, readSql } from './postgres/psql.ts';

const shape = z.array(
  z.object({
    user: z.string(),
    /** Null for sessions over the socket. */
    address: z.string().nullable(),
    count: z.int(),
  }),
);
export type PgSessions = z.infer<typeof shape>;

/** Client sessions on a database by user and address, the asking one left out. Takes `db`. */
export const SESSIONS_SQL = `SELECT coalesce(json_agg(s), '[]') FROM (SELECT usename AS "user", host(client_addr) AS address, count(*) AS count
 FROM pg_stat_activity WHERE datname = :'db' AND pid <> pg_backend_pid() AND backend_type = 'client backend' GROUP BY 1, 2 ORDER BY 1, 2) s;`;

/** Who is connected to a database right now. */
export const pgSessions = defineFact<[port: number, database: string], PgSessions>({
  kind: 'pgSessions',
  class: 'measure',
  script: (port, database) => readSql(port, SESSIONS_SQL, { db: database }),
  parse: (answer) => fromJson(answer, shape),
  show: (published) =>
    plural(
      (published as unknown as PgSessions).reduce((sum, group) => sum + group.count, 0),
      'session',
    ),
});

/** Reads the answer of `SESSIONS_SQL`. @throws when it is not one */
export function readSessions(line: string): PgSessions {
  return shape.parse(JSON.parse(line));
}
