import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLeaseScript } from '../../src/hosts/lease.ts';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ferry-host-'));
  folder = join(root, 'ferry');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Takes the lease of a machine whose /var/lib/ferry is `folder`. */
function take(): { said: string; code: number | null } {
  const lease = { run: 'r-1', holder: 'me@here', since: 'now' };
  const script = takeLeaseScript('engine', lease, 1).text.replaceAll('/var/lib/ferry', folder);
  const { stdout, stderr, status } = spawnSync('sh', ['-c', `umask 0; ${script}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return { said: stdout.trim(), code: status };
}

describe("Ferry's folder on a host", () => {
  it('is made for root alone, whatever the umask, and taken again as it is', () => {
    expect(take()).toEqual({ said: 'taken', code: 0 });
    expect(take()).toEqual({ said: 'taken', code: 0 });
    const mode = (name: string) => (statSync(join(folder, name)).mode & 0o777).toString(8);
    expect(['', 'r-1', 'lease', 'lease.lock', 'r-1/epoch', 'r-1/hosts'].map(mode)).toEqual([
      '700',
      '700',
      '600',
      '600',
      '600',
      '600',
    ]);
  });

  it('is closed to others when somebody made it before, and open for reading', () => {
    mkdirSync(folder, { mode: 0o755 });
    expect(take().said).toBe('taken');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['a symbolic link', () => symlinkSync(join(root, 'away'), folder), 'unsafe it is a symbolic link'],
    ['a link to a folder', () => symlinkSync(root, folder), 'unsafe it is a symbolic link'],
    ['a file', () => writeFileSync(folder, ''), 'unsafe it is no folder'],
    [
      'writable by others',
      () => {
        mkdirSync(folder);
        chmodSync(folder, 0o1777);
      },
      'unsafe others may write there',
    ],
  ])('is refused when it is %s, and nothing is written there', (_, spoil, said) => {
    spoil();
    expect(take()).toEqual({ said, code: 0 });
    expect([existsSync(join(root, 'away')), existsSync(join(folder, 'lease')), existsSync(join(root, 'lease'))]).toEqual([
      false,
      false,
      false,
    ]);
  });

  it.skipIf(process.getuid?.() !== 0)('is refused when it belongs to somebody else', () => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 65534, 65534);
    expect(take()).toEqual({ said: 'unsafe it belongs to nobody', code: 0 });
  });
});
