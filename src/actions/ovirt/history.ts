import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { clusterPort, databaseName, notReady } from '../postgres/params.ts';

/** Since when there is a history, and which tables have rows. A database without tables gives nothing, and is no error. */
const HISTORY_SQL = String.raw`SELECT format('SELECT %L || CASE var_value WHEN %L THEN %L ELSE coalesce(var_datetime::text, %L) END FROM public.%I WHERE var_name = %L', 'since=', 'true', 'not yet', 'unknown', tablename, 'firstSync')
FROM pg_catalog.pg_tables WHERE schemaname = 'public' AND tablename = 'history_configuration' \gexec
SELECT format('SELECT %L WHERE EXISTS (SELECT FROM public.%I)', 'filled=' || tablename, tablename)
FROM pg_catalog.pg_tables WHERE schemaname = 'public' ORDER BY tablename \gexec`;

const SHOWN_TABLES = 5;

export default defineAction({
  summary: 'See that the history of a data warehouse is there, and as it was before.',
  description:
    'engine-setup refreshes the schema; when it is ended in the middle of that it clears the database and restores the dump it made, and one that is ended there too leaves it empty: ' +
    'the next engine-setup makes a new one, and all looks well. So read the history before engine-setup, and give what was found to a second step after it.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName().describe("The data warehouse's database."),
    port: clusterPort(),
    since: z.string().optional().describe('The output of that name of an earlier step: it must be the same now.'),
    filled: z.array(z.string()).default([]).describe('Likewise: tables that must have rows.'),
  }),
  outputs: { since: 'Since when there is a history, as the database says it.', filled: 'Tables that have rows.' },
  facts: ({ host }, { port }) => ({ cluster: pgCluster(port).on(host.name) }),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan({ database, port, since }, { cluster }) {
    const what = since === undefined ? `which history ${database} holds` : `${database} holds the history that it held before`;
    const outputs = { since: unknown('when the history begins'), filled: unknown('tables that have rows') };
    return notReady(cluster, port) ?? check(what, { outputs });
  },
  async apply({ on, params: { database, port, since, filled } }) {
    const answer = await on.run(runSql({ port, database }, HISTORY_SQL));
    if (answer.code !== 0)
      throw new FerryError('CHECK_FAILED', { what: `history in ${database}`, host: on.name, why: answer.stderr.trim() });
    const found = readHistory(answer.stdout);
    const why = historyLost({ since, filled }, found);
    if (why !== null) throw new FerryError('HISTORY_LOST', { host: on.name, database, why });
    return { since: found.since, filled: [...found.filled] };
  },
  examples: [{ title: 'Before engine-setup', with: { database: 'ovirt_engine_history' } }],
});

interface History {
  /** Null where nothing says so. */
  readonly since: string | null;
  readonly filled: readonly string[];
}

/** Reads the answer to `HISTORY_SQL`. */
export function readHistory(text: string): History {
  const of = (name: string) =>
    text.split('\n').flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1).trim()] : []));
  return { since: of('since')[0] ?? null, filled: of('filled') };
}

/** What is missing of the history there was before, in words; null when nothing is. Without one before there must be any at all. */
export function historyLost(
  before: { readonly since: string | undefined; readonly filled: readonly string[] },
  now: History,
): string | null {
  if (now.since === null) return 'it says of no history when it began';
  const emptied = before.filled.filter((table) => !now.filled.includes(table));
  const named = `${emptied.slice(0, SHOWN_TABLES).join(', ')}${emptied.length > SHOWN_TABLES ? ` and ${emptied.length - SHOWN_TABLES} more` : ''}`;
  if (emptied.length > 0) return `nothing is in ${named} any more`;
  if (before.since === undefined || before.since === now.since) return null;
  return `its history begins at "${now.since}" and not at "${before.since}"`;
}
