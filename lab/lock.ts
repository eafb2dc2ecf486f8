import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './folders.ts';

/**
 * Runs `work` while no other process on this machine is inside the same `name`; waits as long as it takes, and says so once.
 * The lock dies with this process, however it dies: a small flock child holds it for as long as our end of its stdin is open.
 */
export async function withLock<T>(name: string, say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const folder = join(cacheFolder(), 'locks');
  await mkdir(folder, { recursive: true });
  const child = spawn('flock', ['--exclusive', join(folder, name), 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // A Ctrl-C goes to our whole process group and must not end the lock before the work.
    detached: true,
  });
  const told = setTimeout(() => say(`waiting for another ferry lab command that holds ${name}`), 500);
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`flock ended with ${code}`)));
    });
    clearTimeout(told);
    return await work();
  } finally {
    clearTimeout(told);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end();
    if (child.exitCode === null && child.pid !== undefined) await gone;
  }
}
