import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type PgSessions, readSessions, SESSIONS_SQL } from '../../facts/pg-sessions.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { poll } from '../../lib/clock.ts';
import { plural } from '../../lib/text.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { duration, hostAddress, toMs } from '../params.ts';
import { clusterPort, databaseName, notReady, roleName } from './params.ts';

export default defineAction({
  summary: 'Wait until a database has enough sessions, or none.',
  description: 'Proves where a service is connected: `min: 1` on the new server, `max: 0` on the old one.',
  tools: ['psql'],
  params: z
    .strictObject({
      database: databaseName(),
      role: roleName().optional().describe('Count sessions of this role only.'),
      address: hostAddress().optional().describe('Count sessions from this IP address only.'),
      min: z.int().min(1).optional().describe('At least so many sessions.'),
      max: z.int().min(0).optional().describe('At most so many.'),
      timeout: duration().default('60s').describe('How long to wait for it.'),
      port: clusterPort(),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'give min or max'),
  outputs: { count: 'Number of sessions seen.' },
  facts: ({ host }, { port }) => ({ cluster: pgCluster(port).on(host.name) }),
  touches: ({ database, port, max, role: counted, address }, role) => ({
    effects: [
      { does: 'prove', role },
      // Sessions of one role or address say nothing of the others.
      ...(max === 0 && counted === undefined && address === undefined
        ? [{ does: 'see-no-session', role, port, database } as const]
        : []),
    ],
  }),
  plan(params, { cluster }, { host }) {
    return (
      notReady(cluster, params.port) ??
      check(`${wantedOf(params)} on ${params.database} at ${host.name}`, { outputs: { count: unknown('number of sessions') } })
    );
  },
  async apply({ on, params, ctx }) {
    const { database, port, timeout } = params;
    let why = '';
    let last: PgSessions = [];
    const count = await poll(
      async () => {
        const answer = await on.run(runSql({ port }, SESSIONS_SQL, { db: database }));
        why = answer.code === 0 ? '' : answer.stderr.trim();
        if (why !== '') return undefined;
        last = readSessions(answer.stdout);
        const found = counted(last, params);
        return found >= (params.min ?? 0) && found <= (params.max ?? Infinity) ? found : undefined;
      },
      { timeoutMs: toMs(timeout), intervalMs: 1000, signal: ctx.signal },
    );
    if (count !== undefined) return { count };
    const seen =
      why ||
      last
        .map((group) => `${plural(group.count, 'session')} of ${group.user} from ${group.address ?? 'its own machine'}`)
        .join(', ') ||
      'none';
    throw new FerryError(
      'SESSIONS_UNEXPECTED',
      { host: on.name, database, wanted: wantedOf(params), seen, limit: timeout },
      { left: 'Counting changed nothing.' },
    );
  },
  examples: [
    { title: 'The engine is on the new server', with: { database: 'engine', role: 'engine', min: 1 } },
    { title: 'and not on the old one', with: { database: 'engine', role: 'engine', max: 0 } },
  ],
});

interface Wish {
  readonly role?: string | undefined;
  readonly address?: string | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** How many of the sessions are of the wanted role and address. */
export function counted(sessions: PgSessions, { role, address }: Wish): number {
  const meant = sessions.filter(
    (group) => (role === undefined || group.user === role) && (address === undefined || group.address === address),
  );
  return meant.reduce((sum, group) => sum + group.count, 0);
}

function wantedOf({ role, address, min, max }: Wish): string {
  const who = `${role === undefined ? '' : ` of ${role}`}${address === undefined ? '' : ` from ${address}`}`;
  if (max === 0) return `no session${who}`;
  const bounds = [min === undefined ? '' : `at least ${min}`, max === undefined ? '' : `at most ${max}`]
    .filter(Boolean)
    .join(' and ');
  return `${bounds} ${min === 1 && max === undefined ? 'session' : 'sessions'}${who}`;
}
