import { BACKUP_PATHS, DATABASES, FILES } from '../../archives/backup-layout.ts';
import { conninfo } from '../../facts/postgres/psql.ts';
import { existing } from '../../facts/saved-files.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import type { Scope } from './backup-scopes.ts';
import type { Access } from './engine-access.ts';

export type BackupTool = 'engine-backup' | 'ferry';
export interface BackupWish {
  readonly path: string;
  readonly log: string;
  readonly scopes: readonly Scope[];
  readonly format: 'custom' | 'plain';
  readonly compressor: Compressor;
  readonly archiveCompressor: Compressor;
  readonly filesCompressor: Compressor;
}
export type Compressor = 'gzip' | 'bzip2' | 'xz' | 'None';

const FLAGS = { gzip: 'z', bzip2: 'j', xz: 'J', None: '' } as const;
const ENDS = { gzip: 'gz', bzip2: 'bz2', xz: 'xz', None: '' } as const;
const OPTION = { db: 'db', dwhdb: 'dwh-db', keycloakdb: 'keycloak-db' } as const;
export const GRAFANA_DB = '/var/lib/grafana/grafana.db';

/** Tells what is there in the end: its members, then its hash and size. The file has its name only once it is whole. */
function place(path: string): Sh {
  return sh`[ -s "$p" ] || { echo 'FATAL: the file it made is empty'; exit 1; }
tar -tf "$p" | sed 's:^\\./:ferry-member :' || exit 1
chmod 0600 -- "$p" && sync "$p" && mv -- "$p" ${path} && sync ${path.slice(0, path.lastIndexOf('/')) || '/'} || exit 1
echo "ferry-backup $(sha256sum <${path} | cut -d' ' -f1) $(stat -c %s -- ${path})"`;
}

/** Drives the installed engine-backup; its file gets another name first, because it leaves one behind when it fails. */
export function engineBackupScript(wish: BackupWish): Sh {
  const { path, log, scopes, format, compressor } = wish;
  const words = [
    '--mode=backup',
    ...scopes.map((scope) => `--scope=${scope}`),
    `--file=${path}.part`,
    `--log=${log}`,
    `--archive-compressor=${wish.archiveCompressor}`,
    `--files-compressor=${wish.filesCompressor}`,
    ...Object.values(OPTION).flatMap((name) => [`--${name}-dump-format=${format}`, `--${name}-compressor=${compressor}`]),
  ];
  return sh`umask 077; p=${`${path}.part`}; rm -f -- "$p"; mkdir -p -m 0700 -- ${log.slice(0, log.lastIndexOf('/'))} || exit 1
umask 022; engine-backup ${words}; r=$?; umask 077
[ $r -eq 0 ] || { rm -f -- "$p"; exit $r; }
${place(path)}`;
}

/** Writes the same archive by itself: members, names, modes, config and hashes as engine-backup's, so that either restores it. */
export function ferryBackupScript(wish: BackupWish, about: { version: string; fqdn: string; access: readonly Access[] }): Sh {
  const { path, log, scopes, format, compressor } = wish;
  const access = about.access.filter(({ scope }) => scopes.includes(scope));
  const engine = about.access.find(({ scope }) => scope === 'db');
  const config = DATABASES.flatMap(({ prefix }) =>
    prefix === null
      ? []
      : [`${prefix}DB_DUMP_COMPRESSOR=${compressor === 'None' ? '' : compressor}`, `${prefix}DB_DUMP_FORMAT=${format}`],
  );
  const notify = (status: number, message: string) =>
    engine ? notifyScript(engine, scopes, status, message, about.fqdn, log) : sh`:`;
  return sh`umask 077; p=${`${path}.part`}; w=${`${path}.work`}; PGPASSFILE="$FERRY_SECRETS/pgpass"; export PGPASSFILE
rm -rf -- "$w" "$p"; mkdir -m 0700 -- "$w" && mkdir -p -m 0700 -- ${log.slice(0, log.lastIndexOf('/'))} && : >>${log} && cd "$w" || exit 1
say() { echo "$1"; echo "$(date '+%F %T') $$: $1" >>${log}; }
failed() { say "FATAL: $1"; [ ! -s err ] || { head -c 2000 err; cat err >>${log}; }; ${notify(-1, 'Failed')}; cd /; rm -rf -- "$w" "$p"; exit 1; }
${notify(0, 'Started')} || { cat err; cd /; rm -rf -- "$w"; echo 'FATAL: Failed notifying engine'; exit 1; }
umask 022; mkdir t t/db || exit 1
${joinSh(access.map((one) => dumpScript(one, format, compressor)))}
${scopes.includes('grafanadb') ? sh`say 'saving the database of Grafana'; cp -a -- ${GRAFANA_DB} t/db/grafana.db 2>err || failed 'Grafana database not saved'` : sh`:`}
${scopes.includes('files') ? filesScript(wish.filesCompressor) : sh`:`}
printf '%s\\n' ${about.version} >t/version; (. /etc/os-release; printf '%s\\n' "$ID\${VERSION_ID%%.*}") >t/os_version
printf '%s\\n' ${config} >t/config
(cd t && find . -type f ! -name sha256sum -printf '%P\\n' | while read -r n; do sha256sum "$n" || exit 1; done >../sums) && mv sums t/sha256sum || failed 'no hashes'
umask 077; say 'packing'; tar -C t ${`-cpS${FLAGS[wish.archiveCompressor]}f`} "$p" . 2>err || failed 'cannot pack'
${notify(1, 'Finished')} || failed 'Failed notifying engine'
cd /; rm -rf -- "$w"
${place(path)}`;
}

