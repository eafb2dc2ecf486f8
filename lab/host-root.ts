import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, runCommand } from './command.ts';
import { dwhAccess } from './engine-conf.ts';
import { DOMAIN, hostFolder, hostRoot, type LabHost, type LabState } from './lab-state.ts';
import { pollUntil } from './poll-until.ts';
import { openRootFiles, type RootFiles } from './root-files.ts';
import { runInRoot } from './run-in-root.ts';
import { installEngine, installHostedEngine } from './stand-ins.ts';

const SSHD_KEYS = ['ed25519', 'ecdsa', 'rsa'];

/** Gives a host a fresh root: an empty overlay over its cached layers, made its own. What an earlier one held is gone. */
export async function freshHostRoot(state: LabState, host: LabHost): Promise<void> {
  await unmountHostRoot(state, host.name);
  const folder = hostFolder(state, host.name);
  for (const name of ['upper', 'work', 'prepared']) await rm(join(folder, name), { recursive: true, force: true });
  await mountHostRoot(state, host);
  const root = hostRoot(state, host.name);
  await personalise(await openRootFiles(root), state, host);
  if (host.kind === 'engine') await setRolePasswords(root, state.dbPassword);
  await writeFile(join(folder, 'prepared'), '');
}

/** Whether the host's root was made whole: one that was cut off half way is made anew. */
export const isPrepared = (state: LabState, host: string): boolean => existsSync(join(hostFolder(state, host), 'prepared'));

/** Mounts the host's overlay, keeping what is in it, unless it is mounted. */
export async function mountHostRoot(state: LabState, host: LabHost): Promise<void> {
  const root = hostRoot(state, host.name);
  if (await isMounted(root)) return;
  const folder = hostFolder(state, host.name);
  for (const name of ['root', 'upper', 'work']) await mkdir(join(folder, name), { recursive: true });
  const { repository, installed } = state.packages;
  const engine = host.kind === 'engine' ? [installed] : [];
  const layers = [...engine, repository, ...(host.kind === 'engine' ? [state.engineLayer] : []), join(state.baseFolder, 'root')];
  const options = `lowerdir=${layers.join(':')},upperdir=${folder}/upper,workdir=${folder}/work`;
  await mustRun(['mount', '-t', 'overlay', `ferry-lab-${state.id}`, '-o', options, root], {
    doing: `mount the overlay of ${host.name}; the lab folder must be on a file system that can hold one, such as ext4, xfs or tmpfs`,
    hint: 'FERRY_LAB_DIR=/var/tmp/lab ferry lab up',
  });
}

/** Takes the host's overlay off, waiting while the kernel still lets go of it. */
export async function unmountHostRoot(state: LabState, host: string): Promise<void> {
  const root = hostRoot(state, host);
  await pollUntil(
    async () => {
      if (!(await isMounted(root))) return true;
      await runCommand(['umount', root]);
      return !(await isMounted(root));
    },
    { what: `${root} to be unmounted`, timeoutMs: 10_000, hint: `fuser -vm ${root}` },
  );
}

async function isMounted(path: string): Promise<boolean> {
  return (await readFile('/proc/mounts', 'utf8')).split('\n').some((line) => line.split(' ')[1] === path);
}

async function personalise(files: RootFiles, state: LabState, host: LabHost): Promise<void> {
  const hosts = state.hosts.map(({ name, address }) => `${address} ${name}.${DOMAIN} ${name}\n`).join('');
  await files.write('/etc/hostname', `${host.name}.${DOMAIN}\n`);
  await files.write('/etc/hosts', `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${hosts}`);
  await files.write('/etc/machine-id', '');
  await files.write(
    '/etc/systemd/network/10-host0.network',
    `[Match]\nName=host0\n\n[Network]\nAddress=${host.address}/24\nGateway=${state.subnet}.1\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n`,
  );
  const key = await readFile(join(state.dir, 'id_ed25519.pub'), 'utf8');
  await files.write('/root/.ssh/authorized_keys', key, { mode: 0o600 });
  await files.write('/home/admin/.ssh/authorized_keys', key, { user: 'admin', mode: 0o600 });
  for (const name of await readdir(hostKeys(state, host.name))) {
    const text = await readFile(join(hostKeys(state, host.name), name), 'utf8');
    await files.write(`/etc/ssh/${name}`, text, { mode: name.endsWith('.pub') ? 0o644 : 0o600 });
  }
  if (host.kind === 'newdb') await files.enable('postgresql.service', '/lib/systemd/system');
  if (host.kind === 'he') await installHostedEngine(files, host);
  if (host.kind === 'engine') await installEngine(files, state.dbPassword);
}

/** The roles are in the cached layer without passwords; a single-user postgres gives them the lab's own before the first boot. */
async function setRolePasswords(root: string, password: string): Promise<void> {
  const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const { dwh, grafana } = dwhAccess(password);
  const roles = [{ user: 'engine', password }, dwh, grafana];
  const statements = roles.map((role) => `ALTER ROLE ${role.user} PASSWORD ${quoted(role.password)}\n`).join('');
  const single =
    '/usr/lib/postgresql/15/bin/postgres --single -D /var/lib/postgresql/15/main -c config_file=/etc/postgresql/15/main/postgresql.conf';
  const script = `cd / && runuser -u postgres -- ${single} engine >/dev/null 2>&1 <<'SQL'\n${statements}SQL\n`;
  await runInRoot(root, script, 'set the passwords of the roles');
}

const hostKeys = (state: LabState, host: string): string => join(state.dir, 'host-keys', host);

/** Makes the host's own sshd keys once per lab, so that a fresh root still shows the same ones. */
export async function makeHostKeys(state: LabState, host: string): Promise<void> {
  const folder = hostKeys(state, host);
  if (existsSync(folder)) return;
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true, mode: 0o700 });
  const make = async (type: string) => {
    const bits = type === 'rsa' ? ['-b', '2048'] : [];
    const argv = [
      'ssh-keygen',
      '-q',
      '-t',
      type,
      ...bits,
      '-N',
      '',
      '-C',
      `root@${host}`,
      '-f',
      join(making, `ssh_host_${type}_key`),
    ];
    await mustRun(argv, { doing: `make the ${type} key of ${host}` });
  };
  await Promise.all(SSHD_KEYS.map(make));
  await rename(making, folder);
}

/** The public sshd keys of a host, as `TYPE BASE64`. */
export async function hostPublicKeys(state: LabState, host: string): Promise<string[]> {
  const read = (type: string) => readFile(join(hostKeys(state, host), `ssh_host_${type}_key.pub`), 'utf8');
  return (await Promise.all(SSHD_KEYS.map(read))).map((line) => line.split(' ').slice(0, 2).join(' ').trim());
}
