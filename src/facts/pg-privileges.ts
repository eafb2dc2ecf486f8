import { z } from 'zod';
import { plural } from '../lib/text.ts';
import { defineFact, value } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  verb: z.enum(['GRANT', 'REVOKE']),
  privilege: z.string(),
  /** The columns it is about, as SQL writes them: `("Id")`; null for all of the object. */
  columns: z.string().nullable(),
  /** The object as SQL writes it, `TABLE public.t`; for what will be made, its kind alone: `TABLES`. */
  on: z.string(),
  /** `` is PUBLIC. */
  to: z.string(),
  grantable: z.boolean(),
  /** For what a role will make, in a schema or, null, anywhere; null for what there is. */
  future: z.object({ of: z.string(), schema: z.string().nullable() }).nullable(),
});
export type PgPrivilege = z.infer<typeof shape>;

const own = `nspname !~ '^pg_' AND nspname <> 'information_schema'`;
const base = (catalog: string, oid: string, kind: string, owner: string) =>
  `coalesce((SELECT initprivs FROM pg_init_privs WHERE classoid = '${catalog}'::regclass AND objoid = ${oid} AND objsubid = 0), acldefault(${kind}, ${owner}))`;

const SQL = String.raw`\if :open
WITH acls AS (
 SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END || format(' %I.%I', nspname, relname) AS what, NULL AS columns, relowner AS owner, relacl AS acl,
  ${base('pg_class', 'c.oid', `(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char"`, 'relowner')} AS base, NULL AS maker, NULL AS schema
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relacl IS NOT NULL AND ${own}
 UNION ALL SELECT format('TABLE %I.%I', nspname, relname), format(' (%I)', attname), relowner, attacl, NULL, NULL, NULL
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE attacl IS NOT NULL AND NOT attisdropped AND ${own}
 UNION ALL SELECT format('SCHEMA %I', nspname), NULL, nspowner, nspacl, ${base('pg_namespace', 'n.oid', `'n'`, 'nspowner')}, NULL, NULL
  FROM pg_namespace n WHERE nspacl IS NOT NULL AND ${own}
 UNION ALL SELECT format('ROUTINE %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), NULL, proowner, proacl,
  ${base('pg_proc', 'p.oid', `'f'`, 'proowner')}, NULL, NULL FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE proacl IS NOT NULL AND ${own}
 UNION ALL SELECT format('TYPE %I.%I', nspname, typname), NULL, typowner, typacl, ${base('pg_type', 't.oid', `'T'`, 'typowner')}, NULL, NULL
  FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typacl IS NOT NULL AND ${own}
 UNION ALL SELECT format('LARGE OBJECT %s', oid), NULL, lomowner, lomacl, acldefault('L', lomowner), NULL, NULL FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL
 UNION ALL SELECT CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END, NULL,
  defaclrole, defaclacl, CASE WHEN defaclnamespace = 0 THEN acldefault((CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END)::"char", defaclrole) END,
  pg_get_userbyid(defaclrole), n.nspname FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace),
 given AS (SELECT a.*, x.grantee, x.privilege_type, x.is_grantable FROM acls a, aclexplode(CASE WHEN cardinality(acl) > 0 THEN acl END) x),
 usual AS (SELECT a.*, x.grantee, x.privilege_type, x.is_grantable FROM acls a, aclexplode(CASE WHEN cardinality(base) > 0 THEN base END) x),
 differing AS (
  SELECT 'GRANT' AS verb, * FROM given g WHERE NOT EXISTS (SELECT FROM usual u WHERE u.what = g.what AND u.columns IS NOT DISTINCT FROM g.columns
   AND u.maker IS NOT DISTINCT FROM g.maker AND u.schema IS NOT DISTINCT FROM g.schema AND u.grantee = g.grantee AND u.privilege_type = g.privilege_type AND u.is_grantable = g.is_grantable)
  UNION ALL SELECT 'REVOKE', * FROM usual u WHERE NOT EXISTS (SELECT FROM given g WHERE u.what = g.what AND u.columns IS NOT DISTINCT FROM g.columns
   AND u.maker IS NOT DISTINCT FROM g.maker AND u.schema IS NOT DISTINCT FROM g.schema AND u.grantee = g.grantee AND u.privilege_type = g.privilege_type))
SELECT coalesce(json_agg(json_build_object('verb', verb, 'privilege', privilege_type, 'columns', columns, 'on', what,
 'to', CASE WHEN grantee = 0 THEN '' ELSE pg_get_userbyid(grantee) END, 'grantable', verb = 'GRANT' AND is_grantable,
 'future', CASE WHEN maker IS NOT NULL THEN json_build_object('of', maker, 'schema', schema) END)), '[]') FROM differing WHERE grantee <> owner;
\else
SELECT 1 / 0 AS "the database takes no connections";
\endif
\endif`;

/**
 * Who may do what inside a database, as far as it differs from what the server gives by itself; what an owner may do is left
 * out. Sorted; empty for a database that is not there.
 */
export const pgPrivileges = defineFact<[port: number, database: string], readonly PgPrivilege[]>({
  kind: 'pgPrivileges',
  class: 'state',
  script: (port, database) => readSql(port, `${inDatabase(database).open}\n${SQL}`, inDatabase(database).variables),
  parse(answer) {
    const found = fromJson(answer, z.array(shape));
    if (found.state === 'absent') return value([]);
    return found.state === 'value' ? value(sorted(found.value)) : found;
  },
  show: (published) => plural((published as unknown as readonly PgPrivilege[]).length, 'privilege'),
});

/** What a privilege is about, whether given or taken: two lists are the same when they agree for every one of these. */
export function aboutWhat({ privilege, columns, on, to, future }: PgPrivilege): string {
  return JSON.stringify([on, columns, future?.of ?? null, future?.schema ?? null, to, privilege]);
}

/** In the order every list of privileges has, so that equal ones are equal. */
export function sorted(privileges: readonly PgPrivilege[]): PgPrivilege[] {
  const keyed = privileges.map((one) => [`${aboutWhat(one)}${one.verb}`, one] as const);
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, one]) => one);
}