/** What to write before a client program of PostgreSQL that is to reach a database as its own role. */
export function asRole(program: string, { user, host, port }: Access): Sh {
  return sh`env PGCONNECT_TIMEOUT=10 ${program} -w -U ${user} -h ${host} -p ${port}`;
}

function dumpScript(access: Access, format: 'custom' | 'plain', compressor: Compressor): Sh {
  const { scope, database } = access;
  const member = `t/${DATABASES.find((one) => one.scope === scope)?.member ?? ''}`;
  const bare = format === 'plain' ? ['--no-owner', '--no-privileges'] : [];
  const pressed =
    compressor === 'None'
      ? sh`:`
      : sh`${compressor} -- ${member} && mv -- ${`${member}.${ENDS[compressor]}`} ${member} || failed 'cannot compress'`;
  return sh`say ${`dumping ${database}`}
${asRole('pg_dump', access)} -E UTF8 --disable-dollar-quoting --disable-triggers ${`--format=${format}`} ${bare} -d ${conninfo(database)} >${member} 2>err && [ ! -s err ] || failed ${`Database ${database} backup failed`}
${pressed}`;
}

function filesScript(compressor: Compressor): Sh {
  const [paths, folders] = [BACKUP_PATHS.filter((path) => !path.endsWith('/*')), ['/var/lib/ovirt-engine', '/var/lib/grafana']];
  return sh`say 'saving files'
${existing(paths)}
for d in ${folders}; do for n in "$d"/* "$d"/.[!.]*; do [ -e "$n" ] || continue
case "\${n##*/}" in backups|jboss_runtime|ansible-runner*|.ansible|grafana.db) ;; *) set -- "$@" "$n" ;; esac; done; done
printf '%s\\n' "$@" | sed 's:^/::' | tar -C / --xattrs --xattrs-include='*' --files-from - ${`-cpS${FLAGS[compressor]}f`} ${`t/${FILES}`} 2>err || failed 'the files were not saved'`;
}

/** Tells the engine, as engine-backup does: an event, and at the end a line of its log of backups, for each scope. */
function notifyScript(engine: Access, scopes: readonly Scope[], status: number, message: string, fqdn: string, log: string): Sh {
  const names = scopes.map((scope) => (scope === 'keycloakdb' ? 'keycloak' : scope));
  const sql = "SELECT LogEngineBackupEvent(:'scope', now(), :status, :'message', :'fqdn', :'log');";
  const one = (scope: string) =>
    sh`printf '%s\\n' ${sql} | ${asRole('psql', engine)} -X -q -t -v ON_ERROR_STOP=1 ${[`scope=${scope}`, `status=${status}`, `message=${message}`, `fqdn=${fqdn}`, `log=${log}`].map((word) => sh`-v ${word}`)} -d ${conninfo(engine.database)} >/dev/null 2>>err`;
  return sh`{ ${joinSh(names.map(one), ' && ')}; }`;
}
