import type { ActingHost } from '../../hosts/host.ts';
import { reveal, Secret } from '../../hosts/secret.ts';
import { sh } from '../../hosts/sh.ts';
import { replaceFile } from '../replace-file.ts';
import { PREFIXES } from './engine-access.ts';
import type { Credentials, CredentialsOf } from './restore-params.ts';

const ENGINE_FILE = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
const DWH_FILE = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
export const KEYCLOAK_FILE = '/etc/ovirt-engine/engine.conf.d/12-setup-keycloak.conf';
const KEYS = ['HOST', 'PORT', 'USER', 'PASSWORD', 'DATABASE', 'SECURED', 'SECURED_VALIDATION', 'DRIVER', 'URL'] as const;

/** The nine lines of a database as engine-setup writes them, the URL written out; each value as every reader understands it. */
export function confBlock(prefix: string, to: Credentials): string {
  const options = [
    ...(to.secured ? ['ssl=true'] : []),
    ...(to.validation ? [] : ['sslfactory=org.postgresql.ssl.NonValidatingFactory']),
  ].join('&');
  const host = to.address.includes(':') ? `[${to.address}]` : to.address;
  const values: Record<(typeof KEYS)[number], string> = {
    HOST: to.address,
    PORT: String(to.port),
    USER: to.user,
    PASSWORD: reveal(to.password),
    DATABASE: to.database,
    SECURED: to.secured ? 'True' : 'False',
    SECURED_VALIDATION: to.validation ? 'True' : 'False',
    DRIVER: 'org.postgresql.Driver',
    URL: `jdbc:postgresql://${host}:${to.port}/${to.database}?${options}`,
  };
  return KEYS.map((key) => `${prefix}_${key}="${values[key].replace(/[\\"$`]/g, '\\$&')}"\n`).join('');
}

/**
 * Puts new credentials into the files that were restored, in place of the lines of that database; mode and owner stay. Files in
 * `done` were rewritten already.
 */
export async function rewriteConf(on: ActingHost, credentials: CredentialsOf, done: readonly string[] = []): Promise<string[]> {
  const { db, dwhdb, keycloakdb } = credentials;
  const wishes: [path: string, blocks: [prefix: string, to: Credentials | undefined][]][] = [
    [ENGINE_FILE, [[PREFIXES.db, db]]],
    [
      DWH_FILE,
      [
        [PREFIXES.db, db],
        [PREFIXES.dwhdb, dwhdb],
      ],
    ],
    ['/etc/ovirt-engine/engine.conf.d/10-setup-dwh-database.conf', [[PREFIXES.dwhdb, dwhdb]]],
    [KEYCLOAK_FILE, [[PREFIXES.keycloakdb, keycloakdb]]],
  ];
  const written: string[] = [];
  for (const [index, [path, blocks]] of wishes.entries()) {
    const changed = blocks.flatMap(([prefix, to]) => (to ? [{ prefix, to }] : []));
    if (changed.length === 0 || done.includes(path)) continue;
    const { code, stdout } = await on.run(sh`[ -f ${path} ] || exit 1; stat -c '%04a %U %G' -- ${path}; cat -- ${path}`);
    if (code !== 0) continue;
    const [head = '', ...lines] = stdout.split('\n');
    const [mode = '0600', owner = 'root', group = 'root'] = head.split(' ');
    const others = lines.filter((line) => !changed.some(({ prefix }) => line.startsWith(`${prefix}_`))).join('\n');
    const text = `${changed.map(({ prefix, to }) => confBlock(prefix, to)).join('')}${others.trim() === '' ? '' : others}`;
    await replaceFile(on, `rewrite-${index}`, path, new Secret(text, `config:${path}`), { mode, owner, group });
    written.push(path);
  }
  return written;
}
