import { createHash, randomInt } from 'node:crypto';

/** Where an oVirt program finds a database. */
export type DatabaseAccess = { host: string; port: number; user: string; password: string; database: string };

/** A file to write on the engine host: the owner is `root` or `ovirt`. */
export type ConfFile = { path: string; text: string; owner: string; group: string; mode: number };

const ENGINE_CONF_FOLDER = '/etc/ovirt-engine/engine.conf.d';
const DWH_CONF_FOLDER = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d';

const DWH_UUID = '1f0a4d5e-73a4-4bd2-9c1f-2f1f0c9f4b11';

/** A value as every reader of these files understands it: backslash before `\`, `"`, `$` and a backtick. */
export const escapeValue = (value: string): string => value.replace(/[\\"$`]/g, '\\$&');

/** The nine lines of a database in the order engine-setup writes them, the URL expanded. */
function block(prefix: string, db: DatabaseAccess): string {
  const url = `jdbc:postgresql://${db.host}:${db.port}/${db.database}?sslfactory=org.postgresql.ssl.NonValidatingFactory`;
  const pairs: [string, string][] = [
    ['HOST', db.host],
    ['PORT', String(db.port)],
    ['USER', db.user],
    ['PASSWORD', db.password],
    ['DATABASE', db.database],
    ['SECURED', 'False'],
    ['SECURED_VALIDATION', 'False'],
    ['DRIVER', 'org.postgresql.Driver'],
    ['URL', url],
  ];
  return pairs.map(([key, value]) => `${prefix}_DB_${key}="${escapeValue(value)}"\n`).join('');
}

/** The data warehouse's database as its owner and as Grafana reach it in a lab with that password of the engine's. */
export function dwhAccess(labPassword: string): { dwh: DatabaseAccess; grafana: DatabaseAccess } {
  const access = (user: string): DatabaseAccess => ({
    host: 'localhost',
    port: 5432,
    user,
    password: createHash('sha256').update(`${user}${labPassword}`).digest('hex').slice(0, 22),
    database: 'ovirt_engine_history',
  });
  return { dwh: access('ovirt_engine_history'), grafana: access('ovirt_engine_history_grafana') };
}

const OVIRT = { owner: 'ovirt', group: 'ovirt', mode: 0o600 };
const SHARED = { owner: 'root', group: 'ovirt', mode: 0o640 };

/** The files that say where the engine's database is, and that of the data warehouse beside it, as engine-setup leaves them. */
export function databaseConfFiles(engine: DatabaseAccess, dwh: DatabaseAccess): ConfFile[] {
  return [
    { path: `${ENGINE_CONF_FOLDER}/10-setup-database.conf`, text: block('ENGINE', engine), ...SHARED },
    { path: `${ENGINE_CONF_FOLDER}/10-setup-dwh-database.conf`, text: block('DWH', dwh), ...OVIRT },
    { path: `${DWH_CONF_FOLDER}/10-setup-database.conf`, text: block('ENGINE', engine) + block('DWH', dwh), ...OVIRT },
  ];
}

/** The other files that engine-setup leaves for the data warehouse and Grafana, where both run on the engine's machine. */
export function dwhConfFiles({ dwh, grafana }: { dwh: DatabaseAccess; grafana: DatabaseAccess }, fqdn: string): ConfFile[] {
  const setup = [
    'action=setup',
    '[environment:default]',
    'OVESETUP_DWH_CORE/enable=bool:True',
    'OVESETUP_ENGINE_CORE/enable=bool:True',
    'OVESETUP_GRAFANA_CORE/enable=bool:True',
    `OVESETUP_CONFIG/fqdn=str:${fqdn}`,
    `OVESETUP_ENGINE_CONFIG/fqdn=str:${fqdn}`,
    'OVESETUP_DWH_PROVISIONING/postgresProvisioningEnabled=bool:True',
  ];
  const url = ['ENGINE_GRAFANA_FQDN', fqdn, 'ENGINE_GRAFANA_BASE_URL', 'https://${ENGINE_GRAFANA_FQDN}/ovirt-engine-grafana/'];
  return [
    { path: `${DWH_CONF_FOLDER}/10-setup-uuid.conf`, text: `DWH_UUID=${DWH_UUID}\n`, ...OVIRT },
    {
      path: `${DWH_CONF_FOLDER}/10-setup-scale.conf`,
      text: 'DWH_TABLES_KEEP_SAMPLES=24\nDWH_TABLES_KEEP_HOURLY=720\nDWH_TABLES_KEEP_DAILY=0\n',
      ...OVIRT,
    },
    { path: `${DWH_CONF_FOLDER}/10-setup-grafana-database.conf`, text: block('GRAFANA', grafana), ...SHARED },
    {
      path: `${DWH_CONF_FOLDER}/20-setup-legacy.conf`,
      text: 'DWH_DELETE_JOB_HOUR="4"\n',
      owner: 'root',
      group: 'root',
      mode: 0o644,
    },
    { path: '/etc/ovirt-engine-dwh/examples/10-setup-dwh-database.conf', text: block('DWH', dwh), ...OVIRT },
    {
      path: `${ENGINE_CONF_FOLDER}/10-setup-grafana-access.conf`,
      text: `${url[0]}=${url[1]}\n${url[2]}=${url[3]}\n`,
      ...SHARED,
    },
    {
      path: '/etc/grafana/conf/provisioning/datasources/ovirt-dwh.yaml',
      text: datasource(grafana),
      owner: 'root',
      group: 'grafana',
      mode: 0o640,
    },
    {
      path: '/etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf',
      text: `# ${setup.join('\n')}\n`,
      owner: 'root',
      group: 'root',
      mode: 0o644,
    },
  ];
}

/** Grafana's provisioned data source as engine-setup fills it in. */
const datasource = ({ host, port, user, password, database }: DatabaseAccess): string => `---
apiVersion: 1

datasources:
- name: oVirt DWH
  type: postgres
  access: proxy
  orgId: 1
  uid: DS_OVIRT_DWH
  url: ${host}:${port}
  editable: true
  isDefault: true
  secureJsonData:
    password: ${password}
  user: ${user}
  database: ${database}
  jsonData:
    sslmode: disable
`;

/** A password as engine-setup makes one: 22 letters and digits. */
export function randomPassword(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 22 }, () => letters[randomInt(letters.length)]).join('');
}
