import { execOn } from './exec-on.ts';
import { findMachines } from './find-machines.ts';
import { labFolder } from './folders.ts';
import { readLabState } from './lab-state.ts';
import { sshAnswers } from './ready.ts';
import { requireRoot } from './requirements.ts';

export type HostStatus = {
  name: string;
  address: string;
  /** `orphan`: it runs and nothing looks after it, the next `up` starts it anew. */
  state: 'up' | 'off' | 'orphan';
  /** What systemd says, such as `running` or `degraded`; undefined when the host is off. */
  systemd: string | undefined;
  ssh: boolean;
};

/** What the lab of that folder is now; undefined when there is none. Changes nothing. */
export async function labStatus(
  options: { dir?: string | undefined } = {},
): Promise<{ dir: string; hosts: HostStatus[] } | undefined> {
  requireRoot();
  const dir = labFolder(options.dir);
  const state = await readLabState(dir);
  if (!state) return undefined;
  const machines = new Map(findMachines(dir).map((machine) => [machine.host, machine]));
  const look = async ({ name, address }: { name: string; address: string }): Promise<HostStatus> => {
    const machine = machines.get(name);
    if (!machine) return { name, address, state: 'off', systemd: undefined, ssh: false };
    const [systemd, ssh] = await Promise.all([
      execOn(dir, name, 'systemctl is-system-running', { timeoutMs: 5_000 }),
      sshAnswers(address),
    ]);
    return {
      name,
      address,
      state: machine.nspawn === undefined ? 'orphan' : 'up',
      systemd: systemd.stdout.trim() || 'silent',
      ssh,
    };
  };
  return { dir, hosts: await Promise.all(state.hosts.map(look)) };
}
