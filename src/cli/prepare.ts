import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Action } from '../actions/action.ts';
import { catalog } from '../actions/catalog.ts';
import type { Places } from '../errors/carry-places.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { FindingsError } from '../errors/findings-error.ts';
import type { HostInfo } from '../hosts/host.ts';
import { hostInfo } from '../hosts/machine.ts';
import type { HostSettings, Inventory, InventorySurroundings } from '../inventory/inventory.ts';
import { loadInventory } from '../inventory/load.ts';
import { resolveRoles } from '../inventory/resolve-roles.ts';
import { settleHosts } from '../inventory/settle.ts';
import { nearest } from '../lib/text.ts';
import { loadRunbook, type ReadFile } from '../runbook/load.ts';
import type { Runbook } from '../runbook/runbook.ts';
import { spreadRunbook } from '../runbook/spread.ts';
import type { CommonOptions } from './contract.ts';
import { accountHome, readFolder, readInput } from './places.ts';

const surroundings: InventorySurroundings = { readFile: readInput, readFolder, home: accountHome(), env: process.env };

/** A checked runbook. @throws RUNBOOK_INVALID with all findings */
export async function readRunbook(
  path: string,
  readFile: ReadFile = readInput,
  options: { lint?: boolean } = {},
): Promise<Runbook> {
  const loaded = await loadRunbook(path, { readFile, ...options });
  if ('runbook' in loaded) return loaded.runbook;
  const count = loaded.diagnostics.filter((found) => found.severity === 'error').length;
  throw new FindingsError('RUNBOOK_INVALID', { file: path, count }, loaded.diagnostics, loaded.sources);
}

/** The frozen files of a run, as a reader. */
export function frozenReader(sources: readonly { readonly path: string; readonly text: string }[]): ReadFile {
  return (path) => {
    const source = sources.find((one) => one.path === path);
    return source
      ? Promise.resolve(source.text)
      : Promise.reject(new FerryError('FILE_UNREADABLE', { file: path, why: 'it is not among the frozen files of the run' }));
  };
}

/**
 * The inventory that was named, or inventory.yaml beside the runbook or here; from then on commands carry its place.
 * @throws INVENTORY_INVALID, INVENTORY_MISSING
 */
export async function readInventory(named: string | undefined, runbookPath: string, places: Places = {}): Promise<Inventory> {
  const path = resolve(named ?? (await findInventory(runbookPath)));
  if (path !== resolve('inventory.yaml')) places.inventory = path;
  const loaded = await loadInventory(path, surroundings);
  if ('inventory' in loaded) return loaded.inventory;
  throw new FindingsError(
    'INVENTORY_INVALID',
    { file: path, count: loaded.diagnostics.length },
    loaded.diagnostics,
    loaded.sources,
  );
}

/**
 * The named hosts of an inventory, all unless given, ready to connect.
 * @throws HOST_UNKNOWN, INVENTORY_INVALID with all that is wrong with them
 */
export async function hostsOf(
  inventory: Inventory,
  names: Iterable<string> = inventory.hosts.keys(),
): Promise<ReadonlyMap<string, HostSettings>> {
  const wanted = [...names];
  const known = [...inventory.hosts.keys()];
  for (const host of wanted)
    if (!inventory.hosts.has(host))
      throw new FerryError('HOST_UNKNOWN', { host, nearest: nearest(host, known) ?? '', known: known.join(', ') });
  const settled = await settleHosts(inventory, wanted, surroundings);
  if ('hosts' in settled) return settled.hosts;
  const { diagnostics, sources } = settled;
  throw new FindingsError('INVENTORY_INVALID', { file: inventory.file, count: diagnostics.length }, diagnostics, sources);
}

async function findInventory(runbookPath: string): Promise<string> {
  const places = [join(dirname(runbookPath), 'inventory.yaml'), 'inventory.yaml'];
  for (const place of places) {
    if (
      await access(place).then(
        () => true,
        () => false,
      )
    )
      return place;
  }
  throw new FerryError('INVENTORY_MISSING', { places: [...new Set(places)].join(' and ') });
}

/**
 * The runbook with its steps spread over the hosts of their roles, and the host of each role, ready to connect, as are `others`.
 * @throws INVENTORY_INVALID with all that is missing; ROLE_OPTION_WRONG when all of it is mistyped
 */
export async function rolesOf(
  runbook: Runbook,
  inventory: Inventory,
  given: CommonOptions['roles'],
  others: readonly string[] = [],
): Promise<{
  readonly runbook: Runbook;
  readonly roles: ReadonlyMap<string, HostInfo>;
  readonly hosts: ReadonlyMap<string, HostSettings>;
}> {
  const resolved = resolveRoles(runbook, inventory, given);
  if ('diagnostics' in resolved) {
    const { diagnostics } = resolved;
    const about = { file: inventory.file, count: diagnostics.length };
    // What only the words of the command line can mean is no fault of the inventory.
    const isTyped = diagnostics.every(({ code }) => code === 'ROLE_UNDECLARED' || code === 'HOST_UNKNOWN');
    throw new FindingsError(isTyped ? 'ROLE_OPTION_WRONG' : 'INVENTORY_INVALID', about, diagnostics, runbook.sources);
  }
  const bound = spreadRunbook(runbook, resolved.roles);
  const hosts = await hostsOf(inventory, [...bound.roles.values(), ...others]);
  const info = (host: string): HostInfo => {
    const settings = hosts.get(host);
    if (!settings) throw new FerryError('INTERNAL', { what: `no host ${host} in the inventory` });
    return hostInfo(settings);
  };
  return { runbook: bound.runbook, roles: new Map([...bound.roles].map(([role, host]) => [role, info(host)])), hosts };
}

/** The actions a runbook uses, loaded. */
export async function actionsOf(runbook: Runbook): Promise<ReadonlyMap<string, Action>> {
  const names = new Set([...runbook.done, ...runbook.steps].map((step) => step.uses));
  return new Map(
    await Promise.all(
      [...names].map(async (name) => {
        const load = catalog[name];
        if (!load) throw new FerryError('INTERNAL', { what: `no action ${name}` });
        return [name, (await load()).default] as const;
      }),
    ),
  );
}
