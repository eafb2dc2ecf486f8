import { foldRun } from '../engine/fold.ts';
import { isOver, type RunState } from '../engine/state.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { HostSettings, Inventory } from '../inventory/inventory.ts';
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
 * @throws LEASE_LEFT when some of its hosts could not be given back: those that were are named, and stay free
 */
export async function unlockHost(
  host: string,
  options: CommonOptions & { readonly abandon: boolean },
  journal: Journal,
  openFleet: (hosts: ReadonlyMap<string, HostSettings>) => Fleet = (hosts) => fleetOf(hosts, askHidden(options)),
): Promise<string> {
  const latest = journal.runs()[0];
  const inventoryFile = options.inventory ?? (latest && ours(journal, latest.run)?.inventory);
  const inventory = await readInventory(inventoryFile, '.', options.places);
  const names = [...inventory.hosts.keys()];
  if (!names.includes(host))
    throw new FerryError('HOST_UNKNOWN', { host, nearest: nearest(host, names) ?? '', known: names.join(', ') });
  const asked = openFleet(await hostsOf(inventory, [host]));
  try {
    const lease = await asked.lease(host);
    if (!lease) throw new FerryError('LEASE_MISSING', { host });
    const { run } = lease;
    if (ours(journal, run)) journal.open(run);
    // Read again under its lock: what another process recorded until now must not be missed.
    const state = ours(journal, run);
    const over = state !== null && isOver(state);
    if (!over && !options.abandon) {
      throw new FerryError('LEASE_WANTED', {
        host,
        ...lease,
        // Its journal is with its controller.
        phase: state?.phase ?? '',
      });
    }
    const held = [...new Set([host, ...(state?.leases ?? [])])];
    const fleet = openFleet(
      await hostsOf(
        inventory,
        held.filter((one) => names.includes(one)),
      ),
    );
    try {
      // The record comes first: an abandoned run must not be resumed by someone who finds its hosts free.
      if (state && !over) journal.append(run, { type: 'run.abandoned', epoch: state.epoch, body: { by: holderName() } });
      // One that ended by itself has nothing at work; one that was given up may have, also on a host that is asked only now.
      const ended = over && state.phase !== 'abandoned';
      const how = state?.phase === 'rolled-back' ? 'taken-back' : null;
      const letGo = (one: string) => (ended ? fleet.releaseLease(one, run, state.epoch, how) : fleet.fenceRun(one, run));
      const left = await Promise.all(held.map((one) => tryOn(one, inventory, letGo)));
      const free = held.filter((_, index) => left[index] === null);
      if (state) for (const one of free) journal.append(run, { type: 'lease.released', epoch: state.epoch, host: one });
      const what = ended ? 'was over' : `is abandoned; what it changed stays as it is${stays(state)}`;
      const still = left.flatMap((why, index) => (why === null ? [] : [{ host: held[index] ?? '', why }]));
      if (still.length === 0) return `Run ${run} ${what}. Free now: ${free.join(', ')}.`;
      throw new FerryError('LEASE_LEFT', {
        ...{ run, what, free: free.join(', '), left: still.map((one) => one.host).join(', ') },
        risk: ended ? '' : ', and what the run began there may go on',
        why: still.map((one) => one.why).join(' '),
        commands: still.map((one) => `ferry unlock ${one.host}${state ? '' : ' --abandon'}`).join('   and   '),
      });
    } finally {
      await fleet.close();
    }
  } finally {
    await asked.close();
  }
}

/** The steps whose change nothing takes back any more, in the order they were done. */
function stays(state: RunState | null): string {
  const changed = [...(state?.steps.values() ?? [])].filter(
    ({ undo, phase }) => undo !== null && phase !== 'undone' && phase !== 'waiting',
  );
  return changed.length === 0 ? '' : `: ${changed.map(({ step, host }) => `${step} on ${host}`).join(', ')}`;
}

/** Null when a host was given back, or why not in a sentence. */
async function tryOn(host: string, inventory: Inventory, work: (host: string) => Promise<void>): Promise<string | null> {
  if (!inventory.hosts.has(host)) return `${host} is not in ${inventory.file}.`;
  try {
    await work(host);
    return null;
  } catch (thrown) {
    if (!isFerryError(thrown)) throw thrown;
    return thrown.message;
  }
}

function ours(journal: Journal, run: string): RunState | null {
  const records = journal.read(run);
  return records.length > 0 ? foldRun(run, records) : null;
}
