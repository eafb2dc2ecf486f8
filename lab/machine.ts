import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { enterCgroup, removeCgroup } from './cgroup.ts';
import { findMachines, findSupervisors, isAlive } from './find-machines.ts';
import { labId } from './folders.ts';
import { DOMAIN, hostFolder, hostRoot, type LabHost, type LabState, machineName, sharedFolder } from './lab-state.ts';
import { pollUntil } from './poll-until.ts';

/** What systemd as a container's init does on these signals (SIGRTMIN is 34). */
const POWER_OFF = 38;
const REBOOT = 39;
/** With --keep-unit nspawn does not start a machine that reboots again, it ends with 133: the loop does it instead. */
const LOOP = 'while :; do systemd-nspawn "$@"; code=$?; [ $code -eq 133 ] || exit $code; done';

/** Where hosted-engine hosts find the storage they share. */
export const SHARED_MOUNT = '/rhev/data-center/mnt/lab_hosted_storage';

/**
 * Starts the machine in a session of its own: it lives on when this process dies. Its console goes to hosts/NAME/console.log.
 * Gives at once; the host is not ready yet.
 */
export function bootMachine(state: LabState, host: LabHost): void {
  const console = openSync(join(hostFolder(state, host.name), 'console.log'), 'a');
  const flags = [
    ...['--boot', '--quiet', `--directory=${hostRoot(state, host.name)}`, `--machine=${machineName(state, host.name)}`],
    ...[
      `--hostname=${host.name}.${DOMAIN}`,
      `--network-bridge=${state.bridge}`,
      '--register=no',
      '--keep-unit',
      '--link-journal=no',
    ],
    ...['--console=passive', '--resolv-conf=off', '--timezone=off'],
    ...(host.kind === 'he' ? [`--bind=${sharedFolder(state)}:${SHARED_MOUNT}`] : []),
  ];
  const child = spawn('sh', ['-c', enterCgroup(machineName(state, host.name)) + LOOP, 'ferry-lab', ...flags], {
    detached: true,
    stdio: ['ignore', console, console],
    cwd: '/',
  });
  child.unref();
  closeSync(console);
}

/** Shuts hosts down in order, as a power button does, and gives when they are gone; what does not go in 20 s is cut off. */
export async function powerOff(dir: string, hosts: readonly string[]): Promise<void> {
  const machines = findMachines(dir).filter((machine) => hosts.includes(machine.host));
  for (const machine of machines) signal(machine.init, POWER_OFF);
  const gone = () => machines.every((machine) => !isAlive(machine.init));
  await pollUntil(gone, { what: 'hosts to shut down', timeoutMs: 20_000 }).catch(() => {});
  await cutPower(dir, hosts);
}

/** Kills the hosts' inits and with them every process of theirs, their nspawns and loops, and gives when all are gone. */
export async function cutPower(dir: string, hosts: readonly string[]): Promise<void> {
  const ours = <T extends { host: string }>(found: T[]) => found.filter((one) => hosts.includes(one.host));
  for (const machine of ours(findMachines(dir))) signal(machine.init, 9);
  const ended = () => ours(findMachines(dir)).length === 0 && ours(findSupervisors(dir)).length === 0;
  // nspawn takes its bridge port and mounts away itself when its machine dies; it is only killed when it does not come to an end.
  await pollUntil(ended, { what: 'nspawn to end', timeoutMs: 5_000 }).catch(() => {});
  for (const { pid } of ours(findSupervisors(dir))) signal(pid, 9);
  await pollUntil(ended, { what: `the machines ${hosts.join(', ')} in ${dir} to end`, timeoutMs: 10_000 });
  const removed = () => hosts.map((host) => removeCgroup(`${labId(dir)}-${host}`)).every(Boolean);
  // An empty cgroup that stays does no harm: the next start uses it again.
  await pollUntil(removed, { what: 'the cgroups to empty', timeoutMs: 3_000 }).catch(() => {});
}

/** Reboots one host as `reboot` in it does, and gives when the new init is there; the host is not ready yet. */
export async function rebootMachine(dir: string, host: string): Promise<void> {
  const before = findMachines(dir).find((machine) => machine.host === host);
  if (before) signal(before.init, REBOOT);
  await pollUntil(() => findMachines(dir).some((machine) => machine.host === host && machine.startTicks !== before?.startTicks), {
    what: `${host} to come back after a reboot`,
    timeoutMs: 60_000,
  });
}

function signal(pid: number, number: number): void {
  try {
    process.kill(pid, number);
  } catch {
    // It is gone already, which is what the signal was for.
  }
}
