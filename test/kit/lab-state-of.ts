import { execOn } from '../../lab/lab.ts';

/** What a person would look at to tell whether a lab is as it was: each host's part as lines of text. */
export interface Snapshot {
  readonly [what: string]: string;
}

const UNITS =
  'ovirt-engine.service ovirt-engine-dwhd.service ovirt-engine-notifier.service ovirt-fence-kdump-listener.service grafana-server.service';
const CONF =
  '/etc/ovirt-engine/engine.conf.d /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d /etc/ovirt-engine-dwh/examples /etc/grafana';
const psql = (sql: string) => `runuser -u postgres -- psql -XAt -c "${sql}"`;
const DATABASES = psql(
  'SELECT datname, pg_get_userbyid(datdba), datconnlimit, datallowconn, datcollate, (SELECT array_agg(setconfig) FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d ORDER BY 1',
);
// A SCRAM verifier changes when the same password is set again, and is no part of what a person sees.
const ROLES = psql(
  "SELECT rolname, rolcanlogin, rolsuper, rolpassword IS NOT NULL FROM pg_authid WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1",
);
const AUTO_CONF = 'cat /var/lib/postgresql/15/main/postgresql.auto.conf | grep -v "^#" | sort';
const HBA = 'cat /etc/postgresql/15/main/pg_hba.conf; stat -c "%a %U %G" /etc/postgresql/15/main/pg_hba.conf';

/** Reads everything a move of either database may change, straight from the hosts and past Ferry. */
export async function snapshot(labDir: string): Promise<Snapshot> {
  const ask = async (host: string, script: string) => {
    const answer = await execOn(labDir, host, script);
    // Two equal failures would pass for an equal state.
    if (answer.code !== 0) throw new Error(`${host} cannot be looked at, exit code ${answer.code}: ${answer.stderr}\n${script}`);
    return answer.stdout;
  };
  const parts: Record<string, Promise<string>> = {
    'engine: units': ask('engine', `for u in ${UNITS}; do echo "$u $(systemctl is-active $u) $(systemctl is-enabled $u)"; done`),
    'engine: conf': ask('engine', `find ${CONF} -type f -printf '%p %m %u %g\\n' -exec sha256sum {} + | sort`),
    'engine: databases': ask('engine', DATABASES),
    'engine: roles': ask('engine', ROLES),
    'newdb: databases': ask('newdb', DATABASES),
    'newdb: roles': ask('newdb', ROLES),
    'newdb: settings': ask('newdb', AUTO_CONF),
    'newdb: hba': ask('newdb', HBA),
    'he1: maintenance': ask(
      'he1',
      'hosted-engine --vm-status --json | python3 -c \'import json,sys; print(json.load(sys.stdin)["global_maintenance"])\'',
    ),
    'files of runs': ask('engine', 'ls -d /var/lib/ferry-* /run/ferry/* 2>/dev/null; true'),
    'files of runs on newdb': ask(
      'newdb',
      'ls -d /var/lib/ferry-* /run/ferry/* 2>/dev/null; cat /root/.ssh/authorized_keys | grep -c ferry: ; true',
    ),
  };
  return Object.fromEntries(await Promise.all(Object.entries(parts).map(async ([what, text]) => [what, await text] as const)));
}
