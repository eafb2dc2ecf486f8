import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.ts';
import { debianSources, SUITE } from './debian-sources.ts';
import { asset, cacheFolder } from './folders.ts';
import { withLock } from './lock.ts';

const PACKAGES = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'openssh-server',
    'openssh-client',
    'sudo',
    'locales',
    'postgresql',
    'postgresql-contrib',
  ],
  ...['python3', 'python3-psycopg2', 'iproute2', 'nftables', 'curl', 'procps', 'less', 'xz-utils', 'bzip2'],
];
const FLAGS = [
  '--variant=minbase',
  '--skip=cleanup/apt/lists',
  '--dpkgopt=force-unsafe-io',
  ...['/usr/share/man/*', '/usr/share/doc/*', '/usr/share/locale/*', '/usr/share/info/*'].map(
    (path) => `--dpkgopt=path-exclude=${path}`,
  ),
];
const KEPT_CACHES = 3;

/**
 * The folder of a built base: `root` in it is the file system every lab host starts from. Builds it when the cache has none for
 * this package list and recipe (about 40 s); two builds at the same time become one.
 * @throws LabError when mmdebstrap fails, for instance without a Debian mirror in reach.
 */
export async function baseRoot(say: (line: string) => void): Promise<string> {
  const recipe = asset('base', 'recipe.sh');
  const key = JSON.stringify([SUITE, process.arch, PACKAGES, FLAGS, await readFile(recipe, 'utf8')]);
  const folder = join(cacheFolder(), `base-${createHash('sha256').update(key).digest('hex').slice(0, 12)}`);
  if (!existsSync(folder)) {
    await withLock('base', say, async () => {
      if (!existsSync(folder)) await build(folder, recipe, say);
    });
  }
  const now = new Date();
  await utimes(folder, now, now);
  return folder;
}

async function build(folder: string, recipe: string, say: (line: string) => void): Promise<void> {
  const started = performance.now();
  say(`building the base root with mmdebstrap into ${cacheFolder()} (once; about 40 s)`);
  await mkdir(cacheFolder(), { recursive: true });
  await removeUnused('.building-', 0);
  const building = join(cacheFolder(), `.building-${process.pid}`);
  await mkdir(building, { recursive: true });
  const { sources, aptOptions } = await debianSources();
  const flags = [...FLAGS, ...aptOptions.map((option) => `--aptopt=${option}`), `--include=${PACKAGES.join(',')}`];
  const argv = ['mmdebstrap', '--mode=root', ...flags, `--customize-hook=sh '${recipe}' "$1"`, SUITE, join(building, 'root')];
  try {
    await mustRun(sources.length > 0 ? [...argv, '-'] : argv, {
      doing: 'build the base root (nothing was started; is a Debian mirror within reach?)',
      input: `${sources.join('\n')}\n`,
      hint: 'apt-get update',
    });
    await rename(building, folder);
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  await removeUnused('base-', KEPT_CACHES);
  say(`base root built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Removes all but the newest `keep` cache entries whose names start with `prefix`, and never one that a running lab has mounted. */
export async function removeUnused(prefix: string, keep: number, folder = cacheFolder()): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'utf8');
  const entries = await Promise.all(
    (await readdir(folder))
      .filter((name) => name.startsWith(prefix))
      .map(async (name) => ({ path: join(folder, name), usedMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = entries.sort((a, b) => b.usedMs - a.usedMs).slice(keep);
  for (const { path } of old) {
    // A path ends in / for a base, in : for an engine layer; `,` ends the last of several lower folders.
    const inUse = ['/', ':', ','].some((end) => mounts.includes(`${path}${end}`));
    if (!inUse) await rm(path, { recursive: true, force: true });
  }
}
