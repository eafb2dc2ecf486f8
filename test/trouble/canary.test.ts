import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findMachines } from '../../lab/find-machines.ts';
import { execOn, labReset, renameEngineDatabase, setEnginePassword } from '../../lab/lab.ts';
import { pollUntil } from '../../lab/poll-until.ts';
import { type Canary, FORMS, needlesOf, newCanary } from '../kit/canary.ts';
import { type Finding, findIn, searchFolder, searchHost } from '../kit/canary-search.ts';
import { FerryOnLab, type FerryResult } from '../kit/ferry-on-lab.ts';
import { type Snapshot, snapshot } from '../kit/lab-state-of.ts';
import type { Sample } from '../kit/sample-machine.ts';
import { on, sql } from '../kit/trouble.ts';

const MOVE = 'runbooks/ovirt/migrate-engine-db.yaml';
const PREPARE = 'runbooks/ovirt/prepare-remote-db.yaml';
const HOSTS = ['he1', 'he2', 'engine', 'newdb', 'dwh'] as const;
const ENGINE_CONF = '/etc/ovirt-engine/engine.conf.d/10-setup-database.conf';
const DWH_CONF = '/etc/ovirt-engine/engine.conf.d/10-setup-dwh-database.conf';
const DWH_EXAMPLE = '/etc/ovirt-engine-dwh/examples/10-setup-dwh-database.conf';
const DWHD_CONF = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/10-setup-database.conf';
const LOG = '/var/log/postgresql/postgresql-15-main.log';
const SAMPLING = '/run/canary-sampling';

const labDir = inject('labDir');
const canary = newCanary('the password');
const planted = newCanary('planted');
let neighbour: Canary;
let wanted: Canary[];

const here = mkdtempSync(join(tmpdir(), 'ferry-canary-'));
const [home, temp, plans, secrets] = ['home', 'temp', 'plans', 'secrets'].map((name) => join(here, name)) as [
  string,
  string,
  string,
  string,
];
for (const folder of [home, temp, plans, secrets]) mkdirSync(folder, { mode: 0o700 });
writeFileSync(join(secrets, 'password'), `${canary.secret}\n`, { mode: 0o600 });
const given = ['--secret', `password=file:${join(secrets, 'password')}`];
const ferry = new FerryOnLab(labDir, { HOME: home, TMPDIR: temp });

/** All that Ferry printed, and what was found while it was under way. */
const printed: [words: string, text: string][] = [];
const found: Finding[] = [];

async function does(exit: number | null, words: string[], env: NodeJS.ProcessEnv = {}): Promise<FerryResult> {
  const result = await ferry.run(words, env);
  expect(result.code, words.join(' ') + result.stdout + result.stderr).toBe(exit);
  printed.push([words.join(' '), result.stdout], [`${words.join(' ')}, stderr`, result.stderr]);
  return result;
}

/** What goes on while Ferry works: every process, every transient unit's file, and the properties of the units as systemd tells them. */
class Watch {
  readonly #file = join(here, 'samples');
  readonly #sampler;
  readonly #units: Promise<[host: string, shown: string]>[];
  #ended: Promise<[host: string, shown: string][]> | undefined;

