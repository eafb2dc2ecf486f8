import { z } from 'zod';
import type { Fact } from '../../facts/fact.ts';
import type { PgCluster } from '../../facts/pg-cluster.ts';
import { type Blocked, blocked } from '../action.ts';
import { portNumber } from '../params.ts';

// No control characters.
const NAME = /^\P{Cc}+$/u;

/** The name of something in PostgreSQL, taken as it is: case, dashes and quotes count. At most 63 bytes, as the server cuts the rest. */
export function pgName(what: string) {
  return z
    .string()
    .regex(NAME, `write the name of a ${what}`)
    .refine((name) => Buffer.byteLength(name) <= 63, `the name of a ${what} has 63 bytes at most`);
}

export function databaseName() {
  return pgName('database').describe('Name of the database, exactly as PostgreSQL has it.');
}

export function roleName() {
  return pgName('role').describe('Name of the role, exactly as PostgreSQL has it.');
}

export function extensionName() {
  return pgName('extension').describe('Name of the extension, such as uuid-ossp.');
}

/** How pg_dump writes a dump. */
export function dumpFormat() {
  return z.enum(['custom', 'plain']).default('custom');
}

/** The cluster a step means. */
export function clusterPort() {
  return portNumber()
    .default(5432)
    .describe('Port of the cluster; it is reached over its socket, so it need not listen on the network.');
}

/** Why a step cannot be done while its server does not run; undefined when it runs, or will by then. */
export function notReady(cluster: Fact<PgCluster>, port: number): Blocked | undefined {
  if (cluster.value?.running) return undefined;
  if (cluster.value) {
    return blocked(
      `PostgreSQL on ${cluster.host} port ${port} is stopped`,
      `Start it:  systemctl start ${cluster.value.unit}   or add a postgres.cluster step before this one.`,
    );
  }
  return blocked(
    `${cluster.host} has no PostgreSQL cluster on port ${port}`,
    'Check `port`, or add a postgres.cluster step before this one.',
  );
}

/** Why pg_dump or pg_restore cannot work with a server: missing, or older than it. */
export function clientTooOld(client: Fact<number>, cluster: Fact<PgCluster>): Blocked | undefined {
  const server = cluster.value?.version;
  if (server === undefined || !client.read) return undefined;
  if (!client.value)
    return blocked(
      `${client.host} has no pg_dump`,
      `Install the client:  postgresql-client-${server} on Debian, postgresql on Enterprise Linux.`,
    );
  if (client.value >= server) return undefined;
  return blocked(
    `the PostgreSQL client on ${client.host} is version ${client.value}, its server is version ${server}: pg_dump refuses a newer server`,
    `Install client version ${server} on ${client.host}, for example postgresql-client-${server}.`,
  );
}
