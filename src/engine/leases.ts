import { FerryError } from '../errors/ferry-error.ts';
import { machineOf } from '../hosts/layout.ts';
import type { Lease } from '../hosts/lease.ts';
import type { Ended, RunThere } from '../hosts/runs-here.ts';
import { isoTime } from '../lib/clock.ts';
import { isOutOfReach } from './out-of-sight.ts';
import type { RunContext } from './run-context.ts';

/** The hosts a run may change: those of every line that is not a mere question, and of steps that turned out to be none. */
export function hostsToHold({ state }: Pick<RunContext, 'state'>): string[] {
  const lines = state.plan.lines.filter(
    ({ kind, step }) => kind === 'change' || kind === 'later' || (kind === 'no-change' && state.replanned.has(step)),
  );
  const begun = [...state.steps.values()].filter(({ undo }) => undo !== null);
  return [...new Set([...lines, ...begun].flatMap(({ hosts }) => hosts))];
}

/** Hosts that could not be reached, and why not. */
export type Silent = Map<string, FerryError>;

/**
 * Makes sure that the hosts this run has worked on are the machines they were. The inventory of today may name others, and an
 * undo would take away there what is not of this run. With `silent`, hosts that cannot be reached are put there, and only those
 * that answer count. Gives what each tells of the run.
 * @throws HOST_NOT_THE_SAME
 */
export async function refuseOtherMachines({ state, ports }: RunContext, silent?: Silent): Promise<ReadonlyMap<string, RunThere>> {
  const told = new Map<string, RunThere>();
  await Promise.all(
    state.workedOn.map(async (host) => {
      try {
        const there = await ports.fleet.knowsRun(host, state.run);
        if (there) return void told.set(host, there);
      } catch (thrown) {
        if (!silent || !isOutOfReach(thrown)) throw thrown;
        silent.set(host, thrown);
        return;
      }
      const [before, now] = [state.machines[host] ?? '', machineOf(ports.fleet.info(host))];
      throw new FerryError('HOST_NOT_THE_SAME', { host, run: state.run, before, now }, { left: 'Nothing was changed.' });
    }),
  );
  return told;
}

/**
 * Takes the lease of every host the run may change, all at once; those held already by this run are taken again, which is
 * how the epoch gets there. When one is held by another run, those just taken are given back. Hosts that are `silent` are left
 * out, as is one that falls silent now, as long as another one can be had.
 * @throws LEASE_HELD, EPOCH_STALE, JOURNAL_FORKED
 */
export async function takeLeases(context: RunContext, silent?: Silent): Promise<void> {
  const lease = { run: context.state.run, holder: context.ports.holder, since: isoTime() };
  const before = [...context.state.leases];
  const hosts = hostsToHold(context);
  const refused: unknown[] = [];
  await Promise.all(
    hosts.map(async (host) => {
      if (silent?.has(host)) return;
      try {
        await takeLease(context, host, lease);
      } catch (thrown) {
        if (silent && isOutOfReach(thrown)) silent.set(host, thrown);
        else refused.push(thrown);
      }
    }),
  );
  if (silent && silent.size > 0 && hosts.every((host) => silent.has(host))) refused.push(...silent.values());
  if (refused.length === 0) return;
  const isBegun = [...context.state.steps.values()].some(({ attempt }) => attempt > 0);
  const taken = context.state.leases.filter((host) => !before.includes(host));
  await releaseLeases(context, isBegun ? null : 'not-begun', taken);
  throw refused[0];
}

async function takeLease(context: RunContext, host: string, lease: Lease): Promise<void> {
  const held = await context.ports.fleet.takeLease(host, lease, context.state.epoch, context.recordsAfter);
  if (held)
    throw new FerryError(
      'LEASE_HELD',
      { host, run: held.run, holder: held.holder, since: held.since },
      { left: 'Nothing was changed.' },
    );
  context.record('lease.taken', { host });
}

/**
 * Gives hosts back; all that the run holds unless told which. One that cannot be reached keeps its lease, which is told and
 * is no failure of what the run did. Each learns how the run ended, when it left nothing.
 */
export async function releaseLeases(
  context: RunContext,
  ended: Ended | null = null,
  hosts: readonly string[] = [...context.state.leases],
): Promise<void> {
  await Promise.all(
    hosts.map(async (host) => {
      try {
        await context.ports.fleet.releaseLease(host, context.state.run, context.state.epoch, ended);
      } catch (thrown) {
        const { message } = context.report(thrown, '');
        context.emit({
          type: 'note',
          text: `${host} is still held by this run: ${message} Once it is back:  ferry unlock ${host}`,
        });
        return;
      }
      context.record('lease.released', { host });
    }),
  );
}
