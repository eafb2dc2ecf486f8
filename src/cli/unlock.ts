import { foldRun, isOver, type RunState } from '../engine/state.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { Journal } from '../journal/journal.ts';
import { nearest } from '../lib/text.ts';
import type { CommonOptions } from './contract.ts';
import { fleetOf } from './engine-ports.ts';
import { askHidden } from './inputs.ts';
import { holderName } from './places.ts';
import { hostsOf, readInventory } from './prepare.ts';

/**
 * Gives a host free that a run which is over still holds; with `abandon`, also one whose run is given up: every host it holds
 * is let go, and its record says that it was abandoned and by whom. What was changed stays changed, what was kept stays.
 * @throws HOST_UNKNOWN, LEASE_MISSING, LEASE_WANTED
 */
export async function unlockHost(
  host: string,
  options: CommonOptions & { readonly abandon: boolean },
  journal: Journal,
): Promise<string> {
  const latest = journal.runs()[0];
  const inventoryFile = options.inventory ?? (latest && ours(journal, latest.run)?.inventory);
  const inventory = await readInventory(inventoryFile, '.');
  const names = [...inventory.hosts.keys()];
  if (!names.includes(host))
    throw new FerryError('HOST_UNKNOWN', { host, nearest: nearest(host, names) ?? '', known: names.join(', ') });
  const fleets: Fleet[] = [];
  const fleetFor = async (wanted: readonly string[]): Promise<Fleet> => {
    const fleet = fleetOf(await hostsOf(inventory, wanted), askHidden(options));
    fleets.push(fleet);
    return fleet;
  };
  try {
    const lease = await (await fleetFor([host])).lease(host);
    if (!lease) throw new FerryError('LEASE_MISSING', { host });
    const state = ours(journal, lease.run);
    const over = state !== null && isOver(state);
    if (!over && !options.abandon) {
      throw new FerryError('LEASE_WANTED', {
        host,
        ...lease,
        phase: state?.phase ?? 'unknown here: its journal is with its controller',
      });
    }
    const hosts = [...new Set([host, ...(state?.leases ?? []).filter((held) => inventory.hosts.has(held))])];
    // The record comes first: an abandoned run must not be resumed by someone who finds its hosts free.
    if (state && !over) {
      journal.open(lease.run);
      journal.append(lease.run, { type: 'run.abandoned', epoch: state.epoch, body: { by: holderName() } });
    }
    const fleet = await fleetFor(hosts);
    for (const one of hosts) await (over ? fleet.releaseLease(one, lease.run) : fleet.fenceRun(one, lease.run));
    const what = over ? 'was over' : 'is abandoned; what it changed stays as it is';
    return `Run ${lease.run} ${what}. Free now: ${hosts.join(', ')}.`;
  } finally {
    await Promise.all(fleets.map((fleet) => fleet.close()));
  }
}

function ours(journal: Journal, run: string): RunState | null {
  const records = journal.read(run);
  return records.length > 0 ? foldRun(run, records) : null;
}
