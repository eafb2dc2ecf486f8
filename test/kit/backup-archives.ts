import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export const FIXTURES = join(import.meta.dirname, '..', 'archives', 'fixtures');
export const DUMP = join(FIXTURES, 'small.dump');
export const SQL = join(FIXTURES, 'small.sql');

/** How an archive is made; what is not said is as engine-backup makes it. */
export interface Wish {
  readonly archive?: 'z' | 'j' | 'J' | '';
  readonly files?: 'z' | 'j' | 'J' | '' | null;
  readonly format?: 'custom' | 'plain';
  readonly compressor?: '' | 'gzip' | 'bzip2' | 'xz';
  readonly list?: 'sha256sum' | 'md5sum' | null;
  /** Shell run in the folder of the members before they are hashed, and after. */
  readonly before?: string;
  readonly after?: string;
  /** Shell run in the root of the product's files before they are packed. */
  readonly root?: string;
  /** What tar is told beside the options of engine-backup. */
  readonly tarOptions?: string;
}

/** Runs shell in a folder, quietly; its words are the test's own. */
export function shell(folder: string, script: string): string {
  return execFileSync('sh', ['-euc', script], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A folder that goes when the test ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ferry-backup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes an archive in the layout of engine-backup, with the real tar, compressors and dumps of the real pg_dump. */
export function makeBackup(wish: Wish = {}): string {
  const folder = scratch();
  const { archive = 'z', files = 'J', format = 'custom', compressor = '', list = 'sha256sum' } = wish;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write('root/etc/ovirt-engine/engine.conf.d/10-setup-database.conf', 'ENGINE_DB_HOST="localhost"\n');
  write(
    'root/etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf',
    '[environment:default]\nOVESETUP_ENGINE_CORE/enable=bool:True\n',
  );
  write('t/version', '4.5.7\n');
  write('t/os_version', 'centos9\n');
  write(
    't/config',
    ['', 'DWH_', 'KEYCLOAK_'].map((one) => `${one}DB_DUMP_COMPRESSOR=${compressor}\n${one}DB_DUMP_FORMAT=${format}\n`).join(''),
  );
  const dump = format === 'custom' ? DUMP : SQL;
  shell(folder, `mkdir -p t/db; ${compressor || 'cat'} <'${dump}' >t/db/engine_backup.db`);
  shell(join(folder, 'root'), wish.root ?? ':');
  if (files !== null)
    shell(folder, `tar -C root -cpS${files}f t/files $(cd root && find . -mindepth 2 -maxdepth 2 -printf '%P ')`);
  shell(join(folder, 't'), wish.before ?? ':');
  if (list)
    shell(
      join(folder, 't'),
      `find . -type f -printf '%P\\n' | while read -r f; do ${list} "$f"; done >../list; mv ../list ${list}`,
    );
  shell(join(folder, 't'), wish.after ?? ':');
  shell(folder, `tar -C t ${wish.tarOptions ?? ''} -cpS${archive}f engine.backup .`);
  return join(folder, 'engine.backup');
}
