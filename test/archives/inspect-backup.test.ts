import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspectBackup } from '../../src/archives/inspect-backup.ts';
import { backupText } from '../../src/renderers/backup.ts';
import { makeBackup, SQL, scratch, shell, type Wish } from '../kit/backup-archives.ts';

const codes = (report: { findings: readonly { code: string }[] }) => report.findings.map(({ code }) => code);
const inspect = (wish?: Wish) => inspectBackup(makeBackup(wish));

describe('an archive of engine-backup', () => {
  it('is whole when every hash is right and every dump reads to its end', async () => {
    const report = await inspect({ before: 'cp db/engine_backup.db db/dwh_backup.db' });
    expect(codes(report)).toEqual([]);
    expect(report).toMatchObject({
      verdict: 'whole',
      version: '4.5.7',
      osVersion: 'centos9',
      hashList: 'sha256sum',
      compressor: 'gzip',
    });
    expect(report.members.map(({ name }) => name).sort()).toEqual([
      '.',
      'config',
      'db',
      'db/dwh_backup.db',
      'db/engine_backup.db',
      'files',
      'os_version',
      'sha256sum',
      'version',
    ]);
    expect(report.dumps).toContainEqual(
      expect.objectContaining({
        scope: 'db',
        format: 'custom',
        compressor: 'none',
        database: 'engine',
        server: '15.18',
        proof: 'whole',
      }),
    );
    expect(report.dumps.map(({ scope }) => scope).sort()).toEqual(['db', 'dwhdb']);
    expect(report.files).toMatchObject({ compressor: 'xz', enabled: ['OVESETUP_ENGINE_CORE/enable'] });
  });

  it.each([
    { archive: 'J', files: 'J', format: 'plain', compressor: 'xz' },
    { archive: '', files: '', format: 'custom', compressor: 'gzip' },
    { archive: 'j', files: 'j', format: 'plain', compressor: 'bzip2' },
    { archive: 'z', files: 'z', format: 'plain', compressor: '' },
  ] as const)('is read by its bytes, not by its name: %o', async (wish) => {
    const report = await inspect(wish);
    expect(codes(report)).toEqual([]);
    const [dump] = report.dumps;
    expect(dump).toMatchObject({ format: wish.format, compressor: wish.compressor || 'none', server: '15.18', proof: 'whole' });
    expect(report.files?.compressor).toBe({ J: 'xz', j: 'bzip2', z: 'gzip', '': 'none' }[wish.files]);
  });

  it('may have the md5sum of older releases', async () => {
    const report = await inspect({ list: 'md5sum' });
    expect(report).toMatchObject({ verdict: 'whole', hashList: 'md5sum' });
    expect(report.members.filter(({ hash }) => hash === 'right').length).toBe(5);
  });

  it('with both lists goes by sha256sum, as engine-backup does', async () => {
    const report = await inspect({ after: 'echo nonsense >md5sum; sha256sum md5sum >>sha256sum' });
    expect(report).toMatchObject({ verdict: 'whole', hashList: 'sha256sum' });
  });

  it('made with the other form of tar is the same', async () => {
    const report = await inspect({
      tarOptions: '--format=posix',
      before: 'truncate -s 3M db/big; printf x >>db/big; truncate -s 5M db/big',
    });
    expect(report.findings).toEqual([]);
    expect(report.members.find(({ name }) => name === 'db/big')).toMatchObject({ sizeBytes: 5 << 20, hash: 'right' });
  });

  it('with a file of more than twenty holes is read on behind it', async () => {
    const holes = 'for n in $(seq 0 60); do printf data | dd of=db/sparse bs=1M seek=$n conv=notrunc 2>/dev/null; done';
    const report = await inspect({ before: holes, root: `mkdir -p etc/ovirt-engine/db; cd etc/ovirt-engine; ${holes}` });
    expect(report.findings).toEqual([]);
    expect(report.members.find(({ name }) => name === 'db/sparse')?.hash).toBe('right');
  });
});

