import { z } from 'zod';
import { DATABASES } from '../../archives/backup-layout.ts';
import { FerryError } from '../../errors/ferry-error.ts';
import { conninfo, runSql } from '../../facts/postgres/psql.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import { asRole } from './backup-script.ts';
import { type Access, passFile } from './engine-access.ts';
import type { RestoreParams, Target } from './restore-params.ts';
import { IS_EMPTY, LEFT_OUT } from './restore-scripts.ts';
import { DECOMPRESS } from './seen-on-host.ts';

// Of a server and a database: the same by whatever address and role one comes to it. Any role may ask.
const IDENTITY = `(SELECT system_identifier FROM pg_control_system()) || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())`;
const LOOK = `SELECT json_build_object('identity', ${IDENTITY}, 'standby', pg_is_in_recovery(), 'language', current_setting('lc_messages'),
 'objects', (${IS_EMPTY}), 'roles', (SELECT json_object_agg(rolname, pg_has_role(oid, 'MEMBER')) FROM pg_roles));`;

const shape = z.object({
  identity: z.string(),
  standby: z.boolean(),
  language: z.string(),
  objects: z.int(),
  /** Every role of the server, and whether the one that looks is a member of it. */
  roles: z.record(z.string(), z.boolean()),
});

/** What was seen of one database by the way its restore will take. */
export interface Reach {
  readonly access: Access;
  /** Null when the login failed; then `why` says how. */
  readonly seen: z.infer<typeof shape> | null;
  readonly why: string;
  /** Roles the dump grants to or takes from; and those that own something in it. */
  readonly granted: readonly string[];
  readonly owners: readonly string[];
  /** The server and database the step names, as the superuser there sees them; null when that could not be asked. */
  readonly expected: string | null;
}

/** Looks at each database as its own role from the engine, and at what its dump asks of the server. Reads only; once an attempt. */
export async function reachDatabases(
  on: ActingHost,
  onRole: (role: string) => ActingHost,
  params: Pick<RestoreParams, 'from' | 'databases'>,
  access: readonly Access[],
): Promise<Reach[]> {
  const { stdout } = await on.detached('reach', reachScript(params.from, access), {
    note: 'looking at the databases',
    secrets: { pgpass: passFile(access) },
  });
  const told = (scope: string, what: string) => {
    const text = new RegExp(`^reach ${scope} ${what} (\\S*)$`, 'm').exec(stdout)?.[1] ?? '';
    return Buffer.from(text, 'base64').toString('utf8').trim();
  };
  return Promise.all(
    access.map(async (one) => {
      const target = params.databases[one.scope] as Target;
      const { port, database } = target;
      const asked = await onRole(target.host).run(runSql({ port, database }, `SELECT ${IDENTITY};`));
      const seen = told(one.scope, 'seen');
      const lines = (what: string) => told(one.scope, what).split('\n').filter(Boolean);
      return {
        access: one,
        seen: seen === '' ? null : shape.parse(JSON.parse(seen)),
        why: lines('why')[0] ?? 'it told nothing',
        granted: lines('granted').map((name) => name.replace(/^"(.*)"$/, '$1').replaceAll('""', '"')),
        owners: lines('owners'),
        expected: asked.code === 0 ? asked.stdout.trim() : null,
      };
    }),
  );
}

/** Prints what is seen of each database and its dump, in a folder `ovirt.unpack-backup` has made. */
export function reachScript(from: string, access: readonly Access[]): Sh {
  return sh`PGPASSFILE="$FERRY_SECRETS/pgpass"; export PGPASSFILE; umask 077; cd ${from} || exit 1; ${DECOMPRESS}
t=$(mktemp -d) && trap 'rm -rf -- "$t"' EXIT || exit 1
toc() { case "$(z "$n")" in none) pg_restore "$@" "$n" ;; *) dec "$n" | pg_restore "$@" ;; esac; }
${joinSh(access.map(lookScript))}`;
}

