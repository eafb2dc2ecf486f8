import { createHash, randomInt } from 'node:crypto';

/** Where an oVirt program finds a database. */
export type DatabaseAccess = { host: string; port: number; user: string; password: string; database: string };

/** A file to write on the engine host: the owner is `root` or `ovirt`. */
export type ConfFile = { path: string; text: string; owner: string; group: string; mode: number };

export const ENGINE_CONF_FOLDER = '/etc/ovirt-engine/engine.conf.d';
export const DWH_CONF_FOLDER = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d';

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

/** The files that say where the databases are, as engine-setup leaves them: content, owner and mode. */
export function databaseConfFiles(engine: DatabaseAccess): ConfFile[] {
  const dwh: DatabaseAccess = {
    host: 'localhost',
    port: 5432,
    user: 'ovirt_engine_history',
    password: createHash('sha256').update(`dwh${engine.password}`).digest('hex').slice(0, 22),
    database: 'ovirt_engine_history',
  };
  const ovirt = { owner: 'ovirt', group: 'ovirt', mode: 0o600 };
  return [
    {
      path: `${ENGINE_CONF_FOLDER}/10-setup-database.conf`,
      text: block('ENGINE', engine),
      owner: 'root',
      group: 'ovirt',
      mode: 0o640,
    },
    { path: `${ENGINE_CONF_FOLDER}/10-setup-dwh-database.conf`, text: block('DWH', dwh), ...ovirt },
    { path: `${DWH_CONF_FOLDER}/10-setup-database.conf`, text: block('ENGINE', engine) + block('DWH', dwh), ...ovirt },
  ];
}

/** A password as engine-setup makes one: 22 letters and digits. */
export function randomPassword(): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length: 22 }, () => letters[randomInt(letters.length)]).join('');
}
