import { readdirSync, readFileSync } from 'node:fs';

/** One booted host as /proc shows it. */
export type Machine = {
  host: string;
  /** The machine's init, as a pid of this machine. */
  init: number;
  /** The systemd-nspawn that looks after it; undefined when that was killed and the machine is an orphan. */
  nspawn: number | undefined;
  /** When init started, in clock ticks since this machine booted: tells two boots apart. */
  startTicks: string;
};

/**
 * The machines whose overlay is under `dir`/hosts, from /proc alone: it needs no state file and never sees another lab's machines.
 * A machine is an init of its own pid namespace, told to be a container, whose root is an overlay with its upper folder there.
 */
export function findMachines(dir: string): Machine[] {
  const machines: Machine[] = [];
  for (const pid of pids()) {
    const status = read(pid, 'status');
    const inner = /^NSpid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    if (inner.length < 2 || inner.at(-1) !== '1') continue;
    if (!read(pid, 'environ').split('\0').includes('container=systemd-nspawn')) continue;
    const rootLine = read(pid, 'mountinfo')
      .split('\n')
      .find((line) => line.split(' ')[4] === '/');
    const host = rootLine ? hostOf(dir, /[ ,]upperdir=([^ ,]+)/.exec(rootLine)?.[1]) : undefined;
    if (!host) continue;
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
    const nspawn = read(parent, 'comm').trim() === 'systemd-nspawn' ? parent : undefined;
    machines.push({ host, init: pid, nspawn, startTicks: stat(pid)[19] ?? '' });
  }
  return machines;
}

/** Pids of the loops and nspawns of the lab's machines: those that were told to use a root under `dir`/hosts. */
export function findSupervisors(dir: string): { host: string; pid: number }[] {
  const found: { host: string; pid: number }[] = [];
  for (const pid of pids()) {
    if (!['sh', 'systemd-nspawn'].includes(read(pid, 'comm').trim())) continue;
    const option = read(pid, 'cmdline')
      .split('\0')
      .find((word) => word.startsWith(`--directory=${dir}/hosts/`));
    const host = option ? hostOf(dir, option.slice('--directory='.length)) : undefined;
    if (host) found.push({ host, pid });
  }
  return found;
}

/** Whether a process is there and not just a zombie that waits for its parent. */
export function isAlive(pid: number): boolean {
  const state = stat(pid)[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

function hostOf(dir: string, path: string | undefined): string | undefined {
  return path?.startsWith(`${dir}/hosts/`) ? path.slice(`${dir}/hosts/`.length).split('/')[0] : undefined;
}

/** The fields of /proc/PID/stat after the name, so that [0] is the state and [19] the start time. */
function stat(pid: number): string[] {
  const text = read(pid, 'stat');
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

/** A process may end between two reads: then it reads as nothing. */
function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
