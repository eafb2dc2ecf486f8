import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import type { BackupReport } from '../../src/archives/inspect-backup.ts';
import { ENGINE_UNITS, EngineToRestore } from '../kit/engine-to-restore.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const [SAVE, RESTORE] = ['runbooks/ovirt/engine-backup.yaml', 'runbooks/ovirt/engine-restore.yaml'];
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const BY_ENGINE = '/srv/by-engine-backup.backup';
const BY_FERRY = '/srv/by-ferry.backup';

const engine = new EngineToRestore(labDir);
const on = (script: string) => engine.on(script);
const psql = (sql: string, database?: string) => engine.psql(sql, database);
const run = (book: string, inputs: Record<string, string>, ...more: string[]) =>
  ferry.run([
    'run',
    book,
    ...ferry.hosts,
    '--yes',
    ...Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`]),
    ...more,
  ]);

/** What `ferry backup inspect` says of an archive on the engine's disk. */
const inspect = (path: string): BackupReport => {
  const words = [MAIN, 'backup', 'inspect', join(labDir, 'hosts', 'engine', 'upper', path), '--json'];
  return JSON.parse(spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout) as BackupReport;
};

describe('backing up and restoring an engine', () => {
  let files = '';
  let data: Awaited<ReturnType<EngineToRestore['dataNow']>>;

  beforeAll(async () => {
    await on(
      `chmod 0664 /etc/ovirt-engine/engine.conf.d/10-setup-protocols.conf; python3 -c "import os;os.setxattr('/etc/ovirt-engine/engine.conf', b'user.ferry', b'x')" || true`,
    );
    // Grafana's own database, which the lab's Grafana does without.
    await on(
      `python3 -c "import sqlite3; c = sqlite3.connect('/var/lib/grafana/grafana.db'); c.execute('create table t (a)'); c.commit()"; chown grafana:grafana /var/lib/grafana/grafana.db`,
    );
    await psql("UPDATE dwh_history_timekeeping SET var_value = '1' WHERE var_name = 'DwhCurrentlyRunning'");
    files = await engine.filesNow();
    data = await engine.dataNow();
  });
  afterEach(async () => {
    await ferry.run(['unlock', 'engine', '--abandon', ...ferry.hosts, '--yes']);
  });
  afterAll(async () => {
    ferry.remove();
    await labReset({ dir: labDir, say: () => undefined });
  });

  it('makes the same archive by either tool, whole, and tells the engine of it', async () => {
    for (const [tool, file] of [
      ['engine-backup', BY_ENGINE],
      ['ferry', BY_FERRY],
    ] as const) {
      const saved = await run(SAVE, { tool, file });
      expect(saved.code, saved.stderr).toBe(0);
    }
    const [theirs, ours] = [inspect(BY_ENGINE), inspect(BY_FERRY)];
    for (const report of [theirs, ours]) {
      expect(report.findings).toEqual([]);
      expect(report.verdict).toBe('whole');
      expect(report.dumps.map(({ scope, format }) => `${scope} ${format}`).sort()).toEqual([
        'db custom',
        'dwhdb custom',
        'grafanadb sqlite',
      ]);
    }
    const shape = ({ members }: BackupReport) =>
      members.map(({ name, type, mode, owner }) => `${name} ${type} ${mode} ${owner}`).sort();
    expect(shape(ours).filter((line) => !line.startsWith('. '))).toEqual(shape(theirs).filter((line) => !line.startsWith('. ')));
    expect(ours.version).toBe(theirs.version);
    expect(ours.osVersion).toBe(theirs.osVersion);
    expect(await on(`stat -c '%a %U' ${BY_FERRY} ${BY_ENGINE}`)).toBe('600 root\n600 root');
    expect(
      await psql(
        'SELECT DISTINCT is_passed FROM engine_backup_log; SELECT log_type, count(*) > 3 FROM audit_log WHERE log_type IN (9024, 9025, 9026) GROUP BY 1 ORDER BY 1',
      ),
    ).toBe('t\n9024|t\n9025|t');
  });

  it('refuses a damaged one before anything is touched', async () => {
    await on(
      `cp ${BY_ENGINE} /srv/bad.backup; printf x | dd of=/srv/bad.backup bs=1 seek=9000 conv=notrunc 2>/dev/null; mkdir /srv/t; tar -C /srv/t -xf ${BY_ENGINE}; echo 'DB_DUMP_FORMAT=$(touch /srv/owned)' >>/srv/t/config; tar -C /srv/t -czf /srv/evil.backup .`,
    );
    await engine.lose();
    for (const file of ['/srv/bad.backup', '/srv/evil.backup']) {
      const refused = await run(RESTORE, { file, tool: 'ferry' });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain('BACKUP_REFUSED');
      expect((await ferry.run(['rollback', '--yes', ...ferry.hosts])).code).toBe(4);
    }
    expect(
      await on('[ ! -e /srv/owned ] && cat /etc/ovirt-engine/engine.conf && ls /var/lib/ferry-engine-restore 2>&1 || true'),
    ).toContain('# lost');
  });

  it.each([
    { tool: 'ferry', file: BY_ENGINE },
    { tool: 'engine-backup', file: BY_FERRY },
    { tool: 'ferry', file: BY_FERRY },
  ])('restores what the other has saved, files and data as they were: $file by $tool', async ({ tool, file }) => {
    await engine.lose();
    const restored = await run(RESTORE, { tool, file });
    expect(restored.code, restored.stderr).toBe(0);
    expect(
      await on('rm /etc/ovirt-engine/engine.conf.d/99-new.conf; ls /var/lib/ferry-engine-restore 2>/dev/null; echo gone'),
    ).toBe('gone');
    const withoutAttributes = (text: string) => (tool === 'ferry' && file === BY_FERRY ? text : text.replace(/\n\[.*\]$/, ''));
    expect(withoutAttributes(await engine.filesNow())).toBe(withoutAttributes(files));
    expect(await engine.dataNow()).toEqual(data);
    expect(
      await psql(
        `SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'DwhCurrentlyRunning'; SELECT count(*) FROM dwh_history_timekeeping;
SELECT option_value FROM vdc_options WHERE option_name = 'DbJustRestored'; SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM step) + (SELECT count(*) FROM async_tasks);
SELECT vm_name, status, run_on_vds IS NULL FROM vm_static JOIN vm_dynamic USING (vm_guid) WHERE auto_startup AND lease_sd_id IS NULL ORDER BY 1;`,
      ),
    ).toBe('0\n7\n1\n0\nvm-1|0|t\nvm-3|0|t');
    await on(
      `systemctl start ${ENGINE_UNITS}; for n in $(seq 60); do curl -sf http://localhost/ovirt-engine/services/health && exit 0; sleep 0.5; done; exit 1`,
    );
  });

  it.each(['ferry', 'engine-backup'])('goes back from a restore by %s to what was there, and proves it', async (tool) => {
    await engine.lose();
    const before = await engine.filesNow();
    const restored = await run(RESTORE, { tool, file: BY_ENGINE }, '--until', 'restored');
    expect(restored.code, restored.stderr).toBe(0);
    expect(await psql('SELECT count(*) > 100 FROM pg_stat_user_tables')).toBe('t');
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/ 0 differ/);
    expect(await engine.filesNow()).toBe(before);
    expect(await psql('SELECT count(*) FROM pg_stat_user_tables')).toBe('0');
    expect(await psql('SELECT count(*) FROM pg_stat_user_tables', 'ovirt_engine_history')).toBe('0');
    expect(await psql("SELECT count(*) FROM pg_database WHERE datname LIKE '%ferry%'")).toBe('0');
  });

  it('leaves no password where it could be read', async () => {
    const password = await on(
      `sed -n 's/^ENGINE_DB_PASSWORD="\\(.*\\)"$/\\1/p' /etc/ovirt-engine/engine.conf.d/10-setup-database.conf`,
    );
    expect(password.length).toBeGreaterThan(10);
    expect(
      await on(
        `grep -rlF '${password}' /var/lib/ferry --include='*' 2>/dev/null | grep -v /keep/ || true; grep -rlF '${password}' /var/log/ovirt-engine-backup /run/ferry 2>/dev/null || true`,
      ),
    ).toBe('');
  });
});
