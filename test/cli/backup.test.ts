import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BackupReport } from '../../src/archives/inspect-backup.ts';
import { makeBackup, scratch } from '../kit/backup-archives.ts';
import { typed } from '../kit/ferry.ts';

const backup = async (words: readonly string[], columns = 110) => {
  const ferry = typed(['backup', 'inspect', ...words], { wire: null as never, columns });
  return { exit: await ferry.exit, out: ferry.out.text(), err: ferry.err.text() };
};

describe('ferry backup inspect', () => {
  it('shows a whole archive on one screen and ends with 0', async () => {
    const { exit, out, err } = await backup([makeBackup({ before: 'cp db/engine_backup.db db/dwh_backup.db' })]);
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/ {2}db\/dwh_backup\.db +3\.2 kB {2}0644 root:root {2}sha256sum ok\n/);
    expect(out).toMatch(/ {2}dwhdb {2}data warehouse \(engine\) {2}custom +PostgreSQL 15\.18 {2}3\.2 kB {2}read to its end\n/);
    expect(out).toContain('Whole: every hash is right, 2 dumps read to the end.');
    expect(out.split('\n').length).toBeLessThan(24);
  });

  it('says each thing that is wrong, what to do about it once, and ends with 1', async () => {
    const { exit, out } = await backup([makeBackup({ after: 'echo x >>version; echo x >>os_version; rm db/engine_backup.db' })]);
    expect(exit).toBe(1);
    expect(out.match(/error BACKUP_HASH_WRONG/g)).toHaveLength(2);
    expect(out.match(/Take another backup/g)).toHaveLength(1);
    expect(out.trimEnd().endsWith('Do not restore this backup.')).toBe(true);
  });

  it('shows no escape of an archive to a terminal', async () => {
    const { out } = await backup([makeBackup({ before: `printf '\\033]0;owned\\007' >version` })]);
    expect(out).not.toMatch(/\p{Cc}\]0;owned/u);
  });

  it('writes the report as JSON', async () => {
    const { exit, out } = await backup([makeBackup(), '--json']);
    const report = JSON.parse(out) as BackupReport;
    expect([exit, report.verdict, report.version, report.dumps[0]?.scope]).toEqual([0, 'whole', '4.5.7', 'db']);
  });

  it('is 64 for a file that is not there or is none', async () => {
    const folder = scratch();
    mkdirSync(`${folder}/x.backup`);
    for (const path of [`${folder}/none`, `${folder}/x.backup`]) {
      const { exit, err } = await backup([path]);
      expect([exit, err]).toEqual([64, expect.stringContaining('FILE_UNREADABLE')]);
    }
  });
});
