import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, readSql } from './postgres/psql.ts';

const shape = z.object({
  /** The version CREATE EXTENSION would make. */
  version: z.string(),
});
export type PgExtensionAvailable = z.infer<typeof shape>;

/** Whether the server's machine has an extension's files; absent when not. */
export const pgExtensionAvailable = defineFact<[port: number, name: string], PgExtensionAvailable>({
  kind: 'pgExtensionAvailable',
  class: 'state',
  script: (port, name) =>
    readSql(port, `SELECT json_build_object('version', default_version) FROM pg_available_extensions WHERE name = :'name';`, {
      name,
    }),
  parse: (answer) => fromJson(answer, shape),
  show: (published) => `version ${(published as unknown as PgExtensionAvailable).version} is available`,
});
