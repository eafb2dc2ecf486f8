import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn, labReset } from '../../lab/lab.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { ChapterRun, crashPoints, somePoints } from '../kit/chapter-run.ts';
import { editedRunbook, without } from '../kit/edited-runbook.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import { diagnosticsOf } from '../kit/lint.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-dwh-db.yaml';
const HISTORY = 'ovirt_engine_history';
const labDir = inject('labDir');
const on = async (host: string, script: string) => (await execOn(labDir, host, `cd /; ${script}`)).stdout.trim();
const sql = (host: string, query: string, database = HISTORY) =>
  on(host, `runuser -u postgres -- psql -XAt -d ${database} <<'SQL'\n${query}\nSQL`);
const sessions = (host: string) =>
  sql(host, `SELECT usename, count(*) FROM pg_stat_activity WHERE datname = '${HISTORY}' GROUP BY 1 ORDER BY 1`, 'postgres');
const source = () => on('engine', 'curl -s http://localhost:3000/api/datasources/uid/DS_OVIRT_DWH/health');
const newest = (host: string) => sql(host, 'SELECT max(history_id) FROM host_samples_history').then(Number);
/** The lab's inventory has the role dwh for a machine that is to become the data warehouse's; here its service stays. */
const runOf = (runbook = RUNBOOK, ...more: string[]) => new ChapterRun(labDir, [runbook, '--role', 'dwh=engine', ...more]);

const KEPT = ['newdb: databases', 'newdb: roles'];
const expectAsBefore = (after: Snapshot, before: Snapshot, kept: readonly string[] = []) => {
  for (const [what, text] of Object.entries(before)) if (!kept.includes(what)) expect(after[what], what).toBe(text);
};
const runs: ChapterRun[] = [];
const started = (run: ChapterRun): ChapterRun => {
  runs.push(run);
  return run;
};
let before: Snapshot;
beforeAll(async () => {
  before = await snapshot(labDir);
});
afterAll(async () => {
  for (const run of runs) run.remove();
  await labReset({ dir: labDir, say: () => undefined });
});

