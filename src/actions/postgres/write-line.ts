import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { inDatabase, psql } from '../../facts/postgres/psql.ts';
import type { Host } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { nowMs } from '../../lib/clock.ts';
import { plural } from '../../lib/text.ts';
import { blocked, check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { clusterPort, databaseName, notReady } from './params.ts';

// Tables never written to are left out, so that thousands of them cost nothing in the journal.
const SQL = String.raw`SELECT json_build_object('wal', pg_current_wal_lsn()::text, 'tables', (SELECT coalesce(json_object_agg(
 quote_ident(schemaname) || '.' || quote_ident(relname), n_tup_ins + n_tup_upd + n_tup_del), '{}')
 FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0));
\endif`;

const counters = z.object({ wal: z.string(), tables: z.record(z.string(), z.int()) });
type Counters = z.infer<typeof counters>;

/** An idle session may keep its counts back for ten seconds. */
const LATE_MS = 11_000;

export default defineAction({
  summary: 'Draw the write line: record the write counters of a database just before writers start on it.',
  description:
    'From here on, going back loses what is written later. A rollback across this step needs a yes, tells how many rows were written since in which tables, and keeps the database under another name. Counters come from the statistics of the server.',
  tools: ['psql'],
  params: z.strictObject({ database: databaseName(), port: clusterPort() }),
  outputs: {
    database: 'Name of the database.',
    port: 'Port of its cluster.',
    wal: 'Write-ahead log position when the line was drawn.',
    tables: 'Map of table to rows inserted, updated and deleted since its statistics began.',
  },
  facts: ({ host }, { database, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
  }),
  touches: ({ database, port }, role) => ({
    reads: [[role, pgDatabase.key(port, database)]],
    effects: [{ does: 'draw-write-line', role, port, database }],
  }),
  plan({ database, port }, facts, { host }) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    if (facts.database.absent)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Draw the line after the step that makes it.');
    const outputs = { database, port, wal: unknown('position of the write-ahead log'), tables: unknown('write counters') };
    return check(`record the write counters of ${database}`, { outputs });
  },
  async apply({ on, params: { database, port } }) {
    const now = await readCounters(on, port, database);
    return { database, port, ...now };
  },
  async written({ on, outputs }) {
    const { database, port, wal, tables } = outputs as { database: string; port: number } & Counters;
    const deadline = nowMs() + LATE_MS;
    for (;;) {
      const now = await readCounters(on, port, database);
      const lines = writtenSince(tables, now.tables);
      // The log does not move without a write; when it moved for another reason, counters are waited for and do not come.
      if (lines.length > 0 || now.wal === wal || nowMs() > deadline) return lines;
      await delay(1000);
    }
  },
  examples: [{ title: 'Before the engine starts on the new server', with: { database: 'engine' } }],
});

async function readCounters(host: Host, port: number, database: string): Promise<Counters> {
  const { open, variables } = inDatabase(database);
  const answer = await host.run(sh`printf '%s\\n' ${`${open}\n${SQL}`} | ${psql({ port }, variables)}`);
  if (answer.code !== 0 || answer.stdout.trim() === '') {
    const why = answer.stderr.trim() || `database "${database}" does not exist`;
    throw new FerryError(
      'CHECK_FAILED',
      { what: `the write line of ${database}`, host: host.name, why },
      { left: 'Nothing was changed.' },
    );
  }
  return counters.parse(JSON.parse(answer.stdout));
}

/**
 * A line for each table with more writes than before. Counters that fell, or are gone, began anew after a crash or were reset:
 * then all they count is new, and that there may be more is told too.
 */
export function writtenSince(before: Readonly<Record<string, number>>, now: Readonly<Record<string, number>>): string[] {
  const lines = Object.entries(now).flatMap(([table, count]) => {
    const then = before[table] ?? 0;
    const rows = count >= then ? count - then : count;
    return rows > 0 ? [`${table.replace(/^public\./, '')}: ${rows} ${rows === 1 ? 'row' : 'rows'} written`] : [];
  });
  const lost = Object.entries(before).filter(([table, then]) => (now[table] ?? 0) < then).length;
  return lost === 0
    ? lines
    : [...lines, `the counters of ${plural(lost, 'table')} began anew, or the tables are gone: there may be more`];
}
