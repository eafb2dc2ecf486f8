import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cachedLayer } from './cached-layer.ts';
import { asset } from './folders.ts';
import { runInRoot } from './run-in-root.ts';

/** Makes the cluster as engine-setup leaves it: en_US, its settings raised, reachable from elsewhere with a password. */
const CLUSTER = `
pg_dropcluster 15 main
pg_createcluster --locale=en_US.UTF-8 15 main >/dev/null
for setting in max_connections=150 work_mem=8192kB maintenance_work_mem=65536kB autovacuum_max_workers=6 \\
  autovacuum_vacuum_scale_factor=0.01 autovacuum_analyze_scale_factor=0.075 'listen_addresses=*'; do
  pg_conftool 15 main set "\${setting%%=*}" "\${setting#*=}"
done
for both in 'ovirt_engine_history ovirt_engine_history_grafana' 'ovirt_engine_history ovirt_engine_history' 'engine engine'; do
  sed -i "/^local /a host $both 0.0.0.0/0 scram-sha-256\\nhost $both ::0/0 scram-sha-256" /etc/postgresql/15/main/pg_hba.conf
done
ln -s /lib/systemd/system/postgresql.service /etc/systemd/system/multi-user.target.wants/postgresql.service
pg_ctlcluster 15 main start -o '-c fsync=off -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off -c max_wal_size=96MB'
cd /
psql() { runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 "$@"; }
psql <<'SQL'
CREATE ROLE engine LOGIN;
CREATE DATABASE engine OWNER engine TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8';
ALTER DATABASE engine SET client_min_messages = error;
\\connect engine
CREATE EXTENSION "uuid-ossp";
\\connect postgres
CREATE ROLE ovirt_engine_history LOGIN;
CREATE ROLE ovirt_engine_history_grafana LOGIN;
CREATE DATABASE ovirt_engine_history OWNER ovirt_engine_history TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8';
ALTER DATABASE ovirt_engine_history SET client_min_messages = error;
SQL
`;
const SETTLE = `
for database in engine ovirt_engine_history; do runuser -u postgres -- vacuumdb -q -d $database --analyze --freeze; done
pg_ctlcluster 15 main stop
rm -f /var/log/postgresql/*.log /root/.bash_history
`;

/**
 * The folder of a cached file system layer that, over the base root, holds the cluster with the engine's database of that size and
 * the small one of the data warehouse. Builds it when the cache has none for this base, size and seed (about 10 s for 200 MB).
 */
export async function engineLayer(baseFolder: string, sizeMb: number, say: (line: string) => void): Promise<string> {
  const [owners, superuser] = [await seeds('seed-dwh', /^[12]/), await seeds('seed-dwh', /^3/)];
  const script = [
    CLUSTER,
    ...seed('engine', 'engine', await seeds('seed', /./)),
    ...seed('ovirt_engine_history', 'ovirt_engine_history', owners),
    ...seed('ovirt_engine_history', 'postgres', superuser),
    SETTLE,
  ].join('');
  const digest = createHash('sha256').update(script).digest('hex').slice(0, 8);
  return cachedLayer({
    layer: join(baseFolder, `engine-${sizeMb}-${digest}`),
    lowers: [join(baseFolder, 'root')],
    lock: `engine-${sizeMb}`,
    doing: `seeding an engine database of ${sizeMb} MB (once per size)`,
    done: 'engine database seeded',
    say,
    make: async (root) => {
      await runInRoot(root, script, 'seed the databases', { SIZE_MB: String(sizeMb) });
    },
  });
}

/** The texts of the seeds in a folder whose names match, in order. */
async function seeds(folder: string, wanted: RegExp): Promise<string[]> {
  const path = dirname(asset(folder, '10-schema.sql'));
  const names = (await readdir(path)).filter((name) => name.endsWith('.sql') && wanted.test(name)).sort();
  return Promise.all(names.map((name) => readFile(join(path, name), 'utf8')));
}

/** Runs seeds in a database as a role. */
const seed = (database: string, role: string, texts: readonly string[]): string[] => [
  `psql -d ${database} -v size_mb=$SIZE_MB >/dev/null <<'SEED'\nSET SESSION AUTHORIZATION ${role};\n`,
  ...texts,
  'SEED\n',
];
