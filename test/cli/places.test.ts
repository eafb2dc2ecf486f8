import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const MODULE = join(import.meta.dirname, '..', '..', 'src', 'cli', 'places.ts');

// It was told as a defect of Ferry, and left a run behind that never began.
it.runIf(process.getuid?.() === 0)('a user without an account, as in many a container, has a name all the same', () => {
  const program = `import { accountHome, holderName } from ${JSON.stringify(MODULE)};
console.log(holderName(), accountHome());`;
  const ended = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    ...{ encoding: 'utf8', cwd: '/', uid: 54_321, gid: 54_321, env: { HOME: '/nowhere' } },
  });
  expect(ended.stderr).toBe('');
  // Names of runs, holders and times stand side by side in a lease.
  expect(ended.stdout).toMatch(/^uid-54321@\S+ \/nowhere\n$/);
});