describe("moving the data warehouse's database to another host", () => {
  const run = started(runOf());
  let points: string[] = [];

  it('shows a plan with all five places that name it, and changes nothing by it', async () => {
    const plan = await run.plan();
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout.match(/newdb\.lab\.example"$|-> newdb\.lab\.example:5432$/gm)).toHaveLength(5);
    expect(plan.stdout).toMatch(/ 0 opaque; 3 skipped\. Nothing was changed\./);
    expect(await snapshot(labDir)).toEqual(before);
  });

  it('brings service, dashboard and Grafana to the new server, with every row and grant', async () => {
    const ended = await run.go();
    expect(ended.code, ended.stdout.slice(-3000) + ended.stderr).toBe(0);
    points = crashPoints(run);
    expect(ended.stdout).toMatch(/compare +41 tables, [\d,]+ rows, \d+ sequences, \d+ objects: equal/);
    expect(await sessions('newdb')).toBe(`${HISTORY}|2\n${HISTORY}_grafana|1`);
    expect(await sessions('engine')).toBe('');
    expect(await source()).toContain('"OK"');
    expect((await snapshot(labDir))['engine: units']).toBe(before['engine: units']);
    const sampled = await newest('newdb');
    expect(sampled).toBeGreaterThan(await newest('engine'));
    expect(await sql('newdb', 'SELECT defaclrole::regrole FROM pg_default_acl ORDER BY 1')).toBe(`postgres\n${HISTORY}`);
    expect(await sql('newdb', 'SHOW client_min_messages')).toBe('error');
    expect(await sql('newdb', `SELECT datacl FROM pg_database WHERE datname = '${HISTORY}'`, 'postgres')).toContain(
      `${HISTORY}_grafana=c/`,
    );
    expect(
      await on(
        'engine',
        'grep -rl "localhost" /etc/ovirt-engine-dwh /etc/grafana | xargs -r grep -l "DWH_DB_HOST=.localhost\\|url: localhost"',
      ),
    ).toBe('');
  });

  it('finds it all done the second time, and the old database closed to all but superusers', async () => {
    expect(await runOf(RUNBOOK).plan()).toMatchObject({ code: 0, stdout: expect.stringContaining('Already done') });
    expect(await sql('engine', `SELECT datconnlimit FROM pg_database WHERE datname = '${HISTORY}'`, 'postgres')).toBe('0');
  });

  it('goes back only when what was sampled since may be given up, and then to what was', async () => {
    const refused = await run.rollBack();
    expect([refused.code, refused.stderr]).toEqual([
      5,
      expect.stringMatching(/WRITE_LINE_CROSSED[\s\S]*host_samples_history: \d+ rows? written/),
    ]);
    const back = await run.rollBack(['--discard-writes']);
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toContain(' 0 differ.');
    expectAsBefore(await snapshot(labDir), before, KEPT);
    expect(await sessions('engine')).toBe(`${HISTORY}|2\n${HISTORY}_grafana|1`);
    expect(await source()).toContain('"OK"');
    await labReset({ dir: labDir, hosts: ['newdb'], say: () => undefined });
  });

  it('goes back from before the write line as if nothing had been, with a dump in plain SQL', async () => {
    const plain = started(runOf(RUNBOOK, '--input', 'format=plain'));
    const failed = await plain.go({ FERRY_FAIL_AT: 'after-apply point-source' });
    expect(failed.code, failed.stderr).toBe(1);
    expect(await on('newdb', 'head -c 5 /var/lib/ferry-migrate-dwh-db/dwh.dump')).not.toBe('PGDMP');
    const back = await plain.rollBack();
    expect(back.code, back.stderr).toBe(4);
    expect(back.stdout).toContain('0 kept on purpose, 0 differ.');
    expect(await snapshot(labDir)).toEqual(before);
    await plain.leavesNothing();
  });

  it('ends well when it is killed at points taken by chance and resumed', async () => {
    const killed = started(runOf());
    for (const point of somePoints(points, 2)) await killed.killAt(point);
    const ended = await killed.go();
    expect(ended.code, ended.stdout.slice(-3000) + ended.stderr).toBe(0);
    expect(await sessions('newdb')).toBe(`${HISTORY}|2\n${HISTORY}_grafana|1`);
    await killed.leavesNothing();
    expect((await killed.rollBack(['--discard-writes'])).code).toBe(4);
    expectAsBefore(await snapshot(labDir), before, KEPT);
    await labReset({ dir: labDir, hosts: ['newdb'], say: () => undefined });
  });
});

describe('a defect of the documented procedure', () => {
  const made: string[] = [];
  const edited = (change: Parameters<typeof editedRunbook>[1]) => {
    const path = editedRunbook('migrate-dwh-db', change);
    made.push(dirname(path));
    return path;
  };
  const findings = async (path: string) =>
    diagnosticsOf(await loadRunbook(path, { readFile: (file) => readFile(file) })).map(({ code }) => code);
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true });
  });
  const pasted = (id: string, shell: string) =>
    edited((steps) =>
      steps.map((step) =>
        step.id === id
          ? { id, host: 'old_db', uses: 'command.run', with: { shell, irreversible: 'as documented' } }
          : // A command does not tell which folders it has made.
            { ...step, ...(step.with ? { with: { ...(step.with as object), emptyFolders: undefined } } : {}) },
      ),
    );

  it('17: pg_dump by root into a redirection is found where it takes the place of the dump', async () => {
    expect(await findings(pasted('dump', `pg_dump ${HISTORY} >/var/lib/ferry-migrate-dwh-db/dwh.dump`))).toContain(
      'COMMAND_HAS_ACTION',
    );
  });

  it('18: psql -f without a stop at errors is found where it takes the place of the restore', async () => {
    expect(await findings(pasted('restore', `psql -d ${HISTORY} -f /var/lib/ferry-migrate-dwh-db/dwh.dump`))).toContain(
      'COMMAND_UNCHECKED',
    );
  });

  it('19: a plain dump that was cut is not restored', async () => {
    const run = started(runOf(RUNBOOK, '--input', 'format=plain'));
    await run.go({ FERRY_FAIL_AT: 'after-apply copy' });
    const dump = '/var/lib/ferry-migrate-dwh-db/dwh.dump';
    expect(await on('newdb', `grep -c '^.restrict' ${dump}`)).toBe('1');
    await on('newdb', `truncate -s -300 ${dump}`);
    const ended = await run.go();
    expect(ended.code).not.toBe(0);
    expect(await sql('newdb', "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).toBe('0');
    expect((await run.rollBack()).code).toBe(4);
    expect(await snapshot(labDir)).toEqual(before);
  });

  it("20: without Grafana's role the plan is blocked, and names it", async () => {
    const plan = await runOf(edited(without('role-grafana', 'login-grafana'))).plan();
    expect(plan.code).toBe(5);
    expect(plan.stdout + plan.stderr).toContain(`${HISTORY}_grafana`);
  });

  it('21: each reader that is not pointed at the new server is found', async () => {
    for (const step of ['point-dwhd', 'point-dashboard', 'point-source'])
      expect(await findings(edited(without(step))), step).toContain('DWH_READER_FORGOTTEN');
    expect(await findings(edited(without('stop-dwhd', 'fence-old', 'start-dwhd', 'sampling')))).toContain('DUMP_UNGUARDED');
  });

  it('21: a run in which the service stays behind does not pass for done', async () => {
    const run = started(runOf(edited(without('point-dwhd')), '--input', 'sampling_timeout=10s'));
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toContain('ROWS_MISSING');
    expect((await run.rollBack(['--discard-writes'])).code).toBe(4);
    expectAsBefore(await snapshot(labDir), before, KEPT);
    await labReset({ dir: labDir, hosts: ['newdb'], say: () => undefined });
  });

  it('21: a run in which the dashboard stays behind does not pass for done', async () => {
    const run = started(runOf(edited(without('point-dashboard')), '--input', 'health_timeout=15s'));
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toMatch(/SESSIONS_UNEXPECTED[\s\S]*dashboard-on-new/);
    expect((await run.rollBack(['--discard-writes'])).code).toBe(4);
    expectAsBefore(await snapshot(labDir), before, KEPT);
    await labReset({ dir: labDir, hosts: ['newdb'], say: () => undefined });
  });

  it('25: a client without a rule is found before anything is stopped', async () => {
    const run = started(runOf(edited(without('access-grafana'))));
    const ended = await run.go();
    expect(ended.code).toBe(1);
    expect(ended.stdout + ended.stderr).toMatch(/LOGIN_REFUSED[\s\S]*no pg_hba/);
    expect((await snapshot(labDir))['engine: units']).toBe(before['engine: units']);
    expect((await run.rollBack()).code).toBe(4);
    expect(await snapshot(labDir)).toEqual(before);
  });
});
