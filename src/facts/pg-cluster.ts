import { z } from 'zod';
import { joinSh, sh } from '../hosts/sh.ts';
import { type Answer, absent, defineFact, type Observed, unreadable, value } from './fact.ts';
import { runSql } from './postgres/psql.ts';

export interface PgCluster {
  readonly family: 'debian' | 'el';
  /** Major version: 15. */
  readonly version: number;
  /** Debian's name of the cluster, `main`; null elsewhere. */
  readonly name: string | null;
  readonly unit: string;
  readonly dataDirectory: string;
  readonly configFile: string;
  readonly hbaFile: string;
  readonly running: boolean;
  /** Whether the service starts with the machine. */
  readonly enabled: boolean;
  /** Debian's start.conf: only an `auto` cluster starts with the service. Null elsewhere. */
  readonly start: string | null;
  /** Encoding of new databases, and the exact version; null while it does not run. */
  readonly encoding: string | null;
  readonly versionNum: number | null;
}

const SQL = `SELECT json_build_object('versionNum', current_setting('server_version_num')::int, 'dataDirectory', current_setting('data_directory'),
 'configFile', current_setting('config_file'), 'hbaFile', current_setting('hba_file'),
 'encoding', (SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'template1'));`;

const asked = z.object({
  versionNum: z.int(),
  dataDirectory: z.string(),
  configFile: z.string(),
  hbaFile: z.string(),
  encoding: z.string(),
});

// Debian: pg_lsclusters knows every cluster, running or not. Elsewhere: the units and their PGDATA.
const debian = (port: number) => sh`pg_lsclusters -h | while read -r v n p s o d l; do [ "$p" = ${port} ] || continue
echo family=debian; echo "version=$v"; echo "name=$n"; echo "status=$s"; echo "data=$d"
echo "start=$(sed -n 's/^[[:space:]]*\\([a-z]*\\).*/\\1/p' "/etc/postgresql/$v/$n/start.conf" | grep . | tail -n 1)"
echo "enabled=$(systemctl is-enabled postgresql.service 2>/dev/null)"; done`;
const enterpriseLinux = (
  port: number,
) => sh`for u in $(systemctl list-unit-files --no-legend 'postgresql*.service' 2>/dev/null | cut -d' ' -f1); do
d=$(systemctl show -p Environment "$u" | tr ' ' '\n' | sed -n 's/^\\(Environment=\\)*PGDATA=//p'); [ -s "$d/PG_VERSION" ] || continue
p=$(sed -n "s/^[[:space:]]*port[[:space:]]*=*[[:space:]]*'*\\([0-9]*\\).*/\\1/p" "$d/postgresql.conf" | tail -n 1); [ "\${p:-5432}" = ${port} ] || continue
echo family=el; echo "version=$(cat "$d/PG_VERSION")"; echo "unit=$u"; echo "data=$d"; echo "enabled=$(systemctl is-enabled "$u" 2>/dev/null)"; break; done`;

/** The PostgreSQL cluster on a port, whether it runs or not; absent when there is none. */
export const pgCluster = defineFact<[port: number], PgCluster>({
  kind: 'pgCluster',
  class: 'state',
  script: (port) =>
    joinSh([
      sh`if command -v pg_lsclusters >/dev/null 2>&1; then ${debian(port)}`,
      sh`else ${enterpriseLinux(port)}`,
      sh`fi; if command -v psql >/dev/null 2>&1 && id -u postgres >/dev/null 2>&1; then a=$(${runSql({ port }, SQL)}) && printf 'sql=%s\\n' "$a"; fi; exit 0`,
    ]),
  parse: (answer) => parseCluster(answer),
  // What nobody can know of a server that does not run yet is no reason to wait.
  meets: (read, predicted) =>
    Object.entries(predicted).every(([name, expected]) => expected === null || read[name as keyof PgCluster] === expected),
  show: (published) => {
    const seen = published as unknown as PgCluster;
    return `PostgreSQL ${seen.version}, ${seen.running ? 'running' : 'stopped'}, ${startsAtBoot(seen) ? 'enabled' : 'not enabled'}`;
  },
});

/** Whether the cluster comes up with the machine. */
export function startsAtBoot(cluster: PgCluster): boolean {
  return cluster.enabled && (cluster.start === null || cluster.start === 'auto');
}

function parseCluster(answer: Answer): Observed<PgCluster> {
  const lines = answer.stdout
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  const read: Record<string, string | undefined> = Object.fromEntries(lines);
  if (read.family === undefined)
    return read.sql === undefined ? absent : unreadable('a server answers there that no cluster of this machine is known for');
  const version = Number.parseInt(read.version ?? '', 10);
  if (!Number.isInteger(version)) return unreadable('the version of the cluster cannot be told');
  const answered = asked.safeParse(read.sql === undefined ? undefined : tryJson(read.sql));
  const isDebian = read.family === 'debian';
  const name = isDebian ? (read.name ?? 'main') : null;
  const conf = isDebian ? `/etc/postgresql/${version}/${name}` : (read.data ?? '');
  return value({
    family: isDebian ? 'debian' : 'el',
    version,
    name,
    unit: isDebian ? `postgresql@${version}-${name}.service` : (read.unit ?? 'postgresql.service'),
    dataDirectory: answered.data?.dataDirectory ?? read.data ?? '',
    configFile: answered.data?.configFile ?? `${conf}/postgresql.conf`,
    hbaFile: answered.data?.hbaFile ?? `${conf}/pg_hba.conf`,
    running: answered.success || (read.status ?? '').startsWith('online'),
    enabled: read.enabled === 'enabled',
    start: isDebian ? (read.start ?? 'auto') : null,
    encoding: answered.data?.encoding ?? null,
    versionNum: answered.data?.versionNum ?? null,
  });
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
