import { foldRun, isOver } from '../engine/state.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { Journal } from '../journal/journal.ts';

/**
 * Refuses a new run where an unfinished one holds a host. It comes before all that the plan says: half-moved hosts may look
 * done, or blocked by what the unfinished run has made.
 * @throws RUN_UNFINISHED, LEASE_HELD when that run is not in this journal, or is over
 */
export async function refuseHeld(fleet: Fleet, hosts: readonly string[], journal: Journal): Promise<void> {
  const leases = await Promise.all(hosts.map(async (host) => ({ host, lease: await fleet.lease(host) })));
  const held = leases.find(({ lease }) => lease !== null);
  if (!held?.lease) return;
  const { run } = held.lease;
  const records = journal.read(run);
  const state = records.length > 0 ? foldRun(run, records) : null;
  if (!state || isOver(state)) throw new FerryError('LEASE_HELD', { host: held.host, ...held.lease });
  const on = leases.flatMap(({ host, lease }) => (lease?.run === run ? [host] : []));
  throw new FerryError('RUN_UNFINISHED', { run, phase: state.phase, hosts: on.join(', '), host: held.host });
}
