import { type CommandResult, runCommand } from './command.ts';
import { findMachines } from './find-machines.ts';
import { LabError } from './lab-error.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Runs a shell script on a lab host as root, past its network and its sshd: through the machine's namespaces.
 * @throws LabError when the host does not run.
 */
export async function execOn(
  dir: string,
  host: string,
  script: string,
  options: { input?: string; timeoutMs?: number } = {},
): Promise<CommandResult> {
  const machine = findMachines(dir).find((candidate) => candidate.host === host);
  if (!machine) throw new LabError(`The lab host ${host} in ${dir} does not run.`, 'ferry lab up');
  const enter = ['nsenter', `--target=${machine.init}`, '--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd'];
  const env = ['env', '-i', `PATH=${PATH}`, 'HOME=/root', 'LC_ALL=C.UTF-8'];
  return runCommand([...enter, '--', ...env, '/bin/sh', '-c', script], options);
}
