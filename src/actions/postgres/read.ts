import { z } from 'zod';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgDatabaseNames } from '../../facts/pg-database-names.ts';
import { pgSessions } from '../../facts/pg-sessions.ts';
import { isSecretSetting } from '../../facts/pg-setting.ts';
import { pgSize } from '../../facts/pg-size.ts';
import { Secret } from '../../hosts/secret.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { blocked, check, defineAction } from '../action.ts';
import type { OutputValue } from '../outputs.ts';
import { clusterPort, databaseName, notReady, roleName } from './params.ts';

export default defineAction({
  summary: 'Read what a database is: owner, encoding, locale, settings, extensions, size.',
  description:
    'Changes nothing. Its outputs are known when the plan is made, so that a new database can be planned to be like it.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    port: clusterPort(),
    connected: roleName().optional().describe('Does not hold unless this role has a session on the database right now.'),
  }),
  outputs: {
    database: 'Name of the database.',
    port: 'Port of its cluster.',
    owner: 'Role that owns it.',
    encoding: 'Encoding, such as UTF8.',
    collate: 'LC_COLLATE, such as en_US.UTF-8.',
    ctype: 'LC_CTYPE.',
    settings: 'Map of what ALTER DATABASE ... SET has set.',
    extensions: 'Names of its extensions, plpgsql left out.',
    bytes: 'Size on disk; null when it cannot be told.',
    tables: 'Number of tables; null when it cannot be told.',
    version: 'Major version of the server.',
  },
  facts: ({ host }, { database, port, connected }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    size: pgSize(port, database).on(host.name),
    names: pgDatabaseNames(port).on(host.name),
    sessions: connected === undefined ? [] : [pgSessions(port, database).on(host.name)],
  }),
  touches: ({ database, port, connected }, role) => ({
    reads: [[role, pgDatabase.key(port, database)]],
    effects: connected === undefined ? [] : [{ does: 'prove', role }],
  }),
  plan({ database, port, connected }, facts, { host }) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    const found = facts.database.value;
    if (!found)
      return blocked(
        `database "${database}" does not exist on ${host.name}`,
        `There are: ${facts.names.value?.join(', ') ?? 'none'}.`,
      );
    if (connected !== undefined && !facts.sessions.some(({ value }) => value?.some(({ user }) => user === connected)))
      return blocked(
        `${connected} has no session on database "${database}" at ${host.name}`,
        'Look where it is connected, and start or restart it.',
      );
    const size = facts.size.value;
    const { owner, encoding, collate, ctype, settings } = found;
    return check(`${database}: owner ${owner}, ${encoding}, ${collate}${size ? `, ${formatBytes(size.bytes)}` : ''}`, {
      outputs: {
        ...{ database, port, owner, encoding, collate, ctype, settings: withSecrets(host.name, database, settings) },
        extensions: Object.keys(found.extensions ?? {}),
        bytes: size?.bytes ?? null,
        tables: size?.tables ?? null,
        version: facts.cluster.value?.version ?? null,
      },
    });
  },
  examples: [{ title: 'The engine database of oVirt', with: { database: 'engine' } }],
});

/** Settings as an output: what may hold a password is a secret. */
function withSecrets(
  host: string,
  database: string,
  settings: Readonly<Record<string, string>>,
): { [name: string]: OutputValue } {
  const entries = Object.entries(settings).map(([name, text]): [string, OutputValue] => [
    name,
    isSecretSetting(name, text) ? new Secret(text, `setting:${host}:${database}:${name}`) : text,
  ]);
  return Object.fromEntries(entries);
}
