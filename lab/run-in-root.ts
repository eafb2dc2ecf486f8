import { runCommand } from './command.ts';
import { LabError } from './lab-error.ts';

/**
 * Runs a shell script inside a root that is not booted, with /proc, /dev and /dev/shm of its own, no network, and gives its stdout.
 * @throws LabError when the script fails, with the last lines it said.
 */
export async function runInRoot(root: string, script: string, doing: string, env: Record<string, string> = {}): Promise<string> {
  const settings = Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`);
  const flags = ['--quiet', `--directory=${root}`, '--register=no', '--keep-unit', '--as-pid2', '--pipe', '--private-network'];
  const quiet = ['--resolv-conf=off', '--timezone=off', '--link-journal=no'];
  // The script comes on stdin: nspawn's arguments would show its secrets to everyone on this machine.
  const argv = ['systemd-nspawn', ...flags, ...quiet, ...settings, '/bin/bash', '-euo', 'pipefail', '-s'];
  const result = await runCommand(argv, { input: script });
  if (result.code === 0) return result.stdout;
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-12).join('\n  ');
  throw new LabError(`The lab could not ${doing} in ${root}: code ${result.code}.\n  ${said}`, 'ferry lab reset');
}
