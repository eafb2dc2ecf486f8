import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeUnused } from './base-root.ts';
import { mustRun, runCommand } from './command.ts';
import { asset } from './folders.ts';
import { withLock } from './lock.ts';
import { runInRoot } from './run-in-root.ts';

const KEPT_LAYERS = 4;

/** Makes the cluster as engine-setup leaves it: en_US, its settings raised, reachable from elsewhere with a password. */
const CLUSTER = `
pg_dropcluster 15 main
pg_createcluster --locale=en_US.UTF-8 15 main >/dev/null
for setting in max_connections=150 work_mem=8192kB maintenance_work_mem=65536kB autovacuum_max_workers=6 \\
  autovacuum_vacuum_scale_factor=0.01 autovacuum_analyze_scale_factor=0.075 'listen_addresses=*'; do
  pg_conftool 15 main set "\${setting%%=*}" "\${setting#*=}"
done
sed -i '/^local /a host engine engine 0.0.0.0/0 scram-sha-256\\nhost engine engine ::0/0 scram-sha-256' /etc/postgresql/15/main/pg_hba.conf
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
SQL
`;
const SETTLE = `
runuser -u postgres -- vacuumdb -q -d engine --analyze --freeze
pg_ctlcluster 15 main stop
rm -f /var/log/postgresql/*.log /root/.bash_history
`;

/**
 * The folder of a cached file system layer that, over the base root, holds the cluster with the engine's database of that size.
 * Builds it when the cache has none for this base, size and seed (about 10 s for 200 MB).
 */
export async function engineLayer(baseFolder: string, sizeMb: number, say: (line: string) => void): Promise<string> {
  const seeds = (await readdir(dirname(asset('seed', '10-core-tables.sql')))).filter((name) => name.endsWith('.sql')).sort();
  const texts = await Promise.all(seeds.map((name) => readFile(asset('seed', name), 'utf8')));
  const script = [
    CLUSTER,
    "psql -d engine -v size_mb=$SIZE_MB >/dev/null <<'SEED'\nSET SESSION AUTHORIZATION engine;\n",
    ...texts,
    'SEED\n',
    SETTLE,
  ].join('');
  const digest = createHash('sha256').update(script).digest('hex').slice(0, 8);
  const layer = join(baseFolder, `engine-${sizeMb}-${digest}`);
  if (!existsSync(layer)) {
    await withLock(`engine-${sizeMb}`, say, async () => {
      if (!existsSync(layer)) await build(layer, join(baseFolder, 'root'), script, sizeMb, say);
    });
  }
  const now = new Date();
  await utimes(layer, now, now);
  return layer;
}

async function build(layer: string, base: string, script: string, sizeMb: number, say: (line: string) => void): Promise<void> {
  const started = performance.now();
  say(`seeding an engine database of ${sizeMb} MB (once per size)`);
  const building = join(dirname(layer), `.building-engine-${sizeMb}`);
  const root = join(building, 'root');
  // What a killed build left: its mount keeps the folder busy.
  await runCommand(['umount', '--quiet', root]);
  await rm(building, { recursive: true, force: true });
  for (const name of ['root', 'upper', 'work']) await mkdir(join(building, name), { recursive: true });
  const options = `lowerdir=${base},upperdir=${building}/upper,workdir=${building}/work`;
  await mustRun(['mount', '-t', 'overlay', 'ferry-lab-seed', '-o', options, root], { doing: 'mount an overlay for the seed' });
  try {
    await runInRoot(root, script, 'seed the engine database', { SIZE_MB: String(sizeMb) });
  } finally {
    await runCommand(['umount', root]);
  }
  await rename(join(building, 'upper'), layer);
  await rm(building, { recursive: true, force: true });
  await removeUnused('engine-', KEPT_LAYERS, dirname(layer));
  say(`engine database seeded in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
