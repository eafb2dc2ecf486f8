import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import { pollUntil } from '../../lab/poll-until.ts';
import { ChapterRun, crashPoints, somePoints } from '../kit/chapter-run.ts';
import { dwhSnapshot } from '../kit/dwh-state-of.ts';
import { ask, query } from '../kit/evidence.ts';
import type { Snapshot } from '../kit/lab-state-of.ts';

const RUNBOOK = 'runbooks/ovirt/move-dwh.yaml';
const HISTORY = 'ovirt_engine_history';
const GATE = 'service.ask-removal';
const HOSTS = ['engine', 'newdb', 'dwh'];
const labDir = inject('labDir');

/** Where the database is to be, and what stands in the inventory's place for it. */
const VARIANTS = [
  { name: "to the service's machine", database: 'dwh' },
  { name: 'to a third machine', database: 'newdb' },
  { name: 'not at all', database: 'engine' },
] as const;

const sql = (host: string, text: string, database = 'postgres') => query(labDir, host, database, text);
const newest = (host: string) => sql(host, 'SELECT max(history_id) FROM host_samples_history', HISTORY).then(Number);
const sessionsFrom = (host: string, role: string) =>
  sql(
    host,
    `SELECT DISTINCT coalesce(host(client_addr), 'local') FROM pg_stat_activity WHERE datname = '${HISTORY}' AND usename = '${role}' ORDER BY 1`,
  );
const addressOf = (host: string) => ask(labDir, host, "hostname -I | tr ' ' '\\n' | grep '^10\\.' | head -1");
const isActive = (host: string, unit: string) => ask(labDir, host, `systemctl is-active ${unit} || :`);

let before: Snapshot;
const freshHosts = () => labReset({ dir: labDir, say: () => undefined });
beforeAll(async () => {
  before = await dwhSnapshot(labDir, HOSTS);
});
afterAll(freshHosts);

describe.each(VARIANTS)('moving the data warehouse, its database $name', ({ database }) => {
  const words = [RUNBOOK, '--role', `new_db=${database}`];
  let run: ChapterRun;
  let points: string[] = [];
  afterEach(() => run.remove());

  /** Past Ferry: service, samples, dashboard and Grafana are where they are to be, and nothing is left of them where they were. */
  async function isMoved(): Promise<void> {
    expect([await isActive('dwh', 'ovirt-engine-dwhd'), await isActive('engine', 'ovirt-engine-dwhd')]).toEqual([
      'active',
      'inactive',
    ]);
    const [engine, dwh] = [await addressOf('engine'), await addressOf('dwh')];
    const first = await newest(database);
    await pollUntil(async () => (await newest(database)) > first, { what: 'a new sample', timeoutMs: 60_000 });
    const host = await sql('engine', "SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'dwhHostname'", 'engine');
    expect(host).toBe('dwh.lab.example');
    // The engine's dashboard and the service, each from its machine.
    const local = (address: string) =>
      database === 'engine' ? /local|127\.0\.0\.1|::1/ : new RegExp(address.replaceAll('.', '\\.'));
    const owners = await sessionsFrom(database, HISTORY);
    expect(owners).toMatch(local(engine));
    expect(owners).toContain(database === 'dwh' ? '' : dwh);
    expect(await sessionsFrom(database, `${HISTORY}_grafana`)).toMatch(local(engine));
    expect(await ask(labDir, 'engine', 'curl -s http://localhost:3000/api/datasources/uid/DS_OVIRT_DWH/health')).toContain(
      '"OK"',
    );
    if (database === 'engine') return;
    expect(await sql('engine', `SELECT count(*) FROM pg_stat_activity WHERE datname = '${HISTORY}'`)).toBe('0');
    expect(await ask(labDir, 'engine', 'cat /etc/grafana/conf/provisioning/datasources/*.yaml')).toContain(
      `url: ${database}.lab.example:5432`,
    );
  }

  /** What was kept on purpose is not as before: packages, and what somebody wrote into the new database. */
  async function isBack(): Promise<void> {
    const now = await dwhSnapshot(labDir, HOSTS);
    const differs = Object.keys(before).filter((what) => now[what] !== before[what]);
    const onNew = database === 'engine' ? [] : [`${database}: databases`, `${database}: roles`];
    const packages = ['dwh: files', 'dwh: packages', 'dwh: units'];
    expect(differs.filter((what) => ![...onNew, ...packages].includes(what))).toEqual([]);
    expect(now['dwh: units']).toContain('ovirt-engine-dwhd inactive disabled');
  }

  it('stops at the gate before the old one is removed, goes on when that is approved, and finds all in its new place', async () => {
    run = new ChapterRun(labDir, words);
    await run.goesTo(GATE);
    await isMoved();
    expect(await ask(labDir, 'engine', 'dpkg-query -W ovirt-engine-dwh')).toContain('4.5.9');
    await run.approve(GATE);
    await run.goesTo(null);
    points = crashPoints(run);
    await isMoved();
    expect(await ask(labDir, 'engine', 'dpkg-query -W -f "\\${db:Status-Status}" ovirt-engine-dwh || :')).not.toBe('installed');
    expect(await ask(labDir, 'engine', 'ls -d /etc/ovirt-engine-dwh || :')).toBe('');
    await run.leavesNothing();
    await freshHosts();
  });

  it('goes back from the gate to what was', async () => {
    run = new ChapterRun(labDir, words);
    await run.goesTo(GATE);
    const back = await run.rollBack(['--discard-writes']);
    expect(back.code, back.stdout.slice(-3000) + back.stderr).toBe(4);
    expect(back.stdout).toContain(' 0 differ.');
    await isBack();
    await run.leavesNothing();
    await freshHosts();
  });

  it('ends the same when it is killed at three points taken by chance, and resumed each time', async () => {
    run = new ChapterRun(labDir, words, ['--yes']);
    for (const point of somePoints(points, 3)) await run.killAt(point);
    await run.goesTo(null);
    await isMoved();
    await run.leavesNothing();
    await freshHosts();
  });
});
