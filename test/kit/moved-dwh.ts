import { expect } from 'vitest';
import { pollUntil } from '../../lab/poll-until.ts';
import { dwhSnapshot } from './dwh-state-of.ts';
import { ask, query } from './evidence.ts';
import type { Snapshot } from './lab-state-of.ts';

const HISTORY = 'ovirt_engine_history';
const HOSTS = ['engine', 'newdb', 'dwh'];

/** What move-dwh is to come to, and to go back to, looked at past Ferry; the host is where the database is to be. */
export class MovedDwh {
  readonly #labDir: string;
  readonly #host: string;
  readonly #before: Snapshot;

  private constructor(labDir: string, host: string, before: Snapshot) {
    this.#labDir = labDir;
    this.#host = host;
    this.#before = before;
  }

  /** Of a lab where nothing was moved yet. */
  static async from(labDir: string, host: string): Promise<MovedDwh> {
    return new MovedDwh(labDir, host, await dwhSnapshot(labDir, HOSTS));
  }

  /** Service, samples, dashboard and Grafana are where they are to be, and nothing is left of them where they were. */
  async isMoved(): Promise<void> {
    const dwhd = ['dwh', 'engine'].map((host) => this.#ask(host, 'systemctl is-active ovirt-engine-dwhd || :'));
    expect(await Promise.all(dwhd)).toEqual(['active', 'inactive']);
    const first = await this.#newest();
    await pollUntil(async () => (await this.#newest()) > first, { what: 'a new sample', timeoutMs: 60_000 });
    const named = "SELECT var_value FROM dwh_history_timekeeping WHERE var_name = 'dwhHostname'";
    expect(await query(this.#labDir, 'engine', 'engine', named)).toBe('dwh.lab.example');

    // The engine's dashboard and the service, each from its machine; beside them nobody.
    expect(await this.#clients(HISTORY)).toEqual(['dwh', 'engine']);
    expect(await this.#clients(`${HISTORY}_grafana`)).toEqual(['engine']);
    const health = 'curl -s http://localhost:3000/api/datasources/uid/DS_OVIRT_DWH/health';
    expect(await this.#ask('engine', health)).toContain('"OK"');
    if (this.#host === 'engine') return;
    const old = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${HISTORY}'`;
    expect(await query(this.#labDir, 'engine', 'postgres', old)).toBe('0');
    expect(await this.#ask('engine', 'cat /etc/grafana/conf/provisioning/datasources/*.yaml')).toContain(
      `url: ${this.#host}.lab.example:5432`,
    );
  }

  /** Packages stay on purpose, with their files, and so does what the service wrote into the new database: it is kept under another name. */
  async isBack(): Promise<void> {
    const stays = ['dwh: files', 'dwh: packages', 'dwh: units'];
    if (this.#host !== 'engine') stays.push(`${this.#host}: databases`, `${this.#host}: roles`);
    const now = await dwhSnapshot(this.#labDir, HOSTS);
    const less = (all: Snapshot) => Object.fromEntries(Object.entries(all).filter(([what]) => !stays.includes(what)));
    expect(less(now)).toEqual(less(this.#before));
    expect(now['dwh: units']).toContain('ovirt-engine-dwhd inactive disabled');
    const first = await this.#newest('engine');
    await pollUntil(async () => (await this.#newest('engine')) > first, { what: 'a new sample', timeoutMs: 60_000 });
  }

  #ask(host: string, script: string): Promise<string> {
    return ask(this.#labDir, host, script);
  }

  #newest(host = this.#host): Promise<number> {
    return query(this.#labDir, host, HISTORY, 'SELECT max(history_id) FROM host_samples_history').then(Number);
  }

  /** The machines that a role's sessions come from. */
  async #clients(role: string): Promise<string[]> {
    const from = `SELECT DISTINCT coalesce(host(client_addr), 'local') FROM pg_stat_activity WHERE datname = '${HISTORY}' AND usename = '${role}'`;
    const names = new Map(['local', '127.0.0.1', '::1'].map((own) => [own, this.#host]));
    for (const host of HOSTS) names.set(await this.#ask(host, "hostname -I | tr ' ' '\\n' | grep '^10\\.' | head -1"), host);
    const seen = (await query(this.#labDir, this.#host, 'postgres', from)).split('\n');
    return [...new Set(seen.map((address) => names.get(address) ?? address))].toSorted();
  }
}
