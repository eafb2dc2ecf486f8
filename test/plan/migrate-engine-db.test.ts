import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { databaseConfFiles, dwhAccess } from '../../lab/engine-conf.ts';
import { actionsOf, readRunbook } from '../../src/cli/prepare.ts';
import type { FactRef, Observed } from '../../src/facts/fact.ts';
import { contentOf } from '../../src/facts/file-content.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { resolveInputs } from '../../src/runbook/inputs.ts';
import { spreadRunbook } from '../../src/runbook/spread.ts';
import { hostInfo } from '../kit/facts.ts';

const path = join(import.meta.dirname, '..', '..', 'runbooks/ovirt/migrate-engine-db.yaml');
const runbook = await readRunbook(path, (file) => readFile(file));
const actions = await actionsOf(runbook);
const ADDRESSES: Record<string, string> = { engine: '192.0.2.1', newdb: '192.0.2.2', third: '192.0.2.3', he1: '192.0.2.4' };

const confs = (host: string) =>
  databaseConfFiles({ host, port: 5432, user: 'engine', password: 'pw', database: 'engine' }, dwhAccess('pw').dwh).map(
    (file) => ({
      path: file.path,
      ...contentOf(file.text, { mode: '0640', owner: 'root', group: 'ovirt' }),
    }),
  );
type Conf = ReturnType<typeof confs>[number];

/** One file, with each line that begins with the key changed. */
const edited = (file: Conf, key: string, text: string): Conf => {
  const before = Buffer.from(file.base64 ?? '', 'base64').toString();
  return { path: file.path, ...contentOf(before.replace(new RegExp(`^${key}=.*$`, 'm'), `${key}="${text}"`), file) };
};
const inEngine = (key: string, text: string) => (file: Conf) =>
  file.path.endsWith('engine.conf.d/10-setup-database.conf') ? edited(file, key, text) : file;
const inDwhd = (key: string, text: string) => (file: Conf) =>
  file.path.includes('-dwhd.conf.d/') ? edited(file, key, text) : file;

/** The plan where the conf files say this, and a database `engine` is on every machine. */
async function planWhere(
  files: readonly Conf[],
  more: {
    old_db?: string;
    new_db?: string;
    clients?: string[];
    dwhd?: string;
    connected?: string;
    dwhState?: object;
    inputs?: Record<string, string>;
    asked?: string[];
  } = {},
) {
  const info = (name: string) => hostInfo(name, { address: `${name}.example.com` });
  const roles = {
    he_host: 'he1',
    engine: 'engine',
    dwhd: more.dwhd ?? 'engine',
    old_db: more.old_db ?? 'engine',
    new_db: more.new_db ?? 'newdb',
  };
  const ofKind = (host: string, ref: FactRef<unknown>): unknown => {
    const first = String(ref.args[0]);
    const name = first.replace(/\.example\.com$/, '');
    switch (ref.kind.kind) {
      case 'configFiles':
        return files.filter((file) => file.path.startsWith(first.replace('*.conf', '')));
      case 'unitState':
        return { active: true, moving: false, enabled: 'enabled' };
      case 'resolvedName':
        return name === 'nobody-knows' ? undefined : [name === 'localhost' ? '127.0.0.1' : (ADDRESSES[name] ?? '')];
      case 'ownAddresses':
        return [ADDRESSES[host]];
      case 'pgCluster':
        return { running: true, version: 15 };
      case 'pgDatabase':
        return {
          owner: 'engine',
          encoding: 'UTF8',
          collate: 'C',
          ctype: 'C',
          settings: {},
          extensions: {},
          connectionLimit: -1,
          grants: null,
        };
      case 'dwhState':
        return more.dwhState;
      case 'pgSessions':
        return host === more.connected ? [{ user: 'engine', address: null, count: 5 }] : [];
      default:
        return undefined;
    }
  };
  const clients = more.clients ?? ['engine'];
  const on = new Map([...Object.entries(roles).map(([role, host]): [string, string[]] => [role, [host]]), ['clients', clients]]);
  const spread = spreadRunbook(runbook, on);
  const rolesByName = new Map([...spread.roles].map(([role, host]) => [role, info(host)]));
  const inputs = resolveInputs(
    spread.runbook,
    new Map(Object.entries(more.inputs ?? {})),
    (role) => rolesByName.get(role) ?? info(role),
  );
  if ('diagnostics' in inputs) throw new Error(JSON.stringify(inputs.diagnostics));
  return makePlan({
    ...{ runbook: spread.runbook, actions, inputs: inputs.inputs, madeAt: '', roles: rolesByName },
    async read(host, refs) {
      more.asked?.push(host);
      return refs.map((ref): Observed<unknown> => {
        const value = ofKind(host, ref);
        return value === undefined ? { state: 'absent' } : { state: 'value', value };
      });
    },
  });
}

