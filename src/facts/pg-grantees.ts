import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const own = (namespace: string) =>
  `${namespace} IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')`;

// An object whose privileges were never touched has a null list, and a dump has no GRANT for it.
const SQL = String.raw`\if :open
SELECT coalesce(json_agg(DISTINCT pg_get_userbyid(who)), '[]') FROM (
 SELECT (aclexplode(relacl)).grantee AS who FROM pg_class WHERE ${own('relnamespace')}
 UNION SELECT (aclexplode(attacl)).grantee FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE attacl IS NOT NULL AND ${own('c.relnamespace')}
 UNION SELECT (aclexplode(nspacl)).grantee FROM pg_namespace WHERE ${own('oid')}
 UNION SELECT (aclexplode(proacl)).grantee FROM pg_proc WHERE ${own('pronamespace')}
 UNION SELECT (aclexplode(typacl)).grantee FROM pg_type WHERE ${own('typnamespace')}
 UNION SELECT (aclexplode(defaclacl)).grantee FROM pg_default_acl
 UNION SELECT (aclexplode(lomacl)).grantee FROM pg_largeobject_metadata) all_of_them WHERE who <> 0;
\endif
\endif`;

/** The roles that privileges inside a database were given to, their owners included: a dump names them in its GRANTs. */
export const pgGrantees = defineFact<[port: number, database: string], string[]>({
  kind: 'pgGrantees',
  class: 'measure',
  script: (port, database) => readSql(port, `${inDatabase(database).open}\n${SQL}`, inDatabase(database).variables),
  parse: (answer) => fromJson(answer, z.array(z.string())),
  show: (published) => (published as string[]).join(', '),
});
