import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execOn, labDown, labReset, labUp } from '../../lab/lab.ts';
import { pollUntil } from '../../lab/poll-until.ts';

let dir: string;
const said: string[] = [];
const say = (line: string): void => void said.push(line);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ferry-lab-dwh-'));
  await labUp({ dir, sizeMb: 1, hosts: ['engine', 'dwh'], say });
}, 300_000);

afterAll(async () => {
  await labDown({ dir, say });
  await rm(dir, { recursive: true, force: true });
  process.stderr.write(`${said.join('\n')}\n`);
}, 60_000);

const HISTORY = 'ovirt_engine_history';
// Past systemd's limit of five starts in ten seconds.
const RESTART = 'systemctl reset-failed ovirt-engine-dwhd; systemctl restart ovirt-engine-dwhd';
const DWHD_CONF = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d';
const DASHBOARD_CONF = '/etc/ovirt-engine/engine.conf.d/10-setup-dwh-database.conf';
const out = async (host: string, command: string): Promise<string> => (await execOn(dir, host, command)).stdout.trim();
const sql = (query: string, database = HISTORY): Promise<string> =>
  out('engine', `cd / && runuser -u postgres -- psql -XAt -d ${database} <<'SQL'\n${query}\nSQL`);
const eventually = (what: string, condition: () => Promise<boolean>) => pollUntil(condition, { what, timeoutMs: 15_000 });
const samples = () => sql('SELECT max(history_id) FROM host_samples_history').then(Number);
const sampling = async () => {
  const before = await samples();
  await eventually('a new sample', async () => (await samples()) > before);
};
const dwhdLog = () => out('engine', 'tail -n 3 /var/log/ovirt-engine-dwh/ovirt-engine-dwhd.log');
const grafana = async (path: string) => JSON.parse(await out('engine', `curl -s http://localhost:3000/api/${path}`));
const sourceStatus = async () => (await grafana('datasources/uid/DS_OVIRT_DWH/health')).status;
const sessions = (role: string) =>
  sql(`SELECT count(*) FROM pg_stat_activity WHERE datname = '${HISTORY}' AND usename = '${role}'`);

describe("the data warehouse's database", () => {
  it('has a key in every table, and belongs to its own role', async () => {
    const tables = `SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM pg_index WHERE indrelid = c.oid AND indisprimary)),
      count(*) FILTER (WHERE relowner <> '${HISTORY}'::regrole) FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`;
    expect(await sql(tables)).toBe('41|0|0');
  });

  it('lets Grafana read what is there and what comes, and keeps a setting that no dump has', async () => {
    const rights = `SELECT has_database_privilege('${HISTORY}_grafana', '${HISTORY}', 'CONNECT'), datacl::text LIKE '%${HISTORY}_grafana=c/%' FROM pg_database WHERE datname = '${HISTORY}';
      SELECT bool_and(has_table_privilege('${HISTORY}_grafana', oid, 'SELECT')) FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace;
      SELECT defaclrole::regrole FROM pg_default_acl ORDER BY 1; SHOW client_min_messages`;
    expect(await sql(rights)).toBe(`t|t\nt\npostgres\n${HISTORY}\nerror`);
  });
});

describe('dwhd', () => {
  it('samples into its database and tells the engine when', async () => {
    const lastSync = () => sql("SELECT var_datetime FROM dwh_history_timekeeping WHERE var_name = 'lastSync'", 'engine');
    const before = await lastSync();
    await sampling();
    await eventually('lastSync to move', async () => (await lastSync()) !== before);
    expect(await sql("SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'dwhHostname'", 'engine')).toBe(
      'engine.lab.example',
    );
  });

  it('follows DWH_DB_URL and not HOST, and stops its flag only when it stops', async () => {
    const file = `${DWHD_CONF}/10-setup-database.conf`;
    await out('engine', `cp -p ${file} /root/kept; sed -i 's/^DWH_DB_HOST=.*/DWH_DB_HOST="dwh"/' ${file}`);
    await out('engine', RESTART);
    await sampling();
    await out('engine', `sed -i '/^DWH_DB_URL/s/localhost/dwh/' ${file}; ${RESTART}`);
    await eventually('a complaint', async () =>
      (await dwhdLog()).includes("Cannot reach the data warehouse's database at dwh:5432"),
    );
    await out('engine', `cp -p /root/kept ${file}; ${RESTART}`);
    await sampling();
  });

  it('will not run with another uuid, nor beside an engine of another version', async () => {
    const set = (option: string, value: string) =>
      sql(`UPDATE vdc_options SET option_value = '${value}' WHERE option_name = '${option}'`, 'engine');
    const uuid = `${DWHD_CONF}/10-setup-uuid.conf`;
    await out('engine', `cp -p ${uuid} /root/uuid; echo DWH_UUID=other >${uuid}; ${RESTART}`);
    await eventually('a refusal', async () => (await dwhdLog()).includes('This installation is invalid. There might be'));
    await set('MinimalETLVersion', '4.4.0');
    await out('engine', `cp -p /root/uuid ${uuid}; ${RESTART}`);
    await eventually('a refusal', async () => (await dwhdLog()).includes('incompatible with installed DWH version 4.5.9'));
    expect(await out('engine', 'systemctl is-active ovirt-engine-dwhd')).toBe('activating');
    await set('MinimalETLVersion', '4.5.0');
    await out('engine', RESTART);
    await sampling();
  });

  it('stops when it is told to disconnect', async () => {
    await sql("UPDATE vdc_options SET option_value = '1' WHERE option_name = 'DisconnectDwh'", 'engine');
    await eventually('the end', async () => (await out('engine', 'systemctl is-active ovirt-engine-dwhd')) === 'inactive');
    await sql("UPDATE vdc_options SET option_value = '0' WHERE option_name = 'DisconnectDwh'", 'engine');
  });
});