describe('"already done"', () => {
  const moved = confs('newdb.example.com');
  const old = 'jdbc:postgresql://localhost:5432/engine?sslfactory=org.postgresql.ssl.NonValidatingFactory';
  const isDone = async (files: readonly Conf[], connected = 'newdb') => (await planWhere(files, { connected })).alreadyDone;

  test('is what is moved, with the URL written out or by reference', async () => {
    expect(await isDone(moved)).toBe(true);
    const byName = 'jdbc:postgresql://${ENGINE_DB_HOST}:${ENGINE_DB_PORT}/${ENGINE_DB_DATABASE}?sslmode=disable';
    expect(await isDone(moved.map(inEngine('ENGINE_DB_URL', byName)))).toBe(true);
  });

  // The engine connects by its URL alone: it was on the old database, and nothing was left to do.
  test.each([
    ['nothing was moved', confs('localhost')],
    ['the host was edited by hand and the URL was not', moved.map(inEngine('ENGINE_DB_URL', old))],
    ["the data warehouse's copy has the old URL", moved.map(inDwhd('ENGINE_DB_URL', old))],
    ['the URL names another database', moved.map(inEngine('ENGINE_DB_URL', 'jdbc:postgresql://newdb.example.com:5432/other'))],
    ['the URL names another port', moved.map(inEngine('ENGINE_DB_URL', 'jdbc:postgresql://newdb.example.com:6432/engine'))],
    ['the URL was edited by hand and the host was not', moved.map(inEngine('ENGINE_DB_HOST', 'localhost'))],
  ])('is not said where %s', async (_, files) => {
    expect(await isDone(files)).toBe(false);
  });

  test('is not said of an engine that has not been started again since its conf was edited', async () => {
    expect(await isDone(moved, 'engine')).toBe(false);
  });
});

describe('the database to be moved', () => {
  const blockersOf = async (...args: Parameters<typeof planWhere>) =>
    (await planWhere(...args)).blockers.flatMap(({ code, message, hint }) =>
      code === 'STEP_BLOCKED' && /^(conf-agrees|old-db-serves) /.test(message) ? [`${message} | ${hint}`] : [],
    );

  test('is looked for where the engine has it', async () => {
    expect(await blockersOf(confs('localhost'))).toEqual([]);
    expect(await blockersOf(confs('newdb.example.com'), { old_db: 'newdb', new_db: 'third' })).toEqual([]);
  });

  // After a first move the frozen old database was dumped once more, and the second move said that all went well.
  test('is not taken from the engine machine once it has moved away from there', async () => {
    expect(await blockersOf(confs('newdb.example.com'), { new_db: 'third' })).toEqual([
      'old-db-serves on engine: "newdb.example.com" is 192.0.2.2, not engine, which plays old_db | Say which host it is:  --role old_db=HOST Behind a proxy or address translation:  --input check_old_db=false',
    ]);
  });

  test('is not taken from a server while the engine still has it on its own machine', async () => {
    expect(await blockersOf(confs('localhost'), { old_db: 'newdb', new_db: 'third' })).toMatchObject([
      expect.stringContaining('"localhost" is engine itself, not newdb, which plays old_db'),
    ]);
  });

  test('is not guessed where host and URL of the conf name two', async () => {
    expect(await blockersOf(confs('localhost').map(inEngine('ENGINE_DB_HOST', 'newdb.example.com')))).toMatchObject([
      expect.stringContaining('ENGINE_DB_HOST on engine is "newdb.example.com", expected "localhost"'),
    ]);
  });

  test('is taken as told where a person says that a proxy is in between', async () => {
    const inputs = { check_old_db: 'false' };
    expect(await blockersOf(confs('proxy.example.com'), { old_db: 'newdb', new_db: 'third', inputs })).toEqual([]);
  });
});

