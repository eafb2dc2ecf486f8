import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the hierarchies that systemd sorts its services in may be: cgroup v1 (its own), the hybrid's v2, pure v2. */
const HIERARCHIES = ['/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified', '/sys/fs/cgroup'];

const name = (machine: string): string => `ferry-lab-${machine}`;

/**
 * Shell lines that put the running shell into a cgroup of the machine's own, where there is one to be had. nspawn with --keep-unit builds
 * the machine's cgroups under the one it is started in: without this all machines share them, and a service stopped on one host would wait
 * for the processes of the same service on the others.
 */
export function enterCgroup(machine: string): string {
  const each = HIERARCHIES.map((path) => `${path}/${name(machine)}`).join(' ');
  return `for g in ${each}; do [ -w "\${g%/*}/cgroup.procs" ] && mkdir -p $g && echo $$ >$g/cgroup.procs; done 2>/dev/null;`;
}

/** Removes what is left of a machine's cgroups; false while a process in them is still on its way out. */
export function removeCgroup(machine: string): boolean {
  const folders = HIERARCHIES.map((path) => join(path, name(machine)));
  for (const folder of folders) removeTree(folder);
  return !folders.some((folder) => existsSync(folder));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Busy, or gone between two looks: removeCgroup looks again.
  }
}
