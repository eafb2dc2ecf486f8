import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ferryBackupScript } from '../../../src/actions/ovirt/backup-script.ts';
import { restoreDatabaseScript } from '../../../src/actions/ovirt/restore-scripts.ts';
import { scratch } from '../../kit/backup-archives.ts';

const NAMES = ['a"$(touch owned)"b', '`touch owned`', "a'; touch owned; '", 'a\n touch owned', 'host=evil dbname=x', '-c touch'];

it.each(NAMES)('the name of a database is a name in every script, whatever is in it: %j', (database) => {
  const folder = scratch();
  const access = { scope: 'db', host: 'localhost', port: '1', user: database, database, password: 'x' } as const;
  const restore = restoreDatabaseScript(folder, access, { permissions: true, clean: true }).text;
  const wish = { path: `${folder}/x.backup`, log: `${folder}/l/x.log`, scopes: ['db'], format: 'plain' } as const;
  const pressed = { compressor: 'gzip', archiveCompressor: 'gzip', filesCompressor: 'gzip' } as const;
  const save = ferryBackupScript({ ...wish, ...pressed }, { version: '4.5.7', fqdn: database, access: [access] }).text;
  // There is no server on that port: both say so, and do nothing else.
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