describe('the data warehouse', () => {
  const isDwhd = ({ path: file }: Conf) => file.includes('-dwhd.conf.d/');
  /** What becomes of the steps that are about it: their host, or that they are left out. */
  const about = async (files: readonly Conf[], dwhd = 'engine') => {
    const { lines } = await planWhere(files, { dwhd });
    const ids = ['dwhd-login', 'stop-dwhd', 'point-dwhd', 'start-dwhd'];
    const tell = ({ kind, host }: (typeof lines)[number]) => (kind === 'skipped' ? 'left out' : host);
    return Object.fromEntries(ids.map((id) => [id, lines.flatMap((line) => (line.step === id ? [tell(line)] : [])).join()]));
  };

  test('beside the engine has its copy of the conf changed there', async () => {
    expect(await about(confs('localhost'))).toEqual({
      ...{ 'dwhd-login': 'left out', 'stop-dwhd': 'left out', 'point-dwhd': 'engine', 'start-dwhd': 'left out' },
    });
  });

  test('that there is none of is not looked for', async () => {
    expect(await about(confs('localhost').filter((file) => !isDwhd(file)))).toEqual({
      ...{ 'dwhd-login': 'left out', 'stop-dwhd': 'left out', 'point-dwhd': 'left out', 'start-dwhd': 'left out' },
    });
    const moved = confs('newdb.example.com').filter((file) => !isDwhd(file));
    expect((await planWhere(moved, { connected: 'newdb' })).alreadyDone).toBe(true);
  });

  // pg_hba let in the engine alone, and its own copy of the conf stayed behind.
  test('on a machine of its own is let in, stopped, pointed at the new server and started there', async () => {
    expect(await about(confs('localhost'), 'third')).toEqual({
      ...{ 'dwhd-login': 'third', 'stop-dwhd': 'third', 'point-dwhd': 'third', 'start-dwhd': 'third' },
    });
  });
});

// The real one was cut off by the fence and sampled no more, and its conf kept the old server: all of the run was green.
describe('a data warehouse that the engine knows elsewhere', () => {
  const told = async (dwhState: object, dwhd = 'engine') => {
    const plan = await planWhere(confs('localhost'), { dwhd, dwhState });
    return [...plan.blockers, ...plan.warnings].flatMap(({ code, severity, message, hint }) =>
      code === 'DWH_ELSEWHERE' ? [`${severity} ${message} | ${hint}`] : [],
    );
  };
  const at = (host: string | null, runs = true) => ({ runs, host, sampledAtS: 5 });

  test('blocks the plan, which names the role to give', async () => {
    expect(await told(at('third.example.com'))).toEqual([
      "error The engine's database says that its data warehouse runs on third.example.com, which is not engine, the machine of role dwhd. Forgotten there, it would keep its old conf and sample no more. | If it is still there, give its host:  --role dwhd=HOST",
    ]);
    expect(await told(at('engine.example.com'), 'third')).toMatchObject([expect.stringContaining('is not third')]);
  });

  test('is none where it is the machine of the role, by whatever name', async () => {
    for (const name of ['engine', 'ENGINE.example.com', 'localhost']) expect(await told(at(name))).toEqual([]);
    expect(await told(at('third.example.com'), 'third')).toEqual([]);
    expect(await told(at(null, false))).toEqual([]);
  });

  test('is a warning where it is stopped, and may be gone, or where nobody can tell whose name that is', async () => {
    expect(await told(at('third.example.com', false))).toMatchObject([expect.stringMatching(/^warning .* ran last on third/)]);
    expect(await told(at('nobody-knows.example.com'))).toMatchObject([expect.stringMatching(/^warning /)]);
  });

  test('is none of a machine without one, which is left alone', async () => {
    const without = confs('localhost').filter(({ path: file }) => !file.includes('-dwhd.conf.d/'));
    const { lines } = await planWhere(without, { dwhd: 'third' });
    expect(lines.find(({ step }) => step === 'start-dwhd')).toMatchObject({ kind: 'skipped' });
  });
});

test('each host is asked three times at most', async () => {
  const asked: string[] = [];
  await planWhere(confs('localhost'), { asked });
  for (const host of ['engine', 'newdb', 'he1']) expect(asked.filter((one) => one === host).length).toBeLessThanOrEqual(3);
});
