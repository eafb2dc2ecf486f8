import { BACKUP_PATHS, DATABASES, FILES } from '../../archives/backup-layout.ts';
import { leaveImprintBy } from '../../facts/postgres/imprint.ts';
import { conninfo } from '../../facts/postgres/psql.ts';
import { existing } from '../../facts/saved-files.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import type { Scope } from './backup-scopes.ts';
import { asRole, GRAFANA_DB } from './backup-script.ts';
import type { Access } from './engine-access.ts';
import { DECOMPRESS } from './seen-on-host.ts';

/** What engine-backup leaves alone although it is in the archive. */
const NOT_RESTORED = [
  'etc/ovirt-engine/engine-config/engine-config.properties',
  'etc/ovirt-engine-setup.conf.d/*packaging*',
  'etc/pki/ovirt-engine/cacert.template*',
  'etc/pki/ovirt-engine/cert.template*',
  'etc/pki/ovirt-engine/openssl.conf',
  'etc/ovirt-engine/branding/*rhv*',
  'etc/ovirt-engine-setup.env.d/10-scl-postgres.conf',
  'etc/ovirt-engine-setup.conf.d/10-scl-postgres.conf',
];
/** Left alone too where the system is another one than that of the backup. */
const OF_THE_SYSTEM = ['etc/httpd/conf.d/ssl.conf', 'etc/httpd/conf.d/ovirt-engine-root-redirect.conf'];
// Entries a role may not touch, or that the database has already; engine-backup ignores the errors they make.
export const LEFT_OUT =
  '^[0-9]+; [0-9]+ [0-9]+ (EXTENSION - |COMMENT - EXTENSION |SCHEMA - public |COMMENT - SCHEMA public |DEFAULT ACL .* postgres$)';

const KEPT_PATHS = [...BACKUP_PATHS.filter((path) => !path.endsWith('/*')), '/var/lib/ovirt-engine', '/var/lib/grafana'];
const LEFT_ALONE = ['backups', 'jboss_runtime', 'ansible-runner*', '.ansible'].map(
  (name) => `--exclude=var/lib/ovirt-engine/${name}`,
);

/** Prints an archive of all that a restore of files may write over: what undo needs. */
export function printFormer(): Sh {
  return sh`${existing(KEPT_PATHS)}
if [ $# -eq 0 ]; then tar -cf - --files-from /dev/null; else printf '%s\\n' "$@" | sed 's:^/::' | tar -C / --xattrs --xattrs-include='*' ${LEFT_ALONE} --files-from - -cpSf -; fi`;
}

/** Has the same paths as they were: what came since goes, what was kept comes back. Nothing was done where nothing was kept. */
export function putFormerBack(kept: string): Sh {
  return sh`set -u; k=${kept}; [ -e "$k" ] || exit 0
t=$(mktemp -d) && trap 'rm -rf -- "$t"' EXIT || exit 1
tar --quoting-style=literal -tf "$k" | sed 's:/$::' | LC_ALL=C sort >"$t/before" || exit 1
${existing(KEPT_PATHS)}
[ $# -eq 0 ] || (cd / && find "$@" -path '/var/lib/ovirt-engine/backups' -prune -o -path '/var/lib/ovirt-engine/jboss_runtime' -prune -o -path '/var/lib/ovirt-engine/ansible-runner*' -prune -o -path '/var/lib/ovirt-engine/.ansible' -prune -o -print) | sed 's:^/::' | LC_ALL=C sort >"$t/now"
LC_ALL=C comm -13 "$t/before" "$t/now" | LC_ALL=C sort -r | while read -r n; do if [ -d "/$n" ] && [ ! -L "/$n" ]; then rmdir -- "/$n" 2>/dev/null || :; else rm -f -- "/$n" || exit 1; fi; done || exit 1
tar -C / --xattrs --xattrs-include='*' -pSxf "$k" || exit 1
${RELABEL}`;
}

