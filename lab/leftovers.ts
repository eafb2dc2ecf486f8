import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { findMachines, findSupervisors } from './find-machines.ts';
import { cutPower } from './machine.ts';
import { pollUntil } from './poll-until.ts';

/** What a lab writes into its folder. Anything else there belongs to someone else and stays. */
const FILES = [
  'state.json',
  'state.json.new',
  'inventory.yaml',
  'known_hosts',
  'id_ed25519',
  'id_ed25519.pub',
  'hosts',
  'host-keys',
  'shared',
];

/**
 * Ends every machine whose root is under `dir`, takes off every mount there, and removes the lab's files: by what /proc shows, so it
 * also works when the state file is gone. Machines of other folders are not touched.
 */
export async function removeLabLeftovers(dir: string): Promise<void> {
  const hosts = [...findMachines(dir), ...findSupervisors(dir)].map(({ host }) => host);
  if (hosts.length > 0) await cutPower(dir, [...new Set(hosts)]);
  const mounts = async () =>
    (await readFile('/proc/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${dir}/hosts/`));
  await pollUntil(
    async () => {
      for (const path of await mounts()) await runCommand(['umount', path]);
      return (await mounts()).length === 0;
    },
    { what: `the mounts under ${dir} to go`, timeoutMs: 10_000, hint: `grep ${dir} /proc/mounts` },
  );
  for (const name of FILES) await rm(join(dir, name), { recursive: true, force: true });
}
