import { z } from 'zod';
import { sh } from '../hosts/sh.ts';
import { type Json, sameJson } from '../lib/json.ts';
import { type Answer, defineFact, type Observed, value } from './fact.ts';
import { keyedHash } from './file-hash.ts';
import { MASK } from './mask.ts';
import { normalLocale } from './pg-locale.ts';
import { isSecretSetting } from './pg-setting.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  owner: z.string(),
  encoding: z.string(),
  collate: z.string(),
  ctype: z.string(),
  /** -1 is no limit. Superusers are never held by it. */
  connectionLimit: z.int(),
  allowConnections: z.boolean(),
  /** What ALTER DATABASE ... SET has set, for every role. */
  settings: z.record(z.string(), z.string()),
  /** Null when the database takes no connections, so that nobody can look inside. */
  extensions: z.record(z.string(), z.object({ version: z.string(), owner: z.string(), schema: z.string() })).nullable(),
  /** Grants on the database; null while they are the defaults. The grantee `` is PUBLIC. */
  grants: z.array(z.object({ to: z.string(), privilege: z.string() })).nullable(),
  comment: z.string().nullable(),
});
export type PgDatabase = z.infer<typeof shape> & {
  /** A keyed hash of its settings, since what may be a secret among them is published masked; none in predictions. */
  readonly settingsHash?: string;
};

const SQL = String.raw`SELECT json_build_object(
  'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
  'connectionLimit', d.datconnlimit, 'allowConnections', d.datallowconn,
  'settings', (SELECT coalesce(json_object_agg(split_part(s, '=', 1), substr(s, strpos(s, '=') + 1)), '{}')
    FROM pg_db_role_setting r, unnest(r.setconfig) s WHERE r.setdatabase = d.oid AND r.setrole = 0),
  'extensions', CASE WHEN :'open' THEN (SELECT coalesce(json_object_agg(extname, json_build_object('version', extversion,
    'owner', pg_get_userbyid(extowner), 'schema', extnamespace::regnamespace::text) ORDER BY extname), '{}') FROM pg_extension WHERE extname <> 'plpgsql') END,
  'grants', CASE WHEN d.datacl IS NOT NULL THEN (SELECT coalesce(json_agg(json_build_object('to',
    CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END, 'privilege', a.privilege_type)), '[]') FROM aclexplode(d.datacl) a) END,
  'comment', shobj_description(d.oid, 'pg_database')) FROM pg_database d WHERE d.datname = :'db';
SELECT unnest(setconfig) FROM pg_db_role_setting r, pg_database d WHERE r.setdatabase = d.oid AND r.setrole = 0 AND d.datname = :'db' ORDER BY 1;
\endif`;

/** One database of a cluster: its owner, locale, limits, own settings and extensions. What it holds is `pgContents`. */
export const pgDatabase = defineFact<[port: number, name: string], PgDatabase>({
  kind: 'pgDatabase',
  class: 'state',
  script: (port, name) => sh`a=$(${readSql(port, `${inDatabase(name).open}\n${SQL}`, inDatabase(name).variables)}); r=$?
printf '%s\n' "$a" | head -n 1; s=$(printf '%s\n' "$a" | tail -n +2)
if [ -n "$s" ]; then ${keyedHash(sh`printf '%s' "$s"`)}; echo "$h"; fi; exit $r`,
  parse: readDatabase,
  publish: published,
  same: sameDatabase,
  meets: (read, predicted) => sameJson(comparable(read), comparable(predicted)),
  show: (shown) => {
    const seen = shown as unknown as PgDatabase;
    const limit = seen.connectionLimit < 0 ? '' : `, at most ${seen.connectionLimit} connections`;
    return `owner ${seen.owner}, ${seen.encoding}, ${seen.collate}${limit}`;
  },
});

function readDatabase(answer: Answer): Observed<PgDatabase> {
  const [line = '', hash = ''] = answer.stdout.split('\n');
  const found = fromJson({ ...answer, stdout: line }, shape);
  if (found.state !== 'value') return found;
  const read = found.value.grants === null ? found.value : withGrants(found.value, found.value.grants);
  return value(hash.length > 1 ? { ...read, settingsHash: hash } : read);
}

type Grants = NonNullable<PgDatabase['grants']>;

/** The same database with other settings. */
export function withSettings({ settingsHash: _, ...rest }: PgDatabase, settings: PgDatabase['settings']): PgDatabase {
  return { ...rest, settings };
}

/** The same database with these grants, in the order every database has them, and null while they are the defaults. */
export function withGrants(database: PgDatabase, grants: readonly Grants[number][]): PgDatabase {
  const key = ({ to, privilege }: Grants[number]) => Buffer.from(`${to}\0${privilege}`);
  const sorted = (list: readonly Grants[number][]) => list.toSorted((a, b) => Buffer.compare(key(a), key(b)));
  const given = sorted(grants);
  return { ...database, grants: sameJson(given, sorted(usualGrants(database.owner))) ? null : given };
}

/** What everybody and the owner may do with a database unless somebody says otherwise. */
export function usualGrants(owner: string): Grants {
  const may = (to: string, ...privileges: string[]) => privileges.map((privilege) => ({ to, privilege }));
  return [...may('', 'CONNECT', 'TEMPORARY'), ...may(owner, 'CONNECT', 'CREATE', 'TEMPORARY')];
}

function published(found: PgDatabase): Json {
  const masked = Object.entries(found.settings).map(([name, text]) => [name, isSecretSetting(name, text) ? MASK : text]);
  // Null is what nobody could know, as in a prediction.
  const settingsHash = found.settingsHash ?? null;
  return { ...withoutVolatile(found), settings: Object.fromEntries(masked) as Json, settingsHash };
}

/** Where one side has no hash, as a prediction has none, what can be seen of the settings decides. */
function sameDatabase(before: Json, after: Json): boolean {
  const [a, b] = [before, after] as unknown as [PgDatabase, PgDatabase];
  if (a.settingsHash && b.settingsHash) return sameJson(before, after);
  return sameJson(withSettings(a, a.settings) as unknown as Json, withSettings(b, b.settings) as unknown as Json);
}

/**
 * Without what nobody should wait for: the comment, where a run leaves its mark on a database it made, and the schemas of
 * extensions, some of which choose their own.
 */
function withoutVolatile({ comment: _, extensions, settingsHash: __, ...rest }: PgDatabase): { [name: string]: Json } {
  const bare = Object.entries(extensions ?? {}).map(([name, { version, owner }]) => [name, { version, owner }]);
  return { ...rest, extensions: extensions === null ? null : (Object.fromEntries(bare) as Json) };
}

function comparable(found: PgDatabase): Json {
  return withoutVolatile({ ...found, collate: normalLocale(found.collate), ctype: normalLocale(found.ctype) });
}
