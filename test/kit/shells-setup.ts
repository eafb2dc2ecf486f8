import { spawnSync } from 'node:child_process';
import { installPackages } from '../../lab/requirements.ts';

/** Has the shells whose completion is tested; where one cannot be had, its tests are left out and say so. */
export default async function setup(): Promise<void> {
  const missing = ['zsh', 'fish'].filter((shell) => spawnSync(shell, ['--version']).status !== 0);
  if (missing.length === 0) return;
  const say = (line: string) => void process.stdout.write(`shells: ${line}\n`);
  try {
    if (process.getuid?.() !== 0) throw new Error(`only root can install ${missing.join(' and ')}`);
    await installPackages(missing, 'The test of completion', say);
  } catch (thrown) {
    say((thrown as Error).message);
  }
}
