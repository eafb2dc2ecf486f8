import { type RunState, tracesOn } from '../engine/state.ts';
import { isFerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import type { CleanOptions } from './contract.ts';
import { hostsOf, readInventory } from './prepare.ts';

/** The hosts of one inventory, and why those are away that are. */
export interface Site {
  readonly fleet: Fleet | null;
  readonly settings: ReadonlyMap<string, HostSettings>;
  readonly there: readonly string[];
  readonly away: Map<string, string>;
}

/** Each run's hosts by its own inventory, for the same name may be another machine in another; by the one that was named, if one was. */
export async function sitesOf(
  states: readonly RunState[],
  options: CleanOptions,
  openFleet: (hosts: ReadonlyMap<string, HostSettings>) => Fleet,
): Promise<Map<string, Site>> {
  const sites = new Map<string, Site>();
  const machines = new Set<string>();
  for (const [file, of] of Map.groupBy(states, ({ inventory }) => options.inventory ?? inventory)) {
    const names = [...new Set(of.flatMap(tracesOn))];
    try {
      const inventory = await readInventory(file, '.', options.places);
      const known = names.filter((host) => inventory.hosts.has(host));
      const settings = await hostsOf(inventory, known);
      const away = new Map(names.filter((host) => !known.includes(host)).map((host) => [host, `it is not in ${inventory.file}`]));
      // A machine that two inventories name is asked once for what dead runs left there.
      const there = known.filter((host) => isFirst(machines, host, settings.get(host)));
      sites.set(file, { fleet: openFleet(settings), settings, there, away });
    } catch (thrown) {
      if (options.inventory !== undefined || !isFerryError(thrown)) throw thrown;
      sites.set(file, {
        fleet: null,
        settings: new Map(),
        there: [],
        away: new Map(names.map((host) => [host, thrown.message])),
      });
    }
  }
  return sites;
}

function isFirst(machines: Set<string>, host: string, settings: HostSettings | undefined): boolean {
  const key = settings?.connection === 'ssh' ? `${settings.hostName} ${settings.port}` : host;
  return !machines.has(key) && Boolean(machines.add(key));
}

export function siteOf(sites: ReadonlyMap<string, Site>, { inventory }: RunState, options: CleanOptions): Site {
  return sites.get(options.inventory ?? inventory) ?? { fleet: null, settings: new Map(), there: [], away: new Map() };
}
