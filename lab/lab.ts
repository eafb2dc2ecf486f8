import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { baseRoot } from './base-root.ts';
import { mustRun } from './command.ts';
import { randomPassword } from './engine-conf.ts';
import { engineLayer } from './engine-layer.ts';
import { findMachines, findSupervisors } from './find-machines.ts';
import { labFolder, labId } from './folders.ts';
import { freshHostRoot, isPrepared, makeHostKeys, mountHostRoot, unmountHostRoot } from './host-root.ts';
import { writeInventory } from './inventory.ts';
import {
  DEFAULT_HOSTS,
  hostFolder,
  type LabHost,
  type LabState,
  planHosts,
  readLabState,
  requireHost,
  requireLabState,
  sharedFolder,
  writeLabState,
} from './lab-state.ts';
import { removeLabLeftovers } from './leftovers.ts';
import { withLock } from './lock.ts';
import { bootMachine, cutPower, powerOff, rebootMachine } from './machine.ts';
import { dropBridge, raiseBridge, takeSubnet } from './network.ts';
import { packageLayers } from './package-layers.ts';
import { waitUntilReady } from './ready.ts';
import { requireLabMachine, requireRoot } from './requirements.ts';

export { renameEngineDatabase, setEnginePassword } from './engine-changes.ts';
export { execOn } from './exec-on.ts';
export { cutNetwork, restoreNetwork } from './faults.ts';
export { LabError } from './lab-error.ts';
export type { LabHost, LabState } from './lab-state.ts';
export { type HostStatus, labStatus } from './status.ts';

/** Where progress goes, a line at a time. */
export type Say = (line: string) => void;

export type LabUpOptions = {
  /** The lab folder; default FERRY_LAB_DIR, else .lab in the current folder. */
  dir?: string | undefined;
  /** The size of the engine's database in MB, default 200. The schema alone takes 22. */
  sizeMb?: number | undefined;
  /** Which hosts; default he1, he2, engine, newdb and dwh. Any other name is a plain host. */
  hosts?: readonly string[] | undefined;
  /** The engine's database password in a fresh lab; default FERRY_LAB_DB_PASSWORD, else 22 random letters and digits. */
  dbPassword?: string | undefined;
  say: Say;
};

/**
 * Brings a lab up and gives its state when every host is ready. Hosts that run stay as they are; hosts that were cut off are started
 * again with what they hold; leftovers of a killed lab of the same folder are removed first. The lab outlives this process.
 * @throws LabError when this machine lacks something or a host does not get ready; what runs then stays for a look, `ferry lab down` ends it.
 */
export async function labUp(options: LabUpOptions): Promise<LabState> {
  const { say } = options;
  const started = performance.now();
  await requireLabMachine(say);
  const dir = labFolder(options.dir);
  return withLock(`lab-${labId(dir)}`, say, async () => {
    const found = await readLabState(dir);
    const state = found && layersExist(found) ? found : await newState(dir, options);
    if (state === found) sayWhatStays(found, options);
    await raiseBridge(state.bridge, state.subnet);
    await startHosts(state, state.hosts, say);
    say(`lab ready in ${seconds(started)} s: ${dir}/inventory.yaml`);
    return state;
  });
}

/** Ends the lab and removes all it made: processes, mounts, bridge, files. Caches stay. Does nothing where there is no lab. */
export async function labDown(options: { dir?: string | undefined; say: Say }): Promise<void> {
  const started = performance.now();
  await requireLabMachine(options.say);
  const dir = labFolder(options.dir);
  await withLock(`lab-${labId(dir)}`, options.say, async () => {
    const found = existsSync(join(dir, 'state.json'));
    await removeLabLeftovers(dir);
    await dropBridge(bridgeName(labId(dir)));
    if (existsSync(dir) && (await readdir(dir)).length === 0) await rmdir(dir);
    options.say(found ? `lab in ${dir} is down, after ${seconds(started)} s` : `there was no lab in ${dir}`);
  });
}

/** Gives the named hosts, or all, a fresh root with the same addresses and host keys, and boots them until they are ready. */
export async function labReset(options: {
  dir?: string | undefined;
  hosts?: readonly string[] | undefined;
  say: Say;
}): Promise<void> {
  const started = performance.now();
  await withLab(options, async (state) => {
    const hosts = options.hosts?.length ? options.hosts.map((name) => requireHost(state, name)) : state.hosts;
    const names = hosts.map(({ name }) => name);
    await cutPower(state.dir, names);
    if (hosts.length === state.hosts.length) await rm(sharedFolder(state), { recursive: true, force: true });
    for (const name of names) await rm(join(hostFolder(state, name), 'prepared'), { force: true });
    await raiseBridge(state.bridge, state.subnet);
    await startHosts(state, hosts, options.say);
    options.say(`${names.join(', ')} fresh in ${seconds(started)} s`);
  });
}

/** Reboots a host as `reboot` in it does, and gives when it is ready again. */
export async function labReboot(options: { dir?: string | undefined; host: string; say: Say }): Promise<void> {
  await withLab(options, async (state) => {
    const host = requireHost(state, options.host);
    await rebootMachine(state.dir, host.name);
    await waitUntilReady(state, host, false);
  });
}