/** Prints `reach SCOPE WHAT BASE64`: what was seen or why not, and the roles the dump names. */
function lookScript(access: Access): Sh {
  const { scope, database } = access;
  const member = DATABASES.find((one) => one.scope === scope)?.member ?? '';
  return sh`if printf '%s' ${LOOK} | ${asRole('psql', access)} -X -q -A -t -v ON_ERROR_STOP=1 -d ${conninfo(database)} >"$t/seen" 2>"$t/why"; then
echo "reach ${scope} seen $(base64 -w0 <"$t/seen")"; else echo "reach ${scope} why $(base64 -w0 <"$t/why")"; fi
n=${member}
if [ "$(dec "$n" 2>/dev/null | head -c 5)" = PGDMP ] && toc -l >"$t/all" 2>/dev/null; then
grep -Ev ${LEFT_OUT} "$t/all" | grep -E '^[0-9]+; [0-9]+ [0-9]+ (DEFAULT )?ACL ' >"$t/acl"
echo "reach ${scope} granted $(toc -L "$t/acl" -f - 2>/dev/null | grep -E '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) ' | grep -oE ' (TO|FROM|FOR ROLE) ("([^"]|"")+"|[a-z_][a-z0-9_$]*)' | sed -E 's/^ (TO|FROM|FOR ROLE) //' | grep -vx PUBLIC | LC_ALL=C sort -u | base64 -w0)"
echo "reach ${scope} owners $(grep -v '^;' "$t/all" | grep -v ' $' | sed 's/.* //' | LC_ALL=C sort -u | base64 -w0)"
fi`;
}

// What engine-backup makes nothing of: objects of the superuser, and those whose owner PostgreSQL brings along.
const BROUGHT = /^(postgres|pg_.*)$/;

/** Everything that stands against loading one database by the tool, in words; empty when nothing does. */
export function reachRefused(
  { access, seen, why, granted, owners, expected }: Reach,
  { tool, permissions }: Pick<RestoreParams, 'tool' | 'permissions'>,
  target: { readonly host: string; readonly database: string },
): string[] {
  const at = `${access.host}:${access.port}`;
  if (!seen) return [`${access.user} cannot log in to ${access.database} on ${at}: ${why}`];
  const refused: string[] = [];
  if (expected !== null && seen.identity !== expected)
    refused.push(`${at} is another server than ${target.host}, whose database ${target.database} the step names`);
  if (seen.standby) refused.push(`the server at ${at} is a standby, which takes no writes`);
  if (seen.language !== 'en_US.UTF-8')
    refused.push(`lc_messages is ${seen.language} for ${access.user} on ${at}, and must be en_US.UTF-8`);
  if (!permissions) return refused;
  const missing = granted.filter((name) => !Object.hasOwn(seen.roles, name));
  if (missing.length > 0)
    refused.push(`the dump of ${access.database} has grants for ${missing.join(', ')}, no role of the server at ${at}`);
  const foreign = owners.filter((name) => !BROUGHT.test(name) && seen.roles[name] !== true);
  if (tool === 'engine-backup' && foreign.length > 0)
    refused.push(
      `the dump of ${access.database} belongs to ${foreign.join(', ')}, and ${access.user} is no member of that: engine-backup would fail half way unless permissions is false`,
    );
  return refused;
}

/**
 * Refuses, with everything at once, what cannot be loaded.
 * @throws RESTORE_REFUSED
 */
export function mustReach(
  host: string,
  params: RestoreParams,
  reached: readonly Reach[],
  hostOf: (role: string) => string,
): void {
  const refused = reached.flatMap((one) => {
    const target = params.databases[one.access.scope] as Target;
    return reachRefused(one, params, { host: hostOf(target.host), database: target.database });
  });
  if (refused.length > 0) throw restoreRefused(host, params, refused);
}

/** A restore that was refused before it began. */
export function restoreRefused(
  host: string,
  { path, tool, scopes }: Pick<RestoreParams, 'path' | 'tool' | 'scopes'>,
  refused: readonly string[],
): FerryError {
  const list = refused.map((line) => `  ${line}`).join('\n');
  const args = { host, tool, file: path, what: scopes.join(', '), count: refused.length, list };
  return new FerryError('RESTORE_REFUSED', args, { left: 'Nothing was restored: files and databases are as they were.' });
}
