import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ferryBackupScript } from '../../../src/actions/ovirt/backup-script.ts';
import { reachScript } from '../../../src/actions/ovirt/restore-reach.ts';
import { restoreDatabaseScript } from '../../../src/actions/ovirt/restore-scripts.ts';
import { DUMP, scratch, shell } from '../../kit/backup-archives.ts';

const NAMES = ['a"$(touch owned)"b', '`touch owned`', "a'; touch owned; '", 'a\n touch owned', 'host=evil dbname=x', '-c touch'];

it.each(NAMES)('the name of a database is a name in every script, whatever is in it: %j', (database) => {
  const folder = scratch();
  const access = { scope: 'db', host: 'localhost', port: '1', user: database, database, password: 'x' } as const;
  const restore = restoreDatabaseScript(folder, access, { permissions: true, clean: true }).text;
  const wish = { path: `${folder}/x.backup`, log: `${folder}/l/x.log`, scopes: ['db'], format: 'plain' } as const;
  const pressed = { compressor: 'gzip', archiveCompressor: 'gzip', filesCompressor: 'gzip' } as const;
  const save = ferryBackupScript({ ...wish, ...pressed }, { version: '4.5.7', fqdn: database, access: [access] }).text;
  // There is no server on that port: both say so, and do nothing else.
  const done = spawnSync('sh', ['-c', reachScript(folder, [access]).text], { cwd: folder, encoding: 'utf8' });
  expect(done.stdout).toMatch(/^reach db why \S+$/m);
  for (const script of [restore, save]) {
    const done = spawnSync('sh', ['-c', script], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, FERRY_SECRETS: folder },
    });
    expect(done.status, done.stderr).not.toBe(0);
    expect(done.stdout).toContain('FATAL: ');
  }
  expect(existsSync(`${folder}/owned`)).toBe(false);
});

it.each(['cat', 'gzip', 'xz'])('the roles a dump names are read from it, whatever it is compressed with: %s', (compressor) => {
  const folder = scratch();
  const access = { scope: 'dwhdb', host: 'localhost', port: '1', user: 'u', database: 'd', password: 'x' } as const;
  shell(folder, `mkdir db; ${compressor} <'${DUMP}' >db/dwh_backup.db`);
  const { stdout } = spawnSync('sh', ['-c', reachScript(folder, [access]).text], { encoding: 'utf8' });
  const owners = /^reach dwhdb owners (\S+)$/m.exec(stdout)?.[1] ?? '';
  expect(Buffer.from(owners, 'base64').toString('utf8')).toBe('postgres\n');
  expect(readdirSync(join(folder, 'db'))).toEqual(['dwh_backup.db']);
});
