import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn, labReset } from '../../lab/lab.ts';
import type { BackupReport } from '../../src/archives/inspect-backup.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

const [SAVE, RESTORE] = ['runbooks/ovirt/engine-backup.yaml', 'runbooks/ovirt/engine-restore.yaml'];
const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'main.js');
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const BY_ENGINE = '/srv/by-engine-backup.backup';
const BY_FERRY = '/srv/by-ferry.backup';
const UNITS = 'ovirt-engine ovirt-engine-dwhd ovirt-fence-kdump-listener grafana-server';

async function on(script: string, host = 'engine'): Promise<string> {
  const { code, stdout, stderr } = await execOn(labDir, host, script);
  if (code !== 0) throw new Error(`${script} ended with exit code ${code}: ${stderr}`);
  return stdout.trim();
}
const psql = (sql: string, database = 'engine') =>
  on(`cd /; runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -d ${database} <<'EOF'\n${sql}\nEOF`);
const run = (book: string, inputs: Record<string, string>, ...more: string[]) =>
  ferry.run([
    'run',
    book,
    ...ferry.hosts,
    '--yes',
    ...Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`]),
    ...more,
  ]);

/** Names, owners, modes, attributes and bytes of the product's files, past Ferry. */
const filesNow = () =>
  on(`cd /; for d in etc/ovirt-engine etc/ovirt-engine-dwh etc/grafana etc/ovirt-engine-setup.conf.d; do find $d -printf '%p %y %m %U %G %l\\n'; find $d -type f -exec sha256sum {} +; done | LC_ALL=C sort
python3 -c "import os;print(os.listxattr('/etc/ovirt-engine/engine.conf'))"`);
/** Rows of every table but those the cleaning touches and those that programs write, and who owns what. */
const dataNow = async () => {
  const count = (database: string, but: string) =>
    psql(
      `SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %s t;', c.oid::regclass, c.oid::regclass) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname !~ '^pg_|^information' AND relname NOT IN (${but}) ORDER BY 1 \\gexec`,
      database,
    );
  const engine =
    "'job','step','async_tasks','async_tasks_entities','business_entity_snapshot','command_entities','job_subject_entity','audit_log','engine_backup_log','dwh_history_timekeeping','vdc_options','vm_dynamic','vds_statistics','command_assoc_entities','async_tasks_entities'";
  const owners =
    "SELECT relname, pg_get_userbyid(relowner), relacl FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' ORDER BY 1";
  return {
    engine: await count('engine', engine),
    dwh: await count('ovirt_engine_history', "'host_samples_history','history_configuration'"),
    owners: [await psql(owners), await psql(owners, 'ovirt_engine_history')],
  };
};
/** What the engine's machine is when a backup is to be restored: databases empty, files others than those of the backup. */
const lose = () =>
  on(`systemctl stop ${UNITS}; cd /; for d in engine ovirt_engine_history; do
runuser -u postgres -- psql -Xq -c "DROP DATABASE IF EXISTS $d WITH (FORCE)" -c "CREATE DATABASE $d OWNER $d TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'en_US.UTF-8' LC_CTYPE 'en_US.UTF-8'"; done
runuser -u postgres -- psql -Xq -d engine -c 'CREATE EXTENSION "uuid-ossp"'
echo '# lost' >/etc/ovirt-engine/engine.conf; rm -f /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-scale.conf; echo '# new' >/etc/ovirt-engine/engine.conf.d/99-new.conf`);
/** What `ferry backup inspect` says of an archive on the engine's disk. */
const inspect = (path: string): BackupReport => {
  const words = [MAIN, 'backup', 'inspect', join(labDir, 'hosts', 'engine', 'upper', path), '--json'];
  return JSON.parse(spawnSync(process.execPath, words, { encoding: 'utf8' }).stdout) as BackupReport;
};

