import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { finding } from '../../errors/finding.ts';
import { type DwhState, dwhState, showDwhState } from '../../facts/dwh-state.ts';
import { ownAddresses } from '../../facts/own-addresses.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { resolvedName } from '../../facts/resolved-name.ts';
import { poll } from '../../lib/clock.ts';
import { check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { duration, hostAddress, role, toMs } from '../params.ts';
import { clusterPort, databaseName, notReady } from '../postgres/params.ts';

export default defineAction({
  summary: 'Wait until a data warehouse samples the engine, and none other.',
  description:
    "Asks the engine's database, on its server: the service is registered as running, from the host that is named, and the time of its last sample moves on while Ferry looks. " +
    'With `running: false` it waits until none is registered as running: what engine-setup demands before it sets up another one, and what a dump of the database must say.',
  tools: ['psql'],
  params: z
    .strictObject({
      database: databaseName().describe("The engine's database."),
      port: clusterPort(),
      from: hostAddress().optional().describe('The name its host has for itself, in full or its first part.'),
      running: z.boolean().default(true).describe('False waits for the contrary: that none runs.'),
      host: role()
        .optional()
        .describe(
          'With `running: false`, the role of the machine whose service was stopped: a plan is refused when one runs elsewhere.',
        ),
      timeout: duration().default('5m').describe('How long to wait for it; a sample is taken every minute.'),
    })
    .refine(({ from, running }) => running || from === undefined, 'from is for a data warehouse that runs')
    .refine(({ host, running }) => !running || host === undefined, 'host goes with running: false'),
  outputs: { host: 'The name of the host it runs on, or ran on last.' },
  roles: ({ host }) => (host === undefined ? [] : [host]),
  facts: ({ host }, { port }) => ({ cluster: pgCluster(port).on(host.name) }),
  touches: (_, role) => ({ effects: [{ does: 'prove', role }] }),
  plan({ port, from, running }, { cluster }) {
    const what = running
      ? `a data warehouse${from === undefined ? '' : ` on ${from}`} samples`
      : 'no data warehouse is registered as running';
    return notReady(cluster, port) ?? check(what, { outputs: { host: unknown('name of its host') } });
  },
  preflight({ database, port, host: machine }, ask, { host, hostOf }) {
    if (machine === undefined) return {};
    const { state } = ask({ state: dwhState(port, database).on(host.name) });
    const found = state.value?.host ?? null;
    if (!state.value || found === null) return {};
    const { name, address } = hostOf(machine);
    const { meant, own } = ask({ meant: resolvedName(found).on(name), own: ownAddresses().on(name) });
    const isOwn = (one: string) => isLoopback(one) || own.value?.includes(one) === true;
    if (sameHost(found, name) || sameHost(found, address) || meant.value?.every(isOwn)) return {};
    // One that is stopped may be gone since, its name stays; and what a name means nobody here may know.
    const verb = state.value.runs ? 'runs' : 'ran last';
    const severity = state.value.runs && meant.value ? 'error' : 'warning';
    return { findings: [finding('DWH_ELSEWHERE', { found, verb, host: name, role: machine }, undefined, { severity })] };
  },
  async apply({ on, params: { database, port, from, running, timeout }, ctx }) {
    let first: number | undefined;
    let last = 'the database gave no answer';
    const { kind, args } = dwhState(port, database).on(on.name);
    const host = await poll(
      async () => {
        const found = dwhState.definition.parse(await on.run(kind.script(...args)));
        if (found.state !== 'value') {
          last = found.state === 'unreadable' ? found.why : `${database} is not there, or is no database of an engine`;
          return undefined;
        }
        const state = found.value as DwhState;
        first ??= state.sampledAtS ?? 0;
        last = showDwhState(state);
        if (!running) return state.runs ? undefined : (state.host ?? '');
        const isThere = state.runs && (from === undefined || sameHost(state.host ?? '', from));
        return isThere && (state.sampledAtS ?? 0) > first ? (state.host ?? '') : undefined;
      },
      { timeoutMs: toMs(timeout), intervalMs: 1000, signal: ctx.signal },
    );
    if (host !== undefined) return { host };
    const what = running ? `sampling${from === undefined ? '' : ` from ${from}`}` : 'no data warehouse running';
    const hint = running
      ? ''
      : '. Stop it there. Where it was killed it stays registered: start it once and stop it cleanly (systemctl start, then stop, ovirt-engine-dwhd)';
    throw new FerryError('CHECK_FAILED', { what, host: on.name, why: `after ${timeout}: ${last}${hint}` });
  },
  examples: [{ title: 'See the new data warehouse at work', with: { database: 'engine', from: 'dwh.example.com' } }],
});

/** A host may know itself by its short name. */
function sameHost(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || a.split('.')[0] === b || a === b.split('.')[0];
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