describe('what is wrong with an archive', () => {
  it.each<[string, Wish, string[]]>([
    [
      'a dump that was changed',
      { after: 'printf x | dd of=db/engine_backup.db bs=1 seek=40 conv=notrunc' },
      ['BACKUP_HASH_WRONG'],
    ],
    ['a dump that is listed and gone', { after: 'rm db/engine_backup.db' }, ['BACKUP_MEMBER_MISSING']],
    ['a dump that nobody hashed', { after: 'cp db/engine_backup.db db/dwh_backup.db' }, ['BACKUP_MEMBER_UNLISTED']],
    ['no list of hashes', { list: null }, ['BACKUP_MEMBER_MISSING']],
    ['no version', { before: 'rm version' }, ['BACKUP_MEMBER_MISSING']],
    ['no config', { before: 'rm config' }, ['BACKUP_MEMBER_MISSING']],
    ['a list that is no list', { after: 'echo boo >>sha256sum' }, ['BACKUP_HASHES_WRONG']],
    ['an empty dump', { before: ': >db/engine_backup.db' }, ['BACKUP_MEMBER_EMPTY']],
    [
      'a custom dump that was cut before it was hashed',
      { before: 'truncate -s 2500 db/engine_backup.db' },
      ['BACKUP_DUMP_DAMAGED'],
    ],
    ['a plain dump that was cut', { format: 'plain', before: 'truncate -s 2500 db/engine_backup.db' }, ['BACKUP_DUMP_DAMAGED']],
    [
      'a compressed dump that was cut',
      { format: 'plain', compressor: 'xz', before: 'truncate -s 300 db/engine_backup.db' },
      ['BACKUP_DUMP_DAMAGED'],
    ],
    ['a dump that is none', { before: 'echo hello >db/engine_backup.db' }, ['BACKUP_DUMP_DAMAGED']],
    ['a dump in another form than config says', { before: `cp '${SQL}' db/engine_backup.db` }, ['BACKUP_CONFIG_DIFFERS']],
    ['files that were cut', { before: 'truncate -s 100 files' }, ['BACKUP_DUMP_DAMAGED']],
    ['nothing to restore', { files: null, before: 'rm db/engine_backup.db' }, ['BACKUP_MEMBER_MISSING']],
    ['a link', { before: 'ln -s /etc/shadow db/x' }, ['BACKUP_MEMBER_UNSAFE']],
    ['a pipe', { before: 'mkfifo db/x' }, ['BACKUP_MEMBER_UNSAFE']],
    ['a hard link', { before: 'ln config db/x' }, ['BACKUP_MEMBER_UNSAFE']],
    ['a link among the files, which is no fault', { root: 'ln -s /root etc/ovirt-engine/d' }, []],
    ['files of others', { root: 'mkdir -p root/.ssh; echo key >root/.ssh/authorized_keys' }, ['BACKUP_FILES_FOREIGN']],
    ['a config that does more', { before: 'echo "X=$(id)" >>config' }, ['BACKUP_CONFIG_REFUSED']],
  ])('is told: %s', async (_, wish, expected) => {
    const report = await inspect(wish);
    const seen = [...new Set(codes(report))];
    expect(seen).toEqual(expect.arrayContaining(expected));
    if (expected.length === 0) expect(seen).toEqual([]);
    expect(report.verdict).toBe(report.findings.some(({ severity }) => severity === 'error') ? 'damaged' : 'whole');
  });

  it('a database that was set up and silently left out is told', async () => {
    const root = "echo 'OVESETUP_DWH_CORE/enable=bool:True' >>etc/ovirt-engine-setup.conf.d/20-setup-ovirt-post.conf";
    const report = await inspect({ root });
    expect(codes(report)).toEqual(['BACKUP_DATABASE_MISSING']);
    expect(report.verdict).toBe('whole');
  });

  it('a member that stands in it twice is told', async () => {
    const file = makeBackup({ archive: '' });
    shell('/', `cd "$(dirname '${file}')"; mkdir e; echo DB_DUMP_FORMAT=plain >e/config; tar -C e -rf '${file}' ./config`);
    expect(codes(await inspectBackup(file))).toContain('BACKUP_MEMBER_TWICE');
  });

  it('names that lead elsewhere are told, outside and within the files', async () => {
    const folder = scratch();
    shell(folder, 'mkdir -p a/b; echo x >a/evil; cd a/b; tar -cPf ../../out.tar ../evil /etc/hostname');
    const report = await inspectBackup(`${folder}/out.tar`);
    expect(report.findings.filter(({ code }) => code === 'BACKUP_MEMBER_UNSAFE')).toHaveLength(2);
    const inner = await inspect({ before: `cp '${folder}/out.tar' files` });
    expect(inner.findings.filter(({ code }) => code === 'BACKUP_MEMBER_UNSAFE')).toHaveLength(2);
  });

  it('a file written behind a link of the archive is told', async () => {
    const folder = scratch();
    shell(
      folder,
      'mkdir -p 1/etc/ovirt-engine 2/etc/ovirt-engine/d; ln -s /root 1/etc/ovirt-engine/d; echo x >2/etc/ovirt-engine/d/evil',
    );
    shell(folder, 'tar -C 1 -cf x.tar etc; tar -C 2 -rf x.tar etc/ovirt-engine/d/evil');
    expect(codes(await inspect({ before: `cp '${folder}/x.tar' files` }))).toContain('BACKUP_MEMBER_UNSAFE');
  });

  it('an archive that was cut is told wherever the cut is', async () => {
    const whole = readFileSync(makeBackup({ archive: '' }));
    const file = `${scratch()}/cut`;
    for (const at of [0, 1, 100, 511, 512, 700, 3000, 9000, whole.length - 10_240]) {
      writeFileSync(file, whole.subarray(0, at));
      const report = await inspectBackup(file);
      expect([at, report.verdict, codes(report)]).toEqual([at, 'damaged', expect.arrayContaining(['BACKUP_BROKEN'])]);
    }
  });

  it('of one that was cut the cut is told alone: what is missing behind it may have been there', async () => {
    const file = makeBackup({ archive: '', before: 'cp db/engine_backup.db db/dwh_backup.db' });
    truncateSync(file, readFileSync(file).lastIndexOf('PGDMP') + 600);
    const report = await inspectBackup(file);
    expect(codes(report)).toEqual(['BACKUP_BROKEN']);
    expect(report.findings[0]?.message).toMatch(/; the last member there is db\/(dwh|engine)_backup\.db\.$/);
    truncateSync(file, 0);
    expect((await inspectBackup(file)).findings[0]?.message).toContain('it is empty, as engine-backup leaves one when it fails');
  });

  it('files that were cut are not shown as read to their end', async () => {
    const text = backupText(await inspect({ before: 'truncate -s 100 files' }), { width: 100, colour: false });
    expect(text).toMatch(/^ {2}files .*NOT WHOLE$/m);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it.each(['z', 'j', 'J'] as const)(
    'a compressed archive that was cut or is followed by rubbish is told (%s)',
    async (archive) => {
      const file = makeBackup({ archive });
      appendFileSync(file, 'rubbish');
      // bzip2 itself takes no notice of what follows.
      if (archive !== 'j') expect(codes(await inspectBackup(file))).toContain('BACKUP_BROKEN');
      truncateSync(file, readFileSync(file).length - 60);
      expect(codes(await inspectBackup(file))).toContain('BACKUP_BROKEN');
    },
  );

  it('no file, a folder and a device are told as what they are', async () => {
    await expect(inspectBackup('/nowhere/x.backup')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(inspectBackup('/etc')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    await expect(inspectBackup('/dev/zero')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it('a dump is not called whole where no pg_restore read it', async () => {
    const report = await inspectBackup(makeBackup(), { pgRestore: 'no-such-pg_restore' });
    expect(report.verdict).toBe('unproven');
    expect(codes(report)).toEqual(['BACKUP_DUMP_UNPROVEN']);
    expect(report.dumps[0]).toMatchObject({ proof: 'unproven', database: 'engine', server: '15.18' });
  });
});

describe('reading a big archive', () => {
  it('takes no more memory for a big one', async () => {
    const file = makeBackup({ archive: '', files: null, before: 'head -c 300M /dev/zero | tr "\\0" x >db/big' });
    const peak = (path: string) =>
      Number(
        execFileSync(
          process.execPath,
          [
            '--max-old-space-size=64',
            '-e',
            `import('./src/archives/inspect-backup.ts').then((m) => m.inspectBackup(process.argv[1])).then((r) => console.log(r.verdict === 'whole' ? process.resourceUsage().maxRSS : -1))`,
            path,
          ],
          { encoding: 'utf8' },
        ),
      );
    const small = peak(makeBackup());
    expect(small).toBeGreaterThan(0);
    expect(peak(file) - small).toBeLessThan(60_000);
  });
});
