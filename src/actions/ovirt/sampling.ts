import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { poll } from '../../lib/clock.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { duration, hostAddress, toMs } from '../params.ts';
import { clusterPort, databaseName, notReady } from '../postgres/params.ts';

/** What the engine's database knows of its data warehouse, a line each. */
const STATE_SQL = `SELECT var_name || '=' || coalesce(CASE WHEN var_name = 'lastSync' THEN extract(epoch FROM var_datetime)::text ELSE var_value END, '')
FROM public.dwh_history_timekeeping WHERE var_name IN ('DwhCurrentlyRunning', 'dwhHostname', 'lastSync')`;

interface DwhState {
  readonly runs: boolean;
  readonly host: string;
  /** When it sampled last, in seconds since 1970; null when never. */
  readonly sampledAt: number | null;
}

export default defineAction({
  summary: 'Wait until a data warehouse samples the engine, and none other.',
  description:
    "Asks the engine's database, on its server: the service is registered as running, from the host that is named, and the time of its last sample moves on while Ferry looks. " +
    'With `running: false` it waits until none is registered as running: what engine-setup demands before it sets up another one.',
  tools: ['psql'],
  params: z
    .strictObject({
      database: databaseName().describe("The engine's database."),
      port: clusterPort(),
      from: hostAddress().optional().describe('The name its host has for itself, in full or its first part.'),
      running: z.boolean().default(true).describe('False waits for the contrary: that none runs.'),
      timeout: duration().default('5m').describe('How long to wait for it; a sample is taken every minute.'),
    })
    .refine(({ from, running }) => running || from === undefined, 'from is for a data warehouse that runs'),
  outputs: { host: 'The name of the host it runs on, or ran on last.' },
  facts: ({ host }, { port }) => ({ cluster: pgCluster(port).on(host.name) }),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan({ port, from, running }, { cluster }) {
    const what = running
      ? `a data warehouse${from === undefined ? '' : ` on ${from}`} samples`
      : 'no data warehouse is registered as running';
    return notReady(cluster, port) ?? check(what, { outputs: { host: unknown('name of its host') } });
  },
  async apply({ on, params: { database, port, from, running, timeout }, ctx }) {
    let first: number | null | undefined;
    let last = 'the database gave no answer';
    const host = await poll(
      async () => {
        const answer = await on.run(runSql({ port, database }, STATE_SQL));
        if (answer.code !== 0) {
          last = answer.stderr.trim();
          return undefined;
        }
        const state = readState(answer.stdout);
        first = first === undefined ? state.sampledAt : first;
        last = shown(state);
        if (!running) return state.runs ? undefined : state.host;
        const isThere = state.runs && (from === undefined || sameHost(state.host, from));
        return isThere && state.sampledAt !== null && state.sampledAt > (first ?? 0) ? state.host : undefined;
      },
      { timeoutMs: toMs(timeout), intervalMs: 1000, signal: ctx.signal },
    );
    if (host !== undefined) return { host };
    const what = running ? `sampling${from === undefined ? '' : ` from ${from}`}` : 'no data warehouse running';
    const hint = running
      ? ''
      : '. Where it was killed it stays registered: start it once and stop it cleanly (systemctl start, then stop, ovirt-engine-dwhd)';
    throw new FerryError('CHECK_FAILED', { what, host: on.name, why: `after ${timeout}: ${last}${hint}` });
  },
  examples: [{ title: 'See the new data warehouse at work', with: { database: 'engine', from: 'dwh.example.com' } }],
});

function readState(text: string): DwhState {
  const has = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  const sampledAt = Number.parseFloat(has.get('lastSync') ?? '');
  return {
    runs: has.get('DwhCurrentlyRunning') === '1',
    host: has.get('dwhHostname') ?? '',
    sampledAt: Number.isNaN(sampledAt) ? null : sampledAt,
  };
}

function shown({ runs, host, sampledAt }: DwhState): string {
  const when = sampledAt === null ? 'never sampled' : `sampled last at ${new Date(sampledAt * 1000).toISOString()}`;
  return `${runs ? 'one runs' : 'none runs'}, ${host ? `on ${host}, ` : ''}${when}`;
}

/** A host may know itself by its short name. */
function sameHost(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || a.split('.')[0] === b || a === b.split('.')[0];
}
