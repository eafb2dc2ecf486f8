import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mustRun, runCommand } from './command.ts';
import { LabError } from './lab-error.ts';

/** Program -> the Debian package it comes with. */
const NEEDED: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  ip: 'iproute2',
  ssh: 'openssh-client',
  nsenter: 'util-linux',
  flock: 'util-linux',
};

const INOTIFY_LIMIT = '/proc/sys/fs/inotify/max_user_instances';
const INOTIFY_WANTED = 1024;

/**
 * Makes sure that this machine can run a lab: Linux, root, and the programs, installing the packages that are missing.
 * @throws LabError naming exactly what is missing.
 */
export async function requireLabMachine(say: (line: string) => void): Promise<void> {
  if (process.platform !== 'linux') {
    throw new LabError(
      `The lab boots hosts with systemd-nspawn and needs Linux; this is ${process.platform}. Nothing was changed.`,
      'run it on a Debian machine',
    );
  }
  requireRoot();
  const missing = [
    ...new Set(
      Object.keys(NEEDED)
        .filter((name) => !onPath(name))
        .map((name) => NEEDED[name] as string),
    ),
  ];
  if (!existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')) missing.push('debian-archive-keyring');
  raiseInotifyLimit(say);
  if (missing.length === 0) return;
  await installPackages(missing, 'The lab', say);
}

/** Installs Debian packages on this machine, saying so. @throws LabError naming them when that cannot be */
export async function installPackages(missing: readonly string[], who: string, say: (line: string) => void): Promise<void> {
  if (!onPath('apt-get')) {
    throw new LabError(
      `${who} needs the Debian packages ${missing.join(', ')}, and there is no apt-get here to install them. Nothing was changed.`,
      'run it on a Debian machine',
    );
  }
  say(`installing ${missing.join(', ')} on this machine`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runCommand(['apt-get', 'update', '-q'], { env });
  await mustRun(['apt-get', 'install', '-y', '-q', '-o', 'DPkg::Lock::Timeout=120', '--no-install-recommends', ...missing], {
    doing: `install ${missing.join(', ')}; no Debian mirror may be within reach`,
    env,
    hint: `apt-get update && apt-get install ${missing.join(' ')}`,
  });
}

/**
 * Hosts share this machine's kernel, and each systemd needs several inotify instances of root's 128: with about 20 hosts, of
 * all labs together, the next one boots without a word and never gets ready.
 */
function raiseInotifyLimit(say: (line: string) => void): void {
  try {
    const limit = Number(readFileSync(INOTIFY_LIMIT, 'utf8'));
    if (limit >= INOTIFY_WANTED) return;
    writeFileSync(INOTIFY_LIMIT, `${INOTIFY_WANTED}`);
    say(`raised fs.inotify.max_user_instances from ${limit} to ${INOTIFY_WANTED}, until this machine restarts`);
  } catch {
    // Where the kernel's settings cannot be written, the limit that is there must do.
  }
}

/** @throws LabError when this process is not root. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new LabError(
      'The lab mounts overlays and makes a bridge, so it needs root; you are not root. Nothing was changed.',
      'sudo ferry lab up',
    );
  }
}

function onPath(name: string): boolean {
  const folders = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => folder !== '' && existsSync(`${folder}/${name}`));
}
