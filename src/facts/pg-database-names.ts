import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, readSql } from './postgres/psql.ts';

/** The databases of a cluster, templates left out: what to suggest when one is not there. */
export const pgDatabaseNames = defineFact<[port: number], string[]>({
  kind: 'pgDatabaseNames',
  class: 'measure',
  script: (port) => readSql(port, `SELECT json_agg(datname ORDER BY datname) FROM pg_database WHERE NOT datistemplate;`),
  parse: (answer) => fromJson(answer, z.array(z.string())),
  show: (published) => (published as string[]).join(', '),
});
