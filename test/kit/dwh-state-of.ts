import { ask } from './evidence.ts';
import type { Snapshot } from './lab-state-of.ts';

const FOLDERS =
  '/etc/ovirt-engine /etc/ovirt-engine-dwh /etc/ovirt-engine-setup.conf.d /etc/grafana /etc/postgresql /var/lib/ovirt-engine/setup';
const UNITS = 'ovirt-engine ovirt-engine-dwhd grafana-server postgresql@15-main';
const psql = (sql: string) =>
  `if runuser -u postgres -- pg_isready -q; then cd /; runuser -u postgres -- psql -XAt -c "${sql}"; fi`;

/** What a person looks at, past Ferry, on one machine. */
const PARTS: Readonly<Record<string, string>> = {
  files: `for d in ${FOLDERS}; do [ ! -e $d ] || find $d -printf '%p %m %u %g %l\\n'; done | sort; for d in ${FOLDERS}; do [ ! -e $d ] || find $d -type f -exec sha256sum {} +; done | sort -k2`,
  units: `for u in ${UNITS}; do echo "$u $(systemctl is-active $u) $(systemctl is-enabled $u 2>/dev/null)"; done`,
  packages: "dpkg-query -W -f='${Package} ${Version} ${db:Status-Status}\\n' | grep -E 'ovirt|grafana|postgres'",
  databases: psql(
    'SELECT datname, pg_get_userbyid(datdba), datconnlimit, datallowconn, (SELECT array_agg(setconfig) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d ORDER BY 1',
  ),
  roles: psql("SELECT rolname, rolcanlogin, rolpassword IS NOT NULL FROM pg_authid WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1"),
  settings: 'grep -hv "^#" /var/lib/postgresql/15/main/postgresql.auto.conf 2>/dev/null | sort; true',
  'files of runs': 'ls -d /var/lib/ferry-* /run/ferry/* 2>/dev/null; grep -c ferry: /root/.ssh/authorized_keys; true',
};

/** Reads what a move of the data warehouse may change on each of the hosts. */
export async function dwhSnapshot(labDir: string, hosts: readonly string[]): Promise<Snapshot> {
  const parts = hosts.flatMap((host) =>
    Object.entries(PARTS).map(async ([what, script]) => [`${host}: ${what}`, await ask(labDir, host, script)] as const),
  );
  const maintenance = ask(
    labDir,
    'he1',
    'hosted-engine --vm-status --json | python3 -c \'import json,sys; print(json.load(sys.stdin)["global_maintenance"])\'',
  );
  return Object.fromEntries([...(await Promise.all(parts)), ['he1: maintenance', await maintenance]]);
}
