import { execOn } from '../../lab/lab.ts';
import type { DiffLine } from '../../src/actions/action.ts';

const UNITS = 'ovirt-engine ovirt-engine-dwhd ovirt-engine-notifier ovirt-fence-kdump-listener';
const CONF =
  '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
const SETTINGS =
  'listen_addresses max_connections autovacuum_vacuum_scale_factor autovacuum_analyze_scale_factor autovacuum_max_workers maintenance_work_mem work_mem lc_messages password_encryption';
const psql = (database: string, sql: string) => `runuser -u postgres -- psql -XAt -d ${database} <<'SQL'\n${sql}\nSQL`;
const inDatabase = `runuser -u postgres -- psql -XAt -c "SELECT 1 FROM pg_database WHERE datname = 'engine'" | grep -q 1 || exit 0`;

/** Scripts that print, past Ferry, what a move of the engine changes: a line each, in the words of a diff. */
const LOOKS: readonly (readonly [host: string, script: string])[] = [
  ['engine', `for u in ${UNITS}; do echo "$u $(systemctl is-active -q $u && echo running || echo stopped)"; done`],
  ['engine', `for f in ${CONF}; do sed "s|^|$f: |" $f; done`],
  [
    'engine',
    psql(
      'postgres',
      "SELECT 'connection limit ' || CASE WHEN datconnlimit < 0 THEN 'none' ELSE datconnlimit::text END FROM pg_database WHERE datname = 'engine'",
    ),
  ],
  ['engine', 'ls -d /var/lib/ferry-migrate-engine-db/* 2>/dev/null; true'],
  ['newdb', 'ls -d /var/lib/ferry-migrate-engine-db/* 2>/dev/null; true'],
  ['newdb', psql('postgres', "SELECT 'role ' || rolname FROM pg_roles UNION ALL SELECT 'database ' || datname FROM pg_database")],
  [
    'newdb',
    `${inDatabase}; ${psql('engine', "SELECT 'extension ' || extname || ' ' || extversion FROM pg_extension WHERE extname <> 'plpgsql'")}`,
  ],
  [
    'newdb',
    `${inDatabase}; ${psql(
      'engine',
      `SELECT 'GRANT ' || privilege_type || ' ON TABLE public.' || relname || ' TO PUBLIC' FROM pg_class, aclexplode(relacl)
 WHERE grantee = 0 AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'REVOKE EXECUTE ON ROUTINE public.' || proname || '(' || pg_get_function_identity_arguments(p.oid) || ') FROM PUBLIC' FROM pg_proc p
 WHERE pronamespace = 'public'::regnamespace AND proacl IS NOT NULL AND NOT EXISTS (SELECT FROM aclexplode(proacl) WHERE grantee = 0)`,
    )}`,
  ],
  [
    'newdb',
    psql(
      'postgres',
      `SELECT name || ' = ' || setting || CASE WHEN unit ~ '^[A-Za-z]' THEN ' ' || unit ELSE '' END FROM pg_settings WHERE name = ANY(string_to_array('${SETTINGS}', ' '))`,
    ),
  ],
  ['newdb', 'grep "^[^#]" /etc/postgresql/15/main/pg_hba.conf'],
  [
    'he1',
    'hosted-engine --vm-status --json | python3 -c \'import json,sys; print("maintenance", "global" if json.load(sys.stdin)["global_maintenance"] else "none")\'',
  ],
];

/** Lines with how often each is there; `host: line`. */
export type Lines = ReadonlyMap<string, number>;

/** What is there now, read straight from the hosts. */
export async function linesNow(labDir: string): Promise<Lines> {
  const lines = new Map<string, number>();
  await Promise.all(
    LOOKS.map(async ([host, script]) => {
      const { code, stdout, stderr } = await execOn(labDir, host, script);
      if (code !== 0) throw new Error(`${host}: ${script} ended with exit code ${code}: ${stderr}`);
      for (const line of stdout.split('\n').filter(Boolean)) count(lines, `${host}: ${line.replace(/^\/etc\S+: /, '')}`, 1);
    }),
  );
  return lines;
}

/** The lines that came and went between two looks, each with how much oftener it is there. */
export function changesBetween(before: Lines, after: Lines): Record<string, number> {
  const net = new Map(after);
  for (const [line, times] of before) count(net, line, -times);
  return sorted(net);
}

/** What diffs say comes and goes, in the same form. What one takes out and the next puts in again is no change. */
export function changesTold(steps: readonly { host: string; diff: readonly DiffLine[] | null }[]): Record<string, number> {
  const net = new Map<string, number>();
  for (const { host, diff } of steps) {
    for (const line of diff ?? []) {
      if (line[0] === '~') {
        count(net, `${host}: ${line[1]}${line[2]}`, -1);
        count(net, `${host}: ${line[1]}${line[3]}`, 1);
      } else if (line[0] === '+' || line[0] === '-') {
        // Sizes and contents in words stand after the name.
        const name = line[1].replace(/^(database [^:,]+)[:,].*/, '$1').replace(/^(\/\S+) \(.*/, '$1');
        count(net, `${host}: ${name}`, line[0] === '+' ? 1 : -1);
      }
    }
  }
  return sorted(net);
}

function count(lines: Map<string, number>, line: string, times: number): void {
  lines.set(line, (lines.get(line) ?? 0) + times);
}

function sorted(net: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...net].filter(([, times]) => times !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
}
