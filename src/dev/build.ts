import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './action-files.ts';

/** Makes dist/: what the published bin runs, because Node strips no types under node_modules. */
export function build(project = PROJECT): void {
  rmSync(join(project, 'dist'), { recursive: true, force: true });
  execFileSync(join(project, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], { cwd: project, stdio: 'inherit' });
  // What the lab puts into its hosts is no TypeScript.
  for (const folder of ['base', 'seed', 'seed-dwh', 'stand-ins'])
    cpSync(join(project, 'lab', folder), join(project, 'dist', 'lab', folder), { recursive: true });
  // tsc writes files without the executable bit.
  chmodSync(join(project, 'dist', 'src', 'main.js'), 0o755);
}

if (import.meta.main) build();
