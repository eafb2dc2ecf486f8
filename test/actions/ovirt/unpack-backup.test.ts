import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seenOnHost, unpackScript } from '../../../src/actions/ovirt/seen-on-host.ts';
import { inspectBackup } from '../../../src/archives/inspect-backup.ts';
import { judgeBackup } from '../../../src/archives/judge-backup.ts';
import { makeBackup, SQL, scratch, shell, type Wish } from '../../kit/backup-archives.ts';

/** What the script of a host finds wrong with an archive, and what it unpacked. */
function onHost(file: string): { codes: string[]; unpacked: string[]; scopes: string[] } {
  const into = `${scratch()}/unpacked`;
  const seen = seenOnHost(shell('/', unpackScript(file, into).text));
  const unpacked = (() => {
    try {
      return readdirSync(`${into}.part/m`, { recursive: true, encoding: 'utf8' }).sort();
    } catch {
      return [];
    }
  })();
  const codes = judgeBackup(file, seen).findings.map(({ code }) => code);
  return { codes: [...new Set(codes)].sort(), unpacked, scopes: seen.dumps.map(({ member }) => member) };
}

describe('unpacking an archive on a host', () => {
  it.each([
    { archive: 'z', files: 'J', format: 'custom', compressor: '' },
    { archive: 'J', files: 'z', format: 'plain', compressor: 'xz' },
    { archive: '', files: '', format: 'custom', compressor: 'gzip' },
    { archive: 'j', files: 'j', format: 'plain', compressor: 'bzip2' },
  ] as const)('finds a whole one whole: %o', (wish) => {
    const { codes, unpacked } = onHost(makeBackup(wish));
    expect(codes).toEqual([]);
    expect(unpacked).toEqual(['config', 'db', 'db/engine_backup.db', 'files', 'os_version', 'sha256sum', 'version']);
  });

  it.each<[string, Wish]>([
    ['a dump that was changed', { after: 'printf x | dd of=db/engine_backup.db bs=1 seek=40 conv=notrunc' }],
    ['a dump that is listed and gone', { after: 'rm db/engine_backup.db' }],
    ['a dump that nobody hashed', { after: 'cp db/engine_backup.db db/dwh_backup.db' }],
    ['no list of hashes', { list: null }],
    ['no version', { before: 'rm version' }],
    ['an empty dump', { before: ': >db/engine_backup.db' }],
    ['a custom dump that was cut', { before: 'truncate -s 2500 db/engine_backup.db' }],
    ['a plain dump that was cut', { format: 'plain', before: 'truncate -s 2500 db/engine_backup.db' }],
    ['a dump in another form than config says', { before: `cp '${SQL}' db/engine_backup.db` }],
    ['files that were cut', { before: 'truncate -s 100 files' }],
    ['a link', { before: 'ln -s /etc/shadow db/x' }],
    ['a pipe', { before: 'mkfifo db/x' }],
    ['files of others', { root: 'mkdir -p root/.ssh; echo key >root/.ssh/authorized_keys' }],
    ['a config that does more', { before: 'echo "X=$(id)" >>config' }],
    [
      'a database left out',
      { root: "echo 'OVESETUP_DWH_CORE/enable=bool:True' >>etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf" },
    ],
  ])('finds the same as ferry backup inspect: %s', async (_, wish) => {
    const file = makeBackup(wish);
    const expected = (await inspectBackup(file)).findings.map(({ code }) => code);
    expect(expected.length).toBeGreaterThan(0);
    expect(onHost(file).codes).toEqual([...new Set(expected)].sort());
  });

  it('unpacks nothing that leads elsewhere', () => {
    const folder = scratch();
    shell(folder, 'mkdir -p a/b; echo x >a/evil; cd a/b; tar -cPf ../../out.tar ../evil /etc/hostname');
    const { codes } = onHost(`${folder}/out.tar`);
    expect(codes).toContain('BACKUP_MEMBER_UNSAFE');
    expect(readdirSync(folder).sort()).toEqual(['a', 'out.tar']);
  });

  it('tells one that was cut, and one that is none', () => {
    const file = makeBackup();
    shell('/', `truncate -s -60 '${file}'`);
    expect(onHost(file).codes).toContain('BACKUP_BROKEN');
    const none = `${scratch()}/none`;
    shell('/', `echo hello >'${none}'`);
    expect(onHost(none).codes).toContain('BACKUP_BROKEN');
  });
});
