import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { ask, query, recordsOf } from '../kit/evidence.ts';
import { FerryOnLab } from '../kit/ferry-on-lab.ts';
import { diagnosticsOf } from '../kit/lint.ts';

const labDir = inject('labDir');
const OVIRT = join(import.meta.dirname, '..', '..', 'runbooks', 'ovirt');
const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const HEALTH = 'curl -s http://localhost/ovirt-engine/services/health';
const UP = 'DB Up!Welcome to Health Status!';
const WORK = '/var/lib/ferry-migrate-engine-db';
const folder = mkdtempSync(join(tmpdir(), 'ferry-defects-'));

/** The shipped move without what prevents the defects, one cut a line; each must still find its place. */
function spoiled(): string {
  cpSync(OVIRT, folder, { recursive: true });
  const cut = (file: string, ...what: readonly RegExp[]) => {
    const path = join(folder, file);
    let text = readFileSync(path, 'utf8');
    for (const each of what) {
      expect(text, String(each)).toMatch(each);
      text = text.replace(each, '');
    }
    writeFileSync(path, text);
  };
  const step = (id: string) => new RegExp(`  - id: ${id}\\n(?:    .*\\n)+`);
  cut(
    'migrate-engine-db.yaml',
    ...['point-dwhd', 'dwhd-stopped', 'fence-old', 'carry', 'compare', 'health', 'on-new', 'off-old'].map(step),
    /(?<=ENGINE_DB_USER: \*user\n) {8}ENGINE_DB_URL: .*\n/,
    /(?<= {8}- ovirt-engine\.service\n)(?: {8}- .*\n)+/,
  );
  cut('prepare-remote-db.yaml', step('extension'));
  return join(folder, 'migrate-engine-db.yaml');
}

/** What a person sees past Ferry of the things that the defects are about. */
async function look() {
  const count = (host: string, sql: string) => query(labDir, host, 'postgres', sql);
  const sessions = (host: string) =>
    count(host, `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'engine' AND usename LIKE 'engine%'`);
  const inNew = (sql: string) => query(labDir, 'newdb', 'engine', sql);
  return {
    health: await ask(
      labDir,
      'engine',
      `for i in 1 2 3 4 5 6 7 8; do t=$(${HEALTH}); [ "$t" = '${UP}' ] && break; sleep 1; done; echo "$t"`,
    ),
    onOld: await sessions('engine'),
    onNew: await sessions('newdb'),
    dwhd: await ask(
      labDir,
      'engine',
      `grep ^ENGINE_DB_HOST= /etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf`,
    ),
    // What was in the dump: the old one goes on counting where it is still written to.
    running: await inNew(`SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'DwhCurrentlyRunning'`),
    extension: await inNew(`SELECT count(*) FROM pg_extension WHERE extname = 'uuid-ossp'`),
    settings: await count(
      'newdb',
      `SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting s JOIN pg_database d ON d.oid = setdatabase WHERE datname = 'engine'`,
    ),
    reporter: await inNew(
      `SELECT has_table_privilege('reporter', 'audit_log', 'SELECT') AND has_database_privilege('reporter', 'engine', 'CREATE')`,
    ),
    limit: await count('engine', `SELECT datconnlimit FROM pg_database WHERE datname = 'engine'`),
  };
}

const OLD_ONE = `CREATE ROLE reporter;
ALTER DATABASE engine SET lock_timeout = '7s';
GRANT CREATE ON DATABASE engine TO reporter;
\\connect engine
GRANT SELECT ON audit_log TO reporter;`;

/** Gives the old database what a dump leaves out, and the new server the role it is for. */
async function begin(): Promise<void> {
  await query(labDir, 'engine', 'postgres', OLD_ONE);
  await query(labDir, 'newdb', 'postgres', 'CREATE ROLE reporter;');
}