/** Switches a host off: in order, or with `cut` as when its power is cut. Its files stay. */
export async function labPowerOff(options: { dir?: string | undefined; host: string; cut?: boolean; say: Say }): Promise<void> {
  await withLab(options, async (state) => {
    const { name } = requireHost(state, options.host);
    await (options.cut ? cutPower(state.dir, [name]) : powerOff(state.dir, [name]));
  });
}

/** Switches a host on again with the files it has, and gives when it is ready. */
export async function labPowerOn(options: { dir?: string | undefined; host: string; say: Say }): Promise<void> {
  await withLab(options, async (state) => startHosts(state, [requireHost(state, options.host)], options.say));
}

/** The arguments for the system's ssh that open a session as root on a host of the lab. */
export async function labSshArgs(dir: string | undefined, host: string): Promise<string[]> {
  requireRoot();
  const state = await requireLabState(labFolder(dir));
  const { address } = requireHost(state, host);
  const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${join(state.dir, 'known_hosts')}`, 'IdentitiesOnly=yes'];
  return ['-F', 'none', '-i', join(state.dir, 'id_ed25519'), ...options.flatMap((option) => ['-o', option]), `root@${address}`];
}

async function withLab(options: { dir?: string | undefined; say: Say }, work: (state: LabState) => Promise<void>): Promise<void> {
  await requireLabMachine(options.say);
  const dir = labFolder(options.dir);
  await withLock(`lab-${labId(dir)}`, options.say, async () => work(await requireLabState(dir)));
}

/** A lab whose cached layers were pruned while it was down cannot go on: it is made anew. */
const layersExist = (state: LabState): boolean =>
  // Without packages it is a lab of before they were.
  [state.baseFolder, state.packages?.repository, state.packages?.installed].every((layer) => layer && existsSync(layer)) &&
  (state.engineLayer === '' || existsSync(state.engineLayer));

function sayWhatStays(state: LabState, { hosts, sizeMb, say }: LabUpOptions): void {
  const names = state.hosts.map(({ name }) => name);
  const differs = (hosts && [...new Set(hosts)].join() !== names.join()) || (sizeMb !== undefined && sizeMb !== state.sizeMb);
  if (differs)
    say(`this lab keeps its hosts (${names.join(', ')}) and its ${state.sizeMb} MB; "ferry lab down" first to change that`);
}

const bridgeName = (id: string): string => `ferry-${id}`;
const seconds = (started: number): string => ((performance.now() - started) / 1000).toFixed(1);

async function newState(dir: string, options: LabUpOptions): Promise<LabState> {
  // Without a state file whatever is here comes from a lab that was killed early or whose folder was emptied.
  await removeLabLeftovers(dir);
  const sizeMb = options.sizeMb ?? 200;
  const names = options.hosts?.length ? options.hosts : DEFAULT_HOSTS;
  planHosts(names, '');
  const baseFolder = await baseRoot(options.say);
  const layer = names.includes('engine') ? await engineLayer(baseFolder, sizeMb, options.say) : '';
  const packages = await packageLayers(baseFolder, options.say);
  const id = labId(dir);
  const bridge = bridgeName(id);
  await dropBridge(bridge);
  const subnet = await takeSubnet(id, bridge, options.say);
  const dbPassword = options.dbPassword ?? (process.env.FERRY_LAB_DB_PASSWORD || randomPassword());
  const hosts = planHosts(names, subnet);
  const layers = { baseFolder, engineLayer: layer, packages };
  const state: LabState = { version: 1, id, dir, bridge, subnet, sizeMb, ...layers, dbPassword, hosts };
  await mkdir(dir, { recursive: true });
  const key = join(dir, 'id_ed25519');
  await mustRun(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `ferry-lab-${id}`, '-f', key], {
    doing: 'make the key of the lab',
  });
  await chmod(key, 0o600);
  await Promise.all(hosts.map((host) => makeHostKeys(state, host.name)));
  await writeInventory(state);
  await writeLabState(state);
  return state;
}

/** Boots those of the hosts that do not run, orphans being shut down first, and waits until all are ready. */
async function startHosts(state: LabState, hosts: readonly LabHost[], say: Say): Promise<void> {
  const machines = findMachines(state.dir);
  const orphans = machines.filter(({ nspawn }) => nspawn === undefined).map(({ host }) => host);
  if (orphans.length > 0) {
    say(`shutting down ${orphans.join(', ')}: nothing looks after them any more`);
    await powerOff(state.dir, orphans);
  }
  const loops = new Set(findSupervisors(state.dir).map(({ host }) => host));
  const down = hosts.filter(({ name }) => !loops.has(name) || orphans.includes(name));
  await mkdir(sharedFolder(state), { recursive: true });
  const fresh = new Set<string>();
  const start = async (host: LabHost) => {
    if (isPrepared(state, host.name)) {
      await mountHostRoot(state, host);
    } else {
      await unmountHostRoot(state, host.name);
      await freshHostRoot(state, host);
      fresh.add(host.name);
    }
    bootMachine(state, host);
  };
  if (down.length > 0) say(`booting ${down.map(({ name }) => name).join(', ')}`);
  await Promise.all(down.map(start));
  await Promise.all(hosts.map((host) => waitUntilReady(state, host, fresh.has(host.name))));
}