const RELABEL = sh`if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then ${existing(KEPT_PATHS)}
[ $# -eq 0 ] || restorecon -R "$@"; fi`;

/** Restores the product's files with owner, mode and attributes, except those that belong to the machine. */
export function restoreFilesScript(from: string): Sh {
  return sh`cd ${from} || exit 1; ${DECOMPRESS}
x=; o=$(. /etc/os-release; printf '%s' "$ID\${VERSION_ID%%.*}"); [ "$o" = "$(cat os_version 2>/dev/null)" ] || x=other
set -- ${NOT_RESTORED}; [ -z "$x" ] || set -- "$@" ${OF_THE_SYSTEM}
printf '%s\\n' "$@" >exclude
dec ${FILES} | tar -C / --xattrs --xattrs-include='*' --exclude-from=exclude -pSsxf - || { echo 'FATAL: the files were not restored'; exit 1; }
p=/etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf
[ -z "$x" ] || [ ! -f "$p" ] || sed -i '/^OVESETUP_APACHE\\/configured=bool:True$/d' "$p"
${RELABEL}
[ -z "$x" ] || echo "ferry-note the system is another one than $(cat os_version): the configuration of Apache stays as it is"`;
}

/** Takes the conf files out of the archive, for a look at where its databases are before anything is restored. */
export function confOutScript(from: string): Sh {
  return sh`umask 077; cd ${from} && rm -rf conf && mkdir conf || exit 1; ${DECOMPRESS}
dec ${FILES} | tar -C conf --wildcards -xf - 'etc/ovirt-engine/engine.conf*' 'etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf*' 2>/dev/null; exit 0`;
}

/** Prints conf files under a root in the order engine-backup reads them, `conf PATH TEXT` in base64 each. */
export function printConf(root: string): Sh {
  const [engine, dwh] = [`${root}/etc/ovirt-engine/engine.conf`, `${root}/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf`];
  return sh`for f in /usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf ${engine} ${engine}.d/*.conf ${dwh} ${dwh}.d/*.conf; do
[ -f "$f" ] && [ ! -L "$f" ] && echo "conf $(printf %s "$f" | base64 -w0) $(base64 -w0 <"$f")"; done; :`;
}

/** psql in a database, as its own role. */
function sqlIn(access: Access): Sh {
  return sh`${asRole('psql', access)} -X -q -A -t -v ON_ERROR_STOP=1 -d ${conninfo(access.database)}`;
}

/** Leaves the imprint of a database that was just loaded, as its own role. `$FERRY_SECRETS/pgpass` lets that in. */
export function imprintScript(access: Access, file: string): Sh {
  return sh`PGPASSFILE="$FERRY_SECRETS/pgpass"; export PGPASSFILE
{ ${leaveImprintBy(sqlIn(access), access.database, file)}; } 2>/dev/null`;
}

/**
 * Loads one dump into its empty database as its own role, in one transaction; then what must be cleaned in the engine's. Whatever
 * comes of that, the imprint of what was loaded is left. A load that failed or was cut off leaves none, as it leaves nothing else.
 */
