/** A database that engine-backup saves: the scope it is asked for with, the member its dump is in, and its words in `config`. */
export interface BackupDatabase {
  readonly scope: string;
  readonly member: string;
  readonly title: string;
  /** Before `DB_DUMP_FORMAT` and `DB_DUMP_COMPRESSOR` in `config`; null where `config` has neither. */
  readonly prefix: string | null;
  /** The key of engine-setup without which engine-backup leaves it out and still ends well. */
  readonly key: string | null;
}

export const DATABASES: readonly BackupDatabase[] = [
  { scope: 'db', member: 'db/engine_backup.db', title: 'engine', prefix: '', key: 'OVESETUP_ENGINE_CORE/enable' },
  { scope: 'dwhdb', member: 'db/dwh_backup.db', title: 'data warehouse', prefix: 'DWH_', key: 'OVESETUP_DWH_CORE/enable' },
  { scope: 'cinderlibdb', member: 'db/cinderlib_backup.db', title: 'cinderlib', prefix: 'CINDERLIB_', key: null },
  {
    scope: 'managedblockdb',
    member: 'db/managedblock_backup.db',
    title: 'managed block storage',
    prefix: 'MANAGEDBLOCK_',
    key: null,
  },
  {
    scope: 'keycloakdb',
    member: 'db/keycloak_backup.db',
    title: 'Keycloak',
    prefix: 'KEYCLOAK_',
    key: 'OVESETUP_KEYCLOAK_CORE/enable',
  },
  { scope: 'grafanadb', member: 'db/grafana.db', title: 'Grafana', prefix: null, key: 'OVESETUP_GRAFANA_CORE/enable' },
];

/** Members every archive has, beside a list of hashes. */
export const PARTS = ['config', 'version', 'os_version'] as const;

/** Lists of hashes, in the order engine-backup looks for them; the first that is there counts. */
export const HASH_LISTS = ['sha256sum', 'md5sum'] as const;
export type HashList = (typeof HASH_LISTS)[number];

/** The product's files, an archive of its own inside. */
export const FILES = 'files';

/** What engine-backup saves of a machine's files; under the last two not everything. */
export const BACKUP_PATHS: readonly string[] = [
  ...['/etc/ovirt-engine', '/etc/ovirt-engine-dwh', '/etc/ovirt-provider-ovn/conf.d', '/etc/ovirt-provider-ovn/logger.conf'],
  ...['/etc/ovirt-vmconsole', '/etc/pki/ovirt-engine', '/etc/pki/ovirt-vmconsole', '/etc/ovirt-engine-setup.conf.d'],
  '/etc/httpd/conf.d/internalsso-openidc.conf',
  '/etc/httpd/conf.d/ovirt-engine-grafana-proxy.conf',
  '/etc/httpd/conf.d/ovirt-engine-root-redirect.conf',
  '/etc/httpd/conf.d/ssl.conf',
  '/etc/httpd/conf.d/z-ovirt-engine-proxy.conf',
  '/etc/httpd/conf.d/z-ovirt-engine-keycloak-proxy.conf',
  '/etc/httpd/conf.d/ovirt-sso.conf',
  '/etc/httpd/http.keytab',
  ...['/etc/yum/pluginconf.d/versionlock.list', '/etc/dnf/plugins/versionlock.list'],
  ...['/etc/firewalld/services/ovirt-https.xml', '/etc/firewalld/services/ovirt-http.xml'],
  ...['/etc/firewalld/services/ovirt-postgres.xml', '/etc/firewalld/services/ovirt-provider-ovn.xml'],
  '/etc/firewalld/services/ovn-central-firewall-service.xml',
  '/var/lib/openvswitch',
  '/etc/grafana',
  '/var/lib/ovirt-engine/*',
  '/var/lib/grafana/*',
];

/** Where they lie: all that engine-backup saves is under one of these. */
export const SAVED_PATHS: readonly string[] = [
  'etc/ovirt-engine',
  'etc/ovirt-engine-dwh',
  'etc/ovirt-engine-reports',
  'etc/ovirt-provider-ovn',
  'etc/ovirt-vmconsole',
  'etc/pki/ovirt-engine',
  'etc/pki/ovirt-vmconsole',
  'etc/ovirt-engine-setup.conf.d',
  'etc/httpd/conf.d',
  'etc/httpd/http.keytab',
  'etc/yum/pluginconf.d/versionlock.list',
  'etc/dnf/plugins/versionlock.list',
  'etc/firewalld/services',
  'etc/grafana',
  'var/lib/openvswitch',
  'var/lib/ovirt-engine',
  'var/lib/ovirt-engine-reports',
  'var/lib/grafana',
];

/** The name of a member without what tar puts before it: `./db/x` is `db/x`. */
export function plainName(name: string): string {
  return name.replace(/^(\.\/+)+/, '').replace(/\/+$/, '') || '.';
}

/** Why a name may not be unpacked; null when it may. */
export function unsafeName(name: string): string | null {
  if (name.startsWith('/')) return 'its name begins at the root';
  if (name.split('/').includes('..')) return 'its name leads out of the folder it is unpacked to';
  return /\p{Cc}/u.test(name) ? 'its name has a control character' : null;
}
