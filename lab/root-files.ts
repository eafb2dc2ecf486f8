import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Names of that root; the group defaults to the user's own. */
export type Owner = { user?: string; group?: string; mode?: number };

/** Writes files into a root that is not booted, by the user and group names of that root. */
export type RootFiles = {
  /** Writes one file and the folders above it; the mode is octal, the owner a name such as `root` or `ovirt`. */
  write(path: string, text: string, owner?: Owner): Promise<void>;
  folder(path: string, owner?: Owner): Promise<void>;
  /** Makes a unit start at boot. */
  enable(unit: string, from?: string): Promise<void>;
};

/** Opens a mounted root for writing. */
export async function openRootFiles(root: string): Promise<RootFiles> {
  const ids = async (file: string) =>
    new Map(
      (await readFile(join(root, file), 'utf8'))
        .split('\n')
        .map((line) => [line.split(':')[0] ?? '', Number(line.split(':')[2])]),
    );
  const users = await ids('etc/passwd');
  const groups = await ids('etc/group');
  const own = async (path: string, { user = 'root', group, mode = 0o644 }: Owner = {}) => {
    await chown(path, users.get(user) ?? 0, groups.get(group ?? user) ?? 0);
    await chmod(path, mode);
  };
  return {
    async write(path, text, owner) {
      const full = join(root, path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, text);
      await own(full, owner);
    },
    async folder(path, owner) {
      await mkdir(join(root, path), { recursive: true });
      await own(join(root, path), { mode: 0o755, ...owner });
    },
    async enable(unit, from = '/etc/systemd/system') {
      const link = join(root, 'etc/systemd/system/multi-user.target.wants', unit);
      await rm(link, { force: true });
      await symlink(`${from}/${unit}`, link);
    },
  };
}