  constructor() {
    writeFileSync(this.#file, '', { mode: 0o600 });
    const roots = findMachines(labDir).map(({ init }) => `/proc/${init}/root`);
    const script = join(import.meta.dirname, '..', 'kit', 'sample-machine.ts');
    this.#sampler = spawn(process.execPath, [script, this.#file, ...roots], { stdio: ['ignore', 'ignore', 'inherit'] });
    const loop = `touch ${SAMPLING}; while [ -e ${SAMPLING} ]; do systemctl show --all 'ferry-*'; sleep 0.5; done`;
    this.#units = HOSTS.map(async (host) => [host, await on(labDir, host, loop)] as [string, string]);
  }

  get samples(): Sample[] {
    const lines = readFileSync(this.#file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Sample);
  }

  /** Ends it, once however often it is called, and gives what systemd told. */
  end(): Promise<[host: string, shown: string][]> {
    this.#ended ??= this.#stop();
    return this.#ended;
  }

  async #stop(): Promise<[host: string, shown: string][]> {
    const gone = new Promise((resolve) => this.#sampler.once('close', resolve));
    this.#sampler.kill();
    await gone;
    await Promise.all(HOSTS.map((host) => on(labDir, host, `rm -f ${SAMPLING}`)));
    return Promise.all(this.#units);
  }
}

/** A process with the planted canary in its environment, one with it among its arguments, and a unit with it in its properties. */
async function plantProcesses(host: string): Promise<void> {
  const script = `read -r canary
systemd-run --quiet --unit=ferry-planted-${host} --setenv="CANARY=$canary" sleep infinity
CANARY="$canary" setsid sh -c 'sleep infinity; :' environment-on-${host} >/dev/null 2>&1 &
setsid sh -c 'sleep infinity; :' arguments-on-${host} "$canary" >/dev/null 2>&1 &`;
  const { code, stderr } = await execOn(labDir, host, script, { input: `${planted.secret}\n` });
  expect(code, stderr).toBe(0);
}

const FOLDERS = [
  '/etc',
  '/home',
  '/opt',
  '/root',
  '/run',
  '/srv',
  '/tmp',
  '/usr/local',
  '/var/lib',
  '/var/log',
  '/var/tmp',
  '/dev/shm',
];

/** The planted canary in a file of every part of the file system, in a name, and in the system log; on one host in every form too. */
async function plantFiles(host: string): Promise<Finding[]> {
  const put = async (path: string, text: string, form: string) => {
    await execOn(labDir, host, `cat >'${path}'`, { input: `before ${text}\0after` });
    return { canary: planted.name, place: `${host}: ${path}`, form };
  };
  const word = planted.words[0] ?? '';
  const all = FOLDERS.map((folder) => put(`${folder}/.planted`, planted.secret, 'plain'));
  all.push(put(`/srv/${word}`, '', 'a word, plain').then((finding) => ({ ...finding, place: `${host}: names of files` })));
  if (host === 'engine') {
    const formAs = (text: string) => needlesOf(wanted).get(text)?.form ?? '';
    all.push(
      ...Object.entries(FORMS).map(([form, write]) => put(`/srv/${form}`, write(planted.secret), formAs(write(planted.secret)))),
    );
    const inside = Buffer.from(`user:${planted.secret}`).toString('base64');
    all.push(put('/srv/inside', inside, 'a word, inside base64'));
  }
  const { code } = await execOn(labDir, host, 'logger -t planted', { input: planted.secret });
  expect(code).toBe(0);
  const more = ['system log', 'properties of units'].map((what) => ({
    canary: planted.name,
    place: `${host}: ${what}`,
    form: '',
  }));
  return [...(await Promise.all(all)), ...more];
}

const places = (findings: readonly Finding[], name: string) =>
  [...new Set(findings.filter((one) => one.canary === name).map(({ place }) => place))].sort();

describe('a password with every awkward character, in a database whose name has some', () => {
  let before: Snapshot;
  let watch: Watch;

  beforeAll(async () => {
    await renameEngineDatabase(labDir, 'Engine-DB');
    await setEnginePassword(labDir, canary.secret);
    // A neighbour in the same file, which no step reads: Ferry cannot know it as a secret but by its name.
    const secret = /DWH_DB_PASSWORD="(\w{20,})"/.exec(await on(labDir, 'engine', `cat ${DWHD_CONF}`))?.[1] ?? '';
    expect(secret).not.toBe('');
    neighbour = { name: 'its neighbour', secret, words: [secret] };
    wanted = [canary, neighbour, planted];
    // Servers that log all they are told.
    const conf = '/etc/postgresql/15/main/conf.d/talkative.conf';
    const talk = `printf "log_statement = 'all'\\nlog_min_duration_statement = 0\\n" >${conf} && chmod 644 ${conf} && systemctl reload postgresql@15-main`;
    await Promise.all(['engine', 'newdb'].map((host) => on(labDir, host, talk)));
    before = await snapshot(labDir);
    watch = new Watch();
    await Promise.all(HOSTS.map(plantProcesses));
  });
  afterAll(async () => {
    await watch?.end();
    ferry.remove();
    rmSync(here, { recursive: true, force: true });
    await labReset({ dir: labDir, say: () => undefined });
  });

  it('is set on a new server from a file, in JSON, across a crash, and taken back', async () => {
    const inputs = { database: 'Engine-DB', user: 'engine', more_clients: '0.0.0.0/0' };
    const words = [
      ...Object.entries(inputs).flatMap(([name, value]) => ['--input', `${name}=${value}`]),
      '--role',
      'clients=engine',
    ];
    const saved = join(plans, 'prepare.plan');
    await does(0, ['plan', PREPARE, ...ferry.hosts, ...words, ...given, '--json', '--out', saved]);
    await does(null, ['run', saved, '--json'], { FERRY_CRASH_AT: 'after-apply role' });
    await does(0, ['resume', '--json']);
    for (const verb of ['status', 'log', 'runs']) await does(0, [verb, '--json']);
    await does(4, ['rollback', '--json']);
    expect(await snapshot(labDir)).toEqual(before);
  });

  it('moves as any other, by a plan saved before, across a failure and a crash', async () => {
    const saved = join(plans, 'move.plan');
    await does(0, ['plan', MOVE, ...ferry.hosts, '--out', saved]);
    const edit = (script: string) => on(labDir, 'engine', `sed -i '${script}' ${ENGINE_CONF} ${DWHD_CONF}`);
    await edit('s/_DB_PASSWORD="/&x/');
    const moved = await does(5, ['run', saved]);
    await edit('s/_DB_PASSWORD="x/_DB_PASSWORD="/');
    expect(moved.stderr).toMatch(/FACT_MOVED .*PLAN_STALE/s);
    await does(1, ['run', saved], { FERRY_FAIL_AT: 'after-apply point-engine' });
    await does(null, ['resume', '--json'], { FERRY_CRASH_AT: 'after-apply point-dwhd' });
    // What a Ferry that was killed leaves behind, until it is resumed.
    for (const host of ['engine', 'newdb']) found.push(...(await searchHost(wanted, labDir, host)));
    found.push(...searchFolder(wanted, ferry.stateDir));
    await does(0, ['status']);
    const end = await does(0, ['resume']);
    expect(end.stdout).toContain('Done: migrate-engine-db');
    expect(await on(labDir, 'engine', 'curl -s http://localhost/ovirt-engine/services/health')).toBe(
      'DB Up!Welcome to Health Status!',
    );
    const sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'Engine-DB' AND usename = 'engine'";
    expect(Number(await sql(labDir, 'newdb', sessions))).toBeGreaterThan(3);
    expect(await sql(labDir, 'engine', sessions)).toBe('0');
    for (const words of [['status'], ['status', '--json'], ['log'], ['log', '--json'], ['runs']]) await does(0, words);
    expect(printed.map(([, text]) => text).join()).toContain('"equal":true,"tables":156,');
  }, 300_000);

  it('comes back as any other', async () => {
    await does(0, ['rollback', '--plan']);
    const back = await does(4, ['rollback', '--discard-writes']);
    expect(back.stdout).toContain('0 differ.');
    await does(0, ['log', '--json']);
    const after = await snapshot(labDir);
    expect(after['newdb: databases']).toMatch(/^Engine-DB_ferry_r-\S+\|engine\|0\|/m);
    for (const what of ['engine: units', 'engine: conf', 'engine: databases', 'he1: maintenance'])
      expect(after[what], what).toBe(before[what]);
  });

  it('has stood in no argument, environment or property of a unit, while planted ones were seen there', async () => {
    const marks = HOSTS.flatMap((host) => [`environment-on-${host}`, `arguments-on-${host}`]);
    const seen = (word: string) => watch.samples.some((one) => one.text.includes(word));
    await pollUntil(() => marks.every(seen), { what: 'the planted processes to be seen', timeoutMs: 30_000 });
    const shown = await watch.end();
    const findings = [
      ...watch.samples.flatMap(({ what, of, text }) => findIn(wanted, `${what} of ${of.replaceAll('\0', ' ')}`, text)),
      ...shown.flatMap(([host, text]) => findIn(wanted, `properties on ${host}`, text)),
    ];
    expect(findings.filter(({ canary: name }) => name !== planted.name)).toEqual([]);
    for (const host of HOSTS) {
      expect(places(findings, planted.name)).toEqual(
        expect.arrayContaining([
          `properties on ${host}`,
          `unit of ferry-planted-${host}.service`,
          `environment of sh -c sleep infinity; : environment-on-${host} `,
          expect.stringContaining(`arguments of sh -c sleep infinity; : arguments-on-${host} `),
        ]),
      );
    }
    // The very commands that deal with the password were among the sampled, and so was Ferry.
    for (const text of ['main.js\0resume', 'step=prepare.role', 'pg_dump', 'pg_restore', 'step=point-engine', 'step=point-dwhd'])
      expect(seen(text), text).toBe(true);
    const units = watch.samples
      .filter(({ what }) => what === 'unit')
      .map(({ of }) => of.replace(/^ferry-r-[^-]+-[^-]+-\w+-/, ''));
    expect(units).toEqual(expect.arrayContaining(['dump.1-dump.service', 'copy.1-send.service', 'restore.1-restore.service']));
  });

  it('is left behind in its conf files and in what is kept for root, and nowhere else, while planted ones are found everywhere', async () => {
    const expected = (await Promise.all(HOSTS.map(plantFiles))).flat();
    const findings = (await Promise.all(HOSTS.map((host) => searchHost(wanted, labDir, host)))).flat();
    for (const { canary: name, place, form } of expected)
      expect(findings).toContainEqual({ canary: name, place, form: form || expect.any(String) });
    found.push(...findings);

    const inKeep = (what: string) =>
      on(labDir, 'engine', `find /var/lib/ferry ${what}`).then((text) => text.trim().split('\n').sort());
    const kept = (await inKeep("-path '*/keep/*' -type f -size +0")).map((path) => `engine: ${path}`);
    const [byEngine, byDwhd] = ['point-engine', 'point-dwhd'].map((step) =>
      kept.filter((path) => path.includes(`/keep/${step}/`)),
    );
    expect([byEngine?.length, byDwhd?.length]).toEqual([1, 1]);
    const mayHold = { [canary.name]: [ENGINE_CONF, DWHD_CONF], [neighbour.name]: [DWH_CONF, DWH_EXAMPLE, DWHD_CONF] };
    for (const [name, paths] of Object.entries(mayHold)) {
      const allowed = [
        ...paths.map((path) => `engine: ${path}`),
        ...(name === canary.name ? (byEngine ?? []) : []),
        ...(byDwhd ?? []),
      ];
      expect(places(found, name)).toEqual(allowed.sort());
    }
    // Kept as they were, mode and owner too: it is the folders that nobody else gets through.
    const modes = [
      ...(await inKeep("-maxdepth 1 -type d -printf '%y %m %u:%g\\n'")),
      ...(await inKeep("-path '*/keep*' ! -empty -printf '%y %m %u:%g\\n'")),
    ].sort();
    expect([...new Set(modes)]).toEqual(['d 700 root:root', 'f 600 ovirt:ovirt', 'f 640 root:ovirt']);
    // The server that was to be asked has in fact been told, and has in fact written down what it was told.
    expect(await on(labDir, 'newdb', `grep -c 'CREATE DATABASE' ${LOG}`)).not.toBe('0\n');
  });

  it('is in nothing that Ferry printed or remembers, while planted ones are found there', async () => {
    for (const [words, text] of printed) expect(findIn(wanted, words, text)).toEqual([]);
    for (const folder of [ferry.stateDir, home, temp, plans]) expect(searchFolder(wanted, folder)).toEqual([]);

    const copy = join(here, 'copy');
    mkdirSync(copy);
    copyFileSync(join(ferry.stateDir, 'journal.db'), join(copy, 'journal.db'));
    const database = new DatabaseSync(join(copy, 'journal.db'));
    database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0');
    database
      .prepare('UPDATE records SET body = ? WHERE seq = 1')
      .run(JSON.stringify({ text: `${'x'.repeat(9000)}${planted.secret}` }));
    const inCopy = searchFolder(wanted, copy);
    database.close();
    expect(places(inCopy, planted.name)).toEqual([join(copy, 'journal.db-wal'), `values in ${join(copy, 'journal.db')}`]);
    expect(places(searchFolder(wanted, copy), planted.name)).toContain(join(copy, 'journal.db'));
    for (const [form, write] of Object.entries(FORMS))
      expect(findIn([planted], form, `{"text":"${write(planted.secret)}"}`), form).not.toEqual([]);
  });
});