describe('backing up and restoring an engine', () => {
  let files = '';
  let data: Awaited<ReturnType<typeof dataNow>>;

  beforeAll(async () => {
    await on(
      `chmod 0664 /etc/ovirt-engine/engine.conf.d/10-setup-protocols.conf; python3 -c "import os;os.setxattr('/etc/ovirt-engine/engine.conf', b'user.ferry', b'x')" || true`,
    );
    // Grafana's own database, which the lab's Grafana does without.
    await on(
      `python3 -c "import sqlite3; c = sqlite3.connect('/var/lib/grafana/grafana.db'); c.execute('create table t (a)'); c.commit()"; chown grafana:grafana /var/lib/grafana/grafana.db`,
    );
    await psql("UPDATE dwh_history_timekeeping SET var_value = '1' WHERE var_name = 'DwhCurrentlyRunning'");
    files = await filesNow();
    data = await dataNow();
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
    await lose();
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
    await lose();
    const restored = await run(RESTORE, { tool, file });
    expect(restored.code, restored.stderr).toBe(0);
    expect(
      await on('rm /etc/ovirt-engine/engine.conf.d/99-new.conf; ls /var/lib/ferry-engine-restore 2>/dev/null; echo gone'),
    ).toBe('gone');
    const withoutAttributes = (text: string) => (tool === 'ferry' && file === BY_FERRY ? text : text.replace(/\n\[.*\]$/, ''));
    expect(withoutAttributes(await filesNow())).toBe(withoutAttributes(files));
    expect(await dataNow()).toEqual(data);
    expect(
      await psql(
        `SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'DwhCurrentlyRunning'; SELECT count(*) FROM dwh_history_timekeeping;
SELECT option_value FROM vdc_options WHERE option_name = 'DbJustRestored'; SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM step) + (SELECT count(*) FROM async_tasks);
SELECT vm_name, status, run_on_vds IS NULL FROM vm_static JOIN vm_dynamic USING (vm_guid) WHERE auto_startup AND lease_sd_id IS NULL ORDER BY 1;`,
      ),
    ).toBe('0\n7\n1\n0\nvm-1|0|t\nvm-3|0|t');
    await on(
      `systemctl start ${UNITS}; for n in $(seq 60); do curl -sf http://localhost/ovirt-engine/services/health && exit 0; sleep 0.5; done; exit 1`,
    );
  });

  it.each(['ferry', 'engine-backup'])('goes back from a restore by %s to what was there, and proves it', async (tool) => {
    await lose();
    const before = await filesNow();
    const restored = await run(RESTORE, { tool, file: BY_ENGINE }, '--until', 'restored');
    expect(restored.code, restored.stderr).toBe(0);
    expect(await psql('SELECT count(*) > 100 FROM pg_stat_user_tables')).toBe('t');
    const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/ 0 differ/);
    expect(await filesNow()).toBe(before);
    expect(await psql('SELECT count(*) FROM pg_stat_user_tables')).toBe('0');
    expect(await psql('SELECT count(*) FROM pg_stat_user_tables', 'ovirt_engine_history')).toBe('0');
    expect(await psql("SELECT count(*) FROM pg_database WHERE datname LIKE '%ferry%'")).toBe('0');
  });

  it('goes on after it was killed in the middle of the restore', async () => {
    await lose();
    const words = [
      'run',
      RESTORE,
      ...ferry.hosts,
      '--yes',
      '--json',
      '--input',
      `file=${BY_FERRY}`,
      '--input',
      'tool=ferry',
      '--input',
      'start=true',
    ];
    const killed = ferry.start(words);
    await killed.seen((event) => event.type === 'step.started' && event.step === 'restore');
    // While the first database is being loaded.
    await on(
      'd=$(ls -td /var/lib/ferry/r-*/ | head -n 1); for n in $(seq 600); do [ -e "$d/restore.1/restore-db/begun" ] && exit 0; sleep 0.05; done; exit 1',
    );
    await killed.kill();
    const resumed = await ferry.run(['resume', ...ferry.hosts, '--yes']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await on('curl -s http://localhost/ovirt-engine/services/health')).toBe('DB Up!Welcome to Health Status!');
    expect(await psql('SELECT count(*) FROM dwh_history_timekeeping')).toBe('7');
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
