import { FerryError } from '../../errors/ferry-error.ts';
import type { FactRef, Observed } from '../../facts/fact.ts';
import { type PgCluster, pgCluster } from '../../facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import { readFacts } from '../../facts/read.ts';
import type { ActingHost } from '../../hosts/host.ts';

/**
 * Reads a database an undo is about, and what else it asks. A server that is stopped has no databases to show, which must not
 * pass for "there is none": the undo fails, and stays owed until somebody starts the server.
 * @throws POSTGRES_STOPPED, FACT_UNREADABLE
 */
export async function lookForUndo(
  on: ActingHost,
  port: number,
  database: string,
  more: readonly FactRef<unknown>[] = [],
): Promise<{ readonly found: PgDatabase | undefined; readonly more: readonly Observed<unknown>[] }> {
  const refs = [pgCluster(port).on(on.name), pgDatabase(port, database).on(on.name), ...more];
  const [cluster, found, ...rest] = await readFacts(on, refs);
  const server = cluster?.state === 'value' ? (cluster.value as PgCluster) : undefined;
  if (server && !server.running) throw new FerryError('POSTGRES_STOPPED', { host: on.name, port, unit: server.unit });
  for (const answer of [cluster, found]) {
    if (answer?.state === 'unreadable')
      throw new FerryError('FACT_UNREADABLE', { host: on.name, fact: `Database ${database}`, why: answer.why });
  }
  return { found: found?.state === 'value' ? (found.value as PgDatabase) : undefined, more: rest };
}