describe('the dashboard', () => {
  it('is one connection of the engine, found when the engine starts', async () => {
    await eventually('dwhd to be gone', async () => (await sessions(HISTORY)) === '1');
    await out('engine', `mv ${DASHBOARD_CONF} /root/dashboard`);
    expect(await sessions(HISTORY)).toBe('1');
    await out('engine', 'systemctl restart ovirt-engine');
    await eventually('the health page', async () =>
      (await out('engine', 'curl -s http://localhost/ovirt-engine/services/health')).startsWith('DB Up'),
    );
    expect(await sessions(HISTORY)).toBe('0');
    await out('engine', `mv /root/dashboard ${DASHBOARD_CONF}; systemctl restart ovirt-engine`);
    await eventually('the dashboard', async () => (await sessions(HISTORY)) === '1');
  });
});

describe('Grafana', () => {
  const FILE = '/etc/grafana/conf/provisioning/datasources/ovirt-dwh.yaml';

  it('keeps a connection to its data source and tells whether a query works', async () => {
    expect(await grafana('health')).toMatchObject({ database: 'ok' });
    expect(await sourceStatus()).toBe('OK');
    expect(await sessions(`${HISTORY}_grafana`)).toBe('1');
    expect(JSON.stringify(await grafana('datasources'))).not.toContain('password');
    await sql(`REVOKE SELECT ON v4_5_latest_configuration_hosts FROM ${HISTORY}_grafana`);
    expect(await sourceStatus()).toBe('ERROR');
    await sql(`GRANT SELECT ON v4_5_latest_configuration_hosts TO ${HISTORY}_grafana`);
    expect(await sourceStatus()).toBe('OK');
  });

  it('reads its file when it starts, and refuses one that is no YAML', async () => {
    await out('engine', `cp -p ${FILE} /root/source; sed -i 's/url: .*/url: dwh:5432/' ${FILE}`);
    expect(await sourceStatus()).toBe('OK');
    await out('engine', 'systemctl restart grafana-server');
    expect((await grafana('datasources'))[0].url).toBe('dwh:5432');
    expect(await sourceStatus()).toBe('ERROR');
    await out('engine', `echo 'url = dwh' >>${FILE}; systemctl restart grafana-server`);
    expect(await out('engine', 'tail -n 1 /var/log/grafana/grafana.log')).toContain('Datasource provisioning error');
    await out('engine', `cp -p /root/source ${FILE}; systemctl reset-failed grafana-server; systemctl restart grafana-server`);
    await eventually('the data source', async () => (await sourceStatus()) === 'OK');
  });
});

describe('the packages', () => {
  const version = (host: string) => out(host, "dpkg-query -W -f '${Version} ${db:Status-Abbrev}' ovirt-engine-dwh 2>/dev/null");

  it('are on the engine, and can be had on the new machine in two versions', async () => {
    expect(await version('engine')).toBe('4.5.9-1 ii');
    expect(await version('dwh')).toBe('');
    expect(await out('dwh', "apt-cache madison ovirt-engine-dwh | cut -d'|' -f2 | tr -d ' '")).toBe('4.5.9-1\n4.5.8-1');
    await out('dwh', 'apt-get install -y -q ovirt-engine-dwh-setup');
    expect(await version('dwh')).toBe('4.5.9-1 ii');
    expect(await out('dwh', 'ls /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d; systemctl is-enabled ovirt-engine-dwhd')).toBe(
      'disabled',
    );
  });

  it('are really removed, and leave what engine-setup wrote', async () => {
    await out('engine', 'systemctl start ovirt-engine-dwhd; apt-get remove -y -q ovirt-engine-dwh');
    expect(await out('engine', 'systemctl is-active ovirt-engine-dwhd; ls /lib/systemd/system/ovirt-engine-dwhd.service')).toBe(
      'inactive',
    );
    expect(await out('engine', `ls ${DWHD_CONF}/10-setup-uuid.conf`)).toContain('uuid.conf');
    await labReset({ dir, hosts: ['engine'], say });
    expect(await version('engine')).toBe('4.5.9-1 ii');
    await sampling();
  });
});
