import { z } from 'zod';
import { defineFact } from './fact.ts';
import { fromJson, inDatabase, readSql } from './postgres/psql.ts';

const shape = z.object({
  /** Whether one is registered as running: a service that was killed stays so. */
  runs: z.boolean(),
  /** The name of the machine it runs on or ran on last, as that has it for itself; null when there was none. */
  host: z.string().nullable(),
  /** When it sampled last, in seconds since 1970; null when never. */
  sampledAtS: z.number().nullable(),
});
export type DwhState = z.infer<typeof shape>;

const SQL = String.raw`\if :open
SELECT to_regclass('public.dwh_history_timekeeping') IS NOT NULL AS known \gset
\if :known
SELECT json_build_object('runs', coalesce(bool_or(var_name = 'DwhCurrentlyRunning' AND var_value = '1'), false),
 'host', nullif(max(var_value) FILTER (WHERE var_name = 'dwhHostname'), ''),
 'sampledAtS', extract(epoch FROM max(var_datetime) FILTER (WHERE var_name = 'lastSync'))) FROM public.dwh_history_timekeeping;
\endif
\endif
\endif`;

/** What the engine's database knows of its data warehouse; absent where it is no engine's. */
export const dwhState = defineFact<[port: number, database: string], DwhState>({
  kind: 'dwhState',
  class: 'measure',
  script: (port, database) => readSql(port, `${inDatabase(database).open}\n${SQL}`, inDatabase(database).variables),
  parse: (answer) => fromJson(answer, shape),
  show: (published) => showDwhState(published as unknown as DwhState),
});

/** The state in a few words: `one runs, on dwh.example.com, sampled last at 2026-01-01T00:00:00.000Z`. */
export function showDwhState({ runs, host, sampledAtS }: DwhState): string {
  const when = sampledAtS === null ? 'never sampled' : `sampled last at ${new Date(sampledAtS * 1000).toISOString()}`;
  return `${runs ? 'one runs' : 'none runs'}, ${host === null ? '' : `on ${host}, `}${when}`;
}