describe('the documented move of the engine database', () => {
  let without: Awaited<ReturnType<typeof look>>;
  let dumped: Awaited<ReturnType<typeof look>>;
  let shipped: Awaited<ReturnType<typeof look>>;
  let forgotten: { code: number | null; said: string };
  let restoredByHand: { errors: string; owner: string; rows: string; rowsTwice: string; analyzed: string };
  let ferry: FerryOnLab;

  beforeAll(async () => {
    await begin();
    const literal = new FerryOnLab(labDir);
    const run = await literal.run(['run', spoiled(), ...literal.hosts]);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    without = await look();
    literal.remove();

    await labReset({ dir: labDir, say: () => undefined });
    await begin();
    ferry = new FerryOnLab(labDir);
    const words = [RUNBOOK, ...ferry.hosts, '--input', 'user=engine_two'];
    // What it is like when the service runs on another machine than was said.
    const registered = (host: string) =>
      query(
        labDir,
        'engine',
        'engine',
        `UPDATE dwh_history_timekeeping SET var_value = '${host}' WHERE var_name = 'dwhHostname'`,
      );
    await registered('dwh.lab.example');
    const refused = await ferry.run(['plan', ...words]);
    forgotten = { code: refused.code, said: refused.stdout + refused.stderr };
    await registered('engine.lab.example');
    await ask(labDir, 'engine', `mkdir -m 0700 ${WORK}; echo mine >${WORK}/of-others`);
    const first = await ferry.run(['run', ...words, '--until', 'copied']);
    expect(first.code, first.stdout + first.stderr).toBe(0);
    dumped = await look();
    restoredByHand = await byHand();
    const rest = await ferry.run(['resume']);
    expect(rest.code, rest.stdout + rest.stderr).toBe(0);
    shipped = await look();
  }, 300_000);
  afterAll(async () => {
    ferry.remove();
    rmSync(folder, { recursive: true, force: true });
    await labReset({ dir: labDir, say: () => undefined });
  });

  /** The chapter's own restore, twice, of the dump that lies on the new server: its owner is a role that is not there. */
  async function byHand() {
    const restore = 'runuser -u postgres -- pg_restore -d scratch </var/lib/ferry-migrate-engine-db/engine.dump 2>&1';
    await query(labDir, 'newdb', 'postgres', 'CREATE DATABASE scratch TEMPLATE template0;');
    const rows = () => query(labDir, 'newdb', 'scratch', 'SELECT count(*) FROM dwh_history_timekeeping');
    const errors = await ask(labDir, 'newdb', `${restore} | grep -c 'role "engine" does not exist'`);
    const owner = await query(labDir, 'newdb', 'scratch', `SELECT tableowner FROM pg_tables WHERE tablename = 'audit_log'`);
    const analyzed = await analyzedIn('scratch');
    const once = await rows();
    await ask(labDir, 'newdb', `${restore} >/dev/null; :`);
    const twice = await rows();
    await query(labDir, 'newdb', 'postgres', 'DROP DATABASE scratch;');
    return { errors, owner, rows: once, rowsTwice: twice, analyzed };
  }
  const analyzedIn = (database: string) =>
    query(
      labDir,
      'newdb',
      database,
      `SELECT count(*) > 100 FROM pg_statistic s JOIN pg_class c ON c.oid = starelid JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'`,
    );

  const lintOf = async (path: string) =>
    diagnosticsOf(await loadRunbook(path, { readFile: (file) => readFile(file) })).map(({ code }) => code);
  /** Where in the run's records stands that a check held; -1 where it does not. */
  const ended = (id: string) => recordsOf(ferry).findIndex(({ type, step }) => type === 'step.checked' && step === id);

  test('1. ENGINE_DB_HOST alone is edited: the engine is healthy, on the old database', () => {
    expect(without).toMatchObject({ health: UP, onOld: 't' });
    expect(shipped).toMatchObject({ health: UP, onOld: 'f', onNew: 't' });
  });

  test("2. the data warehouse's copy of the settings still names the old server", () => {
    expect(without.dwhd).toBe('ENGINE_DB_HOST="localhost"');
    expect(shipped.dwhd).toBe('ENGINE_DB_HOST="newdb.lab.example"');
  });

  test('3. the data warehouse goes on while the dump is made: it says for ever that it runs', () => {
    expect(without.running).toBe('1');
    expect(dumped).toMatchObject({ running: '0', onOld: 'f' });
  });

  test('2, 3. a data warehouse that is forgotten on another machine would be cut off and sample no more', () => {
    expect(forgotten).toMatchObject({ code: 5, said: expect.stringContaining('--role dwhd=HOST') });
    expect(forgotten.said).toContain('its data warehouse runs on dwh.lab.example, which is not engine');
    expect(ended('dwhd-stopped')).toBeGreaterThan(0);
  });

  test('11. the dump is removed, and of its folder what was there before stays', async () => {
    expect(await ask(labDir, 'engine', `ls -A ${WORK}`)).toBe('of-others');
    expect(await ask(labDir, 'newdb', `ls -d ${WORK} 2>&1 || :`)).toContain('No such file');
  });

  test('4. a restore that is done again doubles the rows of tables without a key', async () => {
    expect([restoredByHand.rows, restoredByHand.rowsTwice]).toEqual(['7', '14']);
    const again = join(folder, 'again.yaml');
    const path = '/var/lib/ferry-defects/engine.dump';
    writeFileSync(
      again,
      `ferry: 1\nname: again\nroles: { new_db: }\nsteps:
  - { id: dump, host: new_db, uses: postgres.dump, with: { database: engine, path: ${path} } }
  - { id: restore, host: new_db, uses: postgres.restore, with: { database: engine, owner: engine_two, path: ${path} } }
  - { id: remove, host: new_db, uses: file.remove, with: { paths: [/var/lib/ferry-defects], recursive: true, keep: false } }\n`,
    );
    const refused = await ferry.run(['plan', again, ...ferry.hosts]);
    expect(refused.code).toBe(5);
    expect(refused.stdout + refused.stderr).toMatch(/database "engine" on newdb is not empty: 156 tables/);
    expect(await query(labDir, 'newdb', 'engine', 'SELECT count(*) FROM dwh_history_timekeeping')).toBe('7');
  });

  test('5. the extension is missing on the new server, and nobody notices', () => {
    expect(without.extension).toBe('0');
    expect(shipped.extension).toBe('1');
  });

  test('6. settings of the database, which no dump has, are lost', () => {
    expect(without.settings).not.toContain('lock_timeout=7s');
    expect(shipped.settings).toBe('client_min_messages=error lock_timeout=7s');
  });

  test('7. under a role of another name nothing belongs to it, and privileges of other roles are lost', async () => {
    expect(Number(restoredByHand.errors)).toBeGreaterThan(150);
    expect(restoredByHand.owner).toBe('postgres');
    expect(without.reporter).toBe('f');
    expect(shipped.reporter).toBe('t');
    const others = `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'v', 'S') AND pg_get_userbyid(relowner) <> 'engine_two'`;
    expect(await query(labDir, 'newdb', 'engine', others)).toBe('0');
    expect(await ask(labDir, 'engine', 'grep -h ^ENGINE_DB_USER= /etc/ovirt-engine/engine.conf.d/10-setup-database.conf')).toBe(
      'ENGINE_DB_USER="engine_two"',
    );
  });

  test('13. the old database stays open, nothing is compared, and there is no way back', async () => {
    expect(without.limit).toBe('-1');
    expect(shipped.limit).toBe('0');
    expect(ended('compare')).toBeGreaterThan(0);
    const preview = await ferry.run(['rollback', '--plan']);
    expect([preview.code, preview.stdout]).toEqual([0, expect.stringContaining('--discard-writes')]);
  });

  test('14. maintenance ends before the engine is up', async () => {
    expect(await lintOf(join(folder, 'migrate-engine-db.yaml'))).toContain('MAINTENANCE_LIFTED_EARLY');
    expect(await lintOf(RUNBOOK)).not.toContain('MAINTENANCE_LIFTED_EARLY');
    const lifted = recordsOf(ferry).findIndex(({ type, step }) => step === 'lift-maintenance' && type === 'step.intended');
    expect(ended('health')).toBeGreaterThan(0);
    expect(lifted).toBeGreaterThan(ended('health'));
  });

  test('15. without ANALYZE the new database knows nothing of its rows', async () => {
    expect(restoredByHand.analyzed).toBe('f');
    expect(await analyzedIn('engine')).toBe('t');
  });

  // The last, for it takes the move back.
  test('14. on the way back too: maintenance stays until the engine, which was just started, answers', async () => {
    const back = await ferry.run(['rollback', '--yes', '--discard-writes']);
    expect(back.code, back.stdout + back.stderr).toBe(4);
    expect(await ask(labDir, 'engine', HEALTH)).toBe(UP);
    expect(await ask(labDir, 'he1', 'hosted-engine --vm-status --json | grep -o \'"global_maintenance": [a-z]*\'')).toBe(
      '"global_maintenance": false',
    );
  });
});
