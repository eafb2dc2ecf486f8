import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ferryBackupScript } from '../../../src/actions/ovirt/backup-script.ts';
import { reachScript } from '../../../src/actions/ovirt/restore-reach.ts';
import { restoreDatabaseScript } from '../../../src/actions/ovirt/restore-scripts.ts';
import { DUMP, scratch, shell } from '../../kit/backup-archives.ts';

const NAMES = ['a"$(touch owned)"b', '`touch owned`', "a'; touch owned; '", 'a\n touch owned', 'host=evil dbname=x', '-c touch'];

it.each(NAMES)('the name of a database is a name in every script, whatever is in it: %j', (database) => {
  const folder = scratch();
  const access = { scope: 'db', host: 'localhost', port: '1', user: database, database, password: 'x' } as const;
  const restore = restoreDatabaseScript(folder, access, { permissions: true, clean: true, imprint: `${folder}/k/imprint` }).text;
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

describe('the imprint of a database that is loaded', () => {
  /** Loads with programs that say what a server would; `load` is what pg_restore does, `clean` how the cleaning ends. */
  function loaded(load: string, clean = 0) {
    const folder = scratch();
    const [bin, imprint] = [join(folder, 'bin'), join(folder, 'k', 'imprint')];
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'psql'),
      `#!/bin/sh\ni=$(cat); case "$i" in 'show lc_messages') echo en_US.UTF-8 ;; *TRUNCATE*) exit ${clean} ;; *pg_stat_all_tables*) echo 'the rows on' ;; ANALYZE) ;; *) echo 0 ;; esac\n`,
      { mode: 0o755 },
    );
    writeFileSync(join(bin, 'pg_restore'), `#!/bin/sh\ncase "$1" in -l) exit 0 ;; esac\n${load}\n`, { mode: 0o755 });
    shell(folder, "mkdir db; printf 'PGDMP' >db/engine_backup.db");
    const access = { scope: 'db', host: 'h', port: '1', user: 'u', database: 'd', password: 'x' } as const;
    const { text } = restoreDatabaseScript(folder, access, { permissions: true, clean: true, imprint });
    const env = { PATH: `${bin}:${process.env.PATH}`, FERRY_SECRETS: folder };
    const { status, stdout } = spawnSync('sh', ['-c', text], { encoding: 'utf8', env });
    return { status, stdout, imprint: existsSync(imprint) ? readFileSync(imprint, 'utf8').trim() : null };
  }

  it('is left by the load itself, after nobody but it was there', () => {
    expect(loaded('exit 0')).toMatchObject({ status: 0, imprint: 'the rows on' });
  });

  it('is left too where it is loaded and could not be cleaned', () => {
    expect(loaded('exit 0', 1)).toMatchObject({ status: 1, imprint: 'the rows on', stdout: expect.stringContaining('FATAL: ') });
  });

  it.each([
    ['failed', 'exit 1', 1],
    ['was cut off', 'kill -9 $PPID', null],
  ])('is none where the load %s: its one transaction has left nothing', (_, load, status) => {
    expect(loaded(load)).toMatchObject({ status, imprint: null });
  });
});
