import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from './lab-error.ts';
import type { PackageLayers } from './package-layers.ts';

export type HostKind = 'he' | 'engine' | 'newdb' | 'dwh' | 'plain';

export type LabHost = {
  name: string;
  kind: HostKind;
  address: string;
  /** The number of a hosted-engine host among its like, from 1; 0 for others. */
  heId: number;
};

export type LabState = {
  version: 1;
  id: string;
  dir: string;
  bridge: string;
  /** The first three numbers of the private /24, as `10.x.y`. */
  subnet: string;
  sizeMb: number;
  baseFolder: string;
  /** The cached file system layer that holds the engine's database. */
  engineLayer: string;
  /** The cached layers with the packages of stand-ins, and with those installed that an engine host has. */
  packages: PackageLayers;
  /** The engine's database password in a fresh lab. */
  dbPassword: string;
  hosts: LabHost[];
};

export const DOMAIN = 'lab.example';
export const DEFAULT_HOSTS = ['he1', 'he2', 'engine', 'newdb', 'dwh'];

/** The state of the lab in `dir`, or undefined when there is none. */
export async function readLabState(dir: string): Promise<LabState | undefined> {
  const path = join(dir, 'state.json');
  if (!existsSync(path)) return undefined;
  return JSON.parse(await readFile(path, 'utf8')) as LabState;
}

/** @throws LabError when there is no lab in `dir`. */
export async function requireLabState(dir: string): Promise<LabState> {
  const state = await readLabState(dir);
  if (!state) throw new LabError(`There is no lab in ${dir}.`, 'ferry lab up');
  return state;
}

/** Writes state.json whole or not at all; only its owner can read it. */
export async function writeLabState(state: LabState): Promise<void> {
  const path = join(state.dir, 'state.json');
  await writeFile(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** @throws LabError when the lab has no host of that name. */
export function requireHost(state: LabState, name: string): LabHost {
  const host = state.hosts.find((candidate) => candidate.name === name);
  if (!host) {
    const names = state.hosts.map((candidate) => candidate.name).join(', ');
    throw new LabError(`The lab in ${state.dir} has no host ${name}; it has ${names}.`, 'ferry lab status');
  }
  return host;
}

/** Hosts from their names: the five known names play their parts, any other name is a plain host. */
export function planHosts(names: readonly string[], subnet: string): LabHost[] {
  let heId = 0;
  let plain = 20;
  return [...new Set(names)].map((name) => {
    if (!/^[a-z][a-z0-9]{0,6}$/.test(name)) {
      throw new LabError(
        `A lab host cannot be called ${name}: at most seven small letters and digits. Nothing was started.`,
        'ferry lab up',
      );
    }
    const known = DEFAULT_HOSTS.indexOf(name);
    const last = known >= 0 ? 11 + known : plain++;
    const kind = name.startsWith('he') && known >= 0 ? 'he' : known >= 0 ? (name as HostKind) : 'plain';
    return { name, kind, address: `${subnet}.${last}`, heId: kind === 'he' ? ++heId : 0 };
  });
}

export const hostFolder = (state: LabState, name: string): string => join(state.dir, 'hosts', name);
export const hostRoot = (state: LabState, name: string): string => join(hostFolder(state, name), 'root');
/** The folder that plays the hosts' shared storage. */
export const sharedFolder = (state: LabState): string => join(state.dir, 'shared');
export const machineName = (state: LabState, name: string): string => `${state.id}-${name}`;
export const linkName = (state: LabState, name: string): string => `vb-${machineName(state, name)}`;
