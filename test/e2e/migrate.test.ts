import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn, labReset } from '../../lab/lab.ts';
import { expectAsPlanned } from '../kit/as-planned.ts';
import { recordsOf } from '../kit/evidence.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const labDir = inject('labDir');
const ferry = new FerryOnLab(labDir);
const psqlOn = async (host: string, database: string, sql: string) =>
  (await execOn(labDir, host, `runuser -u postgres -- psql -XAt -d ${database} -c "${sql}"`)).stdout.trim();

describe('moving the engine database to another host', () => {
  let before: Snapshot;

  beforeAll(async () => {
    before = await snapshot(labDir);
  });
  afterAll(async () => {
    ferry.remove();
    await labReset({ dir: labDir, say: () => undefined });
  });

  it('shows a plan of every step, and changes nothing by it', async () => {
    const traces = () =>
      Promise.all(
        ['engine', 'newdb', 'he1'].map(async (host) => {
          const look = 'find /var/lib/ferry /run/ferry -printf "%p %s %T@\\n" 2>/dev/null | sort';
          return (await execOn(labDir, host, look)).stdout;
        }),
      );
    const left = await traces();
    const plan = await ferry.run(['plan', RUNBOOK, ...ferry.hosts]);
    expect(plan.stderr).toBe('');
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain('40 steps on 3 hosts');
    expect(plan.stdout).toContain('~ ENGINE_DB_HOST="localhost" -> "newdb.lab.example"');
    expect(plan.stdout).toContain('from here, going back loses');
    expect(plan.stdout).toMatch(/\d+ exact, \d+ predicted, 0 opaque; 6 skipped\. Nothing was changed\./);
    expect(await snapshot(labDir)).toEqual(before);
    expect(await traces()).toEqual(left);
  });

  it('moves database, configuration and service, and proves the data equal', async () => {
    const run = await ferry.run(['run', RUNBOOK, ...ferry.hosts]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/compare +156 tables, [\d,]+ rows, \d+ sequences, \d+ objects: equal/);
    // Past Ferry: the engine works on the new server and nobody on the old one.
    expect((await execOn(labDir, 'engine', 'curl -s http://localhost/ovirt-engine/services/health')).stdout).toBe(
      'DB Up!Welcome to Health Status!',
    );
    expect(
      Number(
        await psqlOn(
          'newdb',
          'postgres',
          "SELECT count(*) FROM pg_stat_activity WHERE datname = 'engine' AND usename = 'engine'",
        ),
      ),
    ).toBeGreaterThan(3);
    expect(
      await psqlOn('engine', 'postgres', "SELECT count(*) FROM pg_stat_activity WHERE datname = 'engine' AND usename = 'engine'"),
    ).toBe('0');
  });

  it('did at each step what its line in the plan said', () => {
    const { exact, predicted } = expectAsPlanned(recordsOf(ferry));
    expect(exact).toBeGreaterThan(12);
    expect(predicted).toBeGreaterThan(8);
  });

  it('brings over what a plain dump and restore loses', async () => {
    expect(
      await psqlOn('newdb', 'engine', "SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'uuid-ossp'"),
    ).toBe('postgres');
    expect(
      await psqlOn(
        'newdb',
        'engine',
        "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = 'engine'",
      ),
    ).toBe('{client_min_messages=error}');
    expect(
      await psqlOn(
        'newdb',
        'engine',
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'v', 'S') AND pg_get_userbyid(relowner) <> 'engine'",
      ),
    ).toBe('0');
    expect(await psqlOn('newdb', 'engine', 'SELECT count(*) FROM dwh_history_timekeeping')).toBe('7');
    expect(await psqlOn('newdb', 'postgres', 'SHOW max_connections')).toBe('150');
    expect(
      await psqlOn(
        'newdb',
        'engine',
        "SELECT count(*) > 100 FROM pg_statistic s JOIN pg_class c ON c.oid = starelid JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'",
      ),
    ).toBe('t');
  });

  it('leaves the old database there, closed to all but superusers', async () => {
    expect(await psqlOn('engine', 'postgres', "SELECT datconnlimit FROM pg_database WHERE datname = 'engine'")).toBe('0');
    expect(await psqlOn('engine', 'engine', 'SELECT count(*) FROM dwh_history_timekeeping')).toBe('7');
  });

  it('leaves maintenance lifted, services as they were, and no file of its own in the way', async () => {
    const after = await snapshot(labDir);
    for (const what of ['engine: units', 'he1: maintenance', 'files of runs', 'files of runs on newdb'])
      expect(after[what], what).toBe(before[what]);
    const confs = await execOn(
      labDir,
      'engine',
      'ls /etc/ovirt-engine/engine.conf.d /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d; stat -c "%a %U %G" /etc/ovirt-engine/engine.conf.d/10-setup-database.conf',
    );
    expect(confs.stdout).not.toMatch(/ferry|\.old|\.new/);
    expect(confs.stdout).toContain('640 root ovirt');
  });

  it('gives the hosts free, and a second run finds it all done and changes nothing', async () => {
    const now = await snapshot(labDir);
    const again = await ferry.run(['run', RUNBOOK, ...ferry.hosts]);
    expect(again).toMatchObject({ code: 0, stdout: 'Already done: nothing was changed.\n' });
    expect(await snapshot(labDir)).toEqual(now);
    expect((await execOn(labDir, 'engine', 'cat /var/lib/ferry/lease')).code).toBe(1);
  });

  // The engine connects by the URL alone: it went back to the old database at its next start, and nothing was left to do.
  it('does not call it done where the host names the new server and the URL the old one', async () => {
    const conf = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
    await execOn(labDir, 'engine', `cp -p ${conf} /root/conf; sed -i '/_URL=/s/newdb.lab.example/localhost/' ${conf}`);
    const plan = await ferry.run(['plan', RUNBOOK, ...ferry.hosts]);
    await execOn(labDir, 'engine', `mv /root/conf ${conf}`);
    expect(plan.code).toBe(5);
    expect(plan.stdout).not.toContain('Already done');
    expect(plan.stdout + plan.stderr).toContain('ENGINE_DB_HOST on engine is "newdb.lab.example", expected "localhost"');
  });

  // It dumped the frozen old database on the engine machine once more, and said that all went well.
  it('blocks a second move that would take the database from where it was before the first', async () => {
    const third = [...ferry.hosts, '--role', 'new_db=dwh'];
    const stale = await ferry.run(['plan', RUNBOOK, ...third]);
    expect(stale.code).toBe(5);
    expect(stale.stdout + stale.stderr).toMatch(/"newdb.lab.example" is [\d.]+, not engine, which plays old_db/);
    expect(stale.stdout + stale.stderr).toContain('--role old_db=HOST');
    const right = await ferry.run(['plan', RUNBOOK, ...third, '--role', 'old_db=newdb']);
    expect(right.stdout + right.stderr).not.toContain('plays old_db');
    expect(right.code, right.stderr).toBe(0);
  });

  it('refuses to go back without a word about what would be lost', async () => {
    const now = await snapshot(labDir);
    const refused = await ferry.run(['rollback']);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('WRITE_LINE_CROSSED');
    expect(refused.stderr).toMatch(/audit_log: \d+ rows? written/);
    expect(refused.stderr).toContain('--discard-writes');
    expect(await snapshot(labDir)).toEqual(now);
  });

  it('goes back with --discard-writes: the engine on the old database, the new one renamed and kept', async () => {
    const back = await ferry.run(['rollback', '--discard-writes']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toMatch(/Proof: \d+ facts read again: \d+ equal, 1 kept on purpose, 0 differ\./);
    const after = await snapshot(labDir);
    const kept = ['newdb: databases', 'newdb: roles'];
    for (const [what, text] of Object.entries(before)) if (!kept.includes(what)) expect(after[what], what).toBe(text);
    expect(after['newdb: databases']).toMatch(/^engine_ferry_r-\S+\|engine\|0\|/m);
    expect(
      Number(
        await psqlOn(
          'engine',
          'postgres',
          "SELECT count(*) FROM pg_stat_activity WHERE datname = 'engine' AND usename = 'engine'",
        ),
      ),
    ).toBeGreaterThan(3);
    expect((await execOn(labDir, 'engine', 'curl -s http://localhost/ovirt-engine/services/health')).stdout).toBe(
      'DB Up!Welcome to Health Status!',
    );
  });
});
