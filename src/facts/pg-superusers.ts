import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, readSql } from './postgres/psql.ts';

/** Roles of a cluster that no connection limit and no right holds back. */
export const pgSuperusers = defineFact<[port: number], string[]>({
  kind: 'pgSuperusers',
  class: 'state',
  script: (port) => readSql(port, 'SELECT json_agg(rolname ORDER BY rolname) FROM pg_roles WHERE rolsuper;'),
  parse: (answer) => fromJson(answer, z.array(z.string())),
  show: (published) => (published as string[]).join(', '),
});