export function restoreDatabaseScript(
  from: string,
  access: Access,
  wish: { readonly permissions: boolean; readonly clean: boolean; readonly imprint: string },
): Sh {
  const member = DATABASES.find((one) => one.scope === access.scope)?.member ?? '';
  const bare = wish.permissions ? [] : ['--no-privileges'];
  const sql = sqlIn(access);
  return sh`umask 077; rm -f -- ${wish.imprint}; PGPASSFILE="$FERRY_SECRETS/pgpass"; export PGPASSFILE; cd ${from} || exit 1; n=${member}; b=${access.database}; ${DECOMPRESS}
fatal() { rm -f -- "$n.raw" "$n.toc" "$n.all"; echo "FATAL: $1"; exit 1; }
m=$(echo 'show lc_messages' | ${sql} 2>&1) || fatal "Can't connect to database '$b': $m"
[ "$m" = en_US.UTF-8 ] || fatal "lc_messages is $m; it must be en_US.UTF-8"
c=$(printf '%s' ${IS_EMPTY} | ${sql} 2>&1) || fatal "$c"
[ "$c" = 0 ] || fatal "Database '$b' is not empty"
case "$(z "$n")" in none) r=$n ;; *) r=$n.raw; dec "$n" >"$r" || fatal 'the dump cannot be decompressed' ;; esac
if [ "$(head -c 5 "$r")" = PGDMP ]; then
pg_restore -l "$r" >"$n.all" 2>err || fatal "$(head -n 1 err)"
grep -Ev ${LEFT_OUT} "$n.all" >"$n.toc"; rm -f "$n.all"
${asRole('pg_restore', access)} --exit-on-error --single-transaction --no-owner ${bare} -L "$n.toc" -d ${conninfo(access.database)} "$r" 2>err || fatal "$(grep -m1 error: err || head -n 1 err)"
else awk ${PLAIN} "$r" | ${sql} -1 -f - >/dev/null 2>err || fatal "$(grep -m1 ERROR err || head -n 1 err)"; fi
rm -f -- "$n.raw" "$n.toc"
${wish.clean ? sh`printf '%s' ${CLEAN} | ${sql} -1 >/dev/null 2>err; c=$?` : sh`c=0`}
${imprintScript(access, wish.imprint)}
[ "$c" = 0 ] || { echo "FATAL: the database is restored and could not be cleaned: $(head -n 1 err)"; exit 1; }
echo ANALYZE | ${sql} >/dev/null 2>&1; :`;
}

/** The database of Grafana, a file. */
export function restoreGrafanaScript(from: string): Sh {
  return sh`d=${GRAFANA_DB.slice(0, GRAFANA_DB.lastIndexOf('/'))}; [ -d "$d" ] || { mkdir -p -m 0750 -- "$d" && chown grafana:grafana -- "$d"; } || exit 1
cp -a -- ${`${from}/db/grafana.db`} ${GRAFANA_DB} && chown grafana:grafana -- ${GRAFANA_DB} || exit 1
! command -v restorecon >/dev/null 2>&1 || restorecon ${GRAFANA_DB} || :`;
}

export const RESTORED_SCOPES: readonly Scope[] = ['db', 'dwhdb', 'keycloakdb'];

export const IS_EMPTY = `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = c.oid AND e.deptype = 'e')`;

// Lines between COPY and its end are rows, whatever they look like. What an older psql does not know, and what a role may not do, goes.
const PLAIN = `/^COPY .* FROM stdin;$/ { print; rows = 1; next }
rows { print; if ($0 == "\\\\.") rows = 0; next }
/^\\\\(un)?restrict / || /^CREATE EXTENSION / || /^COMMENT ON EXTENSION / || /^CREATE SCHEMA public;/ || /^COMMENT ON SCHEMA public / { next }
{ print }`;

const CLEAN = `UPDATE vdc_options SET option_value = '1' WHERE option_name = 'DbJustRestored' AND version = 'general';
INSERT INTO vdc_options (option_name, option_value, version) SELECT 'DbJustRestored', '1', 'general'
 WHERE NOT EXISTS (SELECT FROM vdc_options WHERE option_name = 'DbJustRestored' AND version = 'general');
TRUNCATE TABLE async_tasks, async_tasks_entities, business_entity_snapshot, command_entities, job, step CASCADE;
UPDATE dwh_history_timekeeping SET var_value = '0' WHERE var_name = 'DwhCurrentlyRunning' AND var_value = '1';
UPDATE vm_dynamic SET status = 0, exit_status = 2, exit_reason = -1, migrating_to_vds = NULL, run_on_vds = NULL
 WHERE vm_guid IN (SELECT vm_guid FROM vm_static WHERE auto_startup AND lease_sd_id IS NULL);`;
