import type { Row } from './row.ts';

const psql = (sql: string, database = 'postgres') =>
  `runuser -u postgres -- psql -XqAt -v ON_ERROR_STOP=1 -d ${database} <<'EOF' >/dev/null\n${sql}\nEOF`;
const ARCHIVE = '/srv/bk/a.backup';
const UNPACKED = '/srv/bk/unpacked';
const saved = `[ -s ${ARCHIVE} ] || { mkdir -p -m 0700 /srv/bk; engine-backup --file=${ARCHIVE} --log=/srv/bk/a.log >/dev/null; }; rm -rf ${UNPACKED} ${UNPACKED}.part`;
const UNITS = 'ovirt-engine ovirt-engine-dwhd ovirt-fence-kdump-listener grafana-server';
const stopped = `systemctl stop ${UNITS}; ${psql(
  ['engine', 'ovirt_engine_history']
    .map(
      (db) =>
        `DROP DATABASE IF EXISTS ${db};\nCREATE DATABASE ${db} OWNER ${db} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8';`,
    )
    .join('\n'),
)}\n${psql('CREATE EXTENSION "uuid-ossp";', 'engine')}`;
const unpacked = `mkdir -p -m 0700 ${UNPACKED} && tar -C ${UNPACKED} -xf ${ARCHIVE}`;
const done = { engine: `rm -rf /srv/bk; systemctl start ${UNITS}` };
const restored = {
  engine: `rm -rf ${UNPACKED}; mkdir -p -m 0700 ${UNPACKED}; ${stopped}\nengine-backup --mode=restore --file=${ARCHIVE} --log=/srv/bk/r.log --restore-permissions >/dev/null; ${done.engine}`,
};
const databases = { db: { host: 'engine', database: 'engine' }, dwhdb: { host: 'engine', database: 'ovirt_engine_history' } };

/** Actions on archives of engine-backup, on the lab's engine; those that restore come last, and leave it as it was. */
export const backupRows: readonly Row[] = [
  {
    action: 'ovirt.backup',
    about: 'by engine-backup',
    host: 'engine',
    with: { path: '/srv/bk2/a.backup' },
    before: { engine: 'rm -rf /srv/bk2' },
    after: { engine: 'rm -rf /srv/bk2' },
    again: 'blocked',
    half: { engine: 'mkdir -p -m 0700 /srv/bk2; echo half >/srv/bk2/a.backup.part' },
    isLong: 'deaths',
    outputs: { scopes: ['files', 'db', 'dwhdb'] },
  },
  {
    action: 'ovirt.backup',
    about: 'by Ferry',
    host: 'engine',
    with: { path: '/srv/bk2/a.backup', tool: 'ferry', scopes: ['files', 'db'] },
    before: { engine: 'rm -rf /srv/bk2' },
    after: { engine: 'rm -rf /srv/bk2' },
    again: 'blocked',
    outputs: { scopes: ['files', 'db'] },
    clean: { engine: '[ ! -e /srv/bk2/a.backup.work ]' },
    isLong: 'deaths',
  },
  {
    action: 'ovirt.unpack-backup',
    host: 'engine',
    with: { path: ARCHIVE, into: UNPACKED, scopes: ['files', 'db', 'dwhdb'] },
    before: { engine: saved },
    again: 'blocked',
    half: { engine: `mkdir -p ${UNPACKED}.part/m; echo half >${UNPACKED}.part/m/config` },
    outputs: { version: '4.5.7', osVersion: 'debian12', scopes: ['files', 'db', 'dwhdb'] },
  },
  {
    action: 'ovirt.restore-backup',
    about: 'by Ferry',
    host: 'engine',
    with: { tool: 'ferry', path: ARCHIVE, from: UNPACKED, scopes: ['files', 'db', 'dwhdb'], databases },
    before: { engine: `${saved}\n${unpacked}\n${stopped}` },
    after: restored,
    again: 'blocked',
    isLong: 'deaths',
  },
  {
    action: 'ovirt.restore-backup',
    about: 'by engine-backup',
    host: 'engine',
    with: { path: ARCHIVE, from: UNPACKED, scopes: ['files', 'db', 'dwhdb'], databases },
    before: { engine: `${saved}\n${unpacked}\n${stopped}` },
    after: restored,
    again: 'blocked',
    isLong: 'all',
  },
];
