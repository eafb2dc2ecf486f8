import type { PgCluster } from '../../facts/pg-cluster.ts';
import { type Sh, sh } from '../../hosts/sh.ts';

/** What names a server to the tools that start and stop it. */
export interface ServerRef {
  readonly family: 'debian' | 'el';
  readonly version: number;
  readonly name: string | null;
  readonly unit: string;
}

export function serverRef(cluster: PgCluster): { family: 'debian' | 'el'; version: number; name: string | null; unit: string } {
  return { family: cluster.family, version: cluster.version, name: cluster.name, unit: cluster.unit };
}

/** Starts, stops or restarts a server. On Debian pg_ctlcluster goes through systemd where systemd runs, and works where not. */
export function control(server: ServerRef, verb: 'start' | 'stop' | 'restart'): Sh {
  if (server.family === 'el') return sh`systemctl ${verb} ${server.unit}`;
  const target = [server.version, server.name ?? 'main'];
  if (verb === 'restart') return sh`pg_ctlcluster ${target} restart -m fast`;
  // Exit code 2 says it is so already.
  return sh`{ pg_ctlcluster ${target} ${verb} ${verb === 'stop' ? ['-m', 'fast'] : []} || [ $? -eq 2 ]; }`;
}

/** Waits until the server on a port takes connections; prints the end of its log and fails when it died, or after two minutes. */
export function awaitServer(server: ServerRef, port: number): Sh {
  const isDebian = server.family === 'debian';
  const log = isDebian
    ? sh`tail -n 5 ${`/var/log/postgresql/postgresql-${server.version}-${server.name}.log`}`
    : sh`journalctl -n 5 -u ${server.unit}`;
  // Debian's unit reports success even when the server died at once.
  const alive = isDebian
    ? sh`pg_ctlcluster ${server.version} ${server.name ?? 'main'} status >/dev/null 2>&1`
    : sh`systemctl is-active --quiet ${server.unit}`;
  return sh`{ i=0; until runuser -u postgres -- pg_isready -q -p ${port}; do i=$((i+1))
if [ $i -ge 240 ] || { [ $i -gt 4 ] && ! ${alive}; }; then ${log} >&2; exit 9; fi; sleep 0.5; done; }`;
}

/** Makes the server start with the machine, or not; null leaves service or cluster as it is. */
export function setStart(server: ServerRef, want: { readonly enabled: boolean | null; readonly start: string | null }): Sh {
  const service = server.family === 'debian' ? 'postgresql.service' : server.unit;
  const unit = want.enabled === null ? sh`:` : sh`systemctl ${want.enabled ? 'enable' : 'disable'} ${service} 2>&1`;
  if (server.family === 'el' || want.start === null) return unit;
  const file = `/etc/postgresql/${server.version}/${server.name}/start.conf`;
  const word = want.start;
  return sh`sed -i ${`s/^[[:space:]]*\\(auto\\|manual\\|disabled\\).*/${word}/`} ${file} && grep -qx ${word} ${file} && ${unit} && { systemctl daemon-reload 2>/dev/null || :; }`;
}

/** Makes a new cluster, stopped. */
export function createCluster(server: ServerRef, port: number, locale: string | null): Sh {
  if (server.family === 'debian') {
    const localeWords = locale === null ? [] : ['--locale', locale];
    return sh`pg_createcluster ${server.version} ${server.name ?? 'main'} -p ${port} -e UTF8 ${localeWords} --start-conf=auto >/dev/null`;
  }
  const options = `--encoding=UTF8${locale === null ? '' : ` --locale=${locale}`} --auth-host=scram-sha-256`;
  const portLine = port === 5432 ? sh`:` : sh`printf 'port = %s\\n' ${port} >>/var/lib/pgsql/data/postgresql.conf`;
  return sh`PGSETUP_INITDB_OPTIONS=${options} postgresql-setup --initdb --unit ${server.unit.replace(/\.service$/, '')} && ${portLine}`;
}
