import type { Action, Planned } from '../../src/actions/action.ts';
import { catalog } from '../../src/actions/catalog.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import type { FactRef, FactTree, Observed } from '../../src/facts/fact.ts';
import { contentOf } from '../../src/facts/file-content.ts';
import type { ActingHost, ConverseOptions, RunResult } from '../../src/hosts/host.ts';
import type { Secret } from '../../src/hosts/secret.ts';
import type { Sh } from '../../src/hosts/sh.ts';
import { factsOf, refsOf } from '../../src/plan/fact-view.ts';
import { postgresRows } from '../contract/postgres-rows.ts';
import { rows } from '../contract/rows.ts';
import { ENGINE_DATABASE, type siteOf } from './facts.ts';

/** Every action with params that it takes: its own examples and what the contract test gives it. */
export async function everyAction(): Promise<{ name: string; action: Action; params: unknown[] }[]> {
  return Promise.all(
    Object.entries(catalog).map(async ([name, load]) => {
      const { default: action } = await load();
      const given = [
        ...action.examples.map((example) => example.with as unknown),
        ...[...rows, ...postgresRows].filter((row) => row.action === name).map((row) => row.with),
      ];
      return { name, action, params: given.filter((one) => action.params.safeParse(one).success) };
    }),
  );
}

const owner = { mode: '0640', owner: 'root', group: 'root' };
const room = { mount: '/', bytes: 1e13 };

/** What may be read of a kind of fact; the text of files and the like may be given. */
function likely(kind: string, text: string): unknown[] {
  const content = contentOf(text, owner);
  const cluster = {
    ...{ family: 'debian', version: 15, name: 'main', unit: 'postgresql@15-main.service', dataDirectory: '/d', configFile: '/c' },
    ...{ hbaFile: '/h', enabled: true, start: 'auto', encoding: 'UTF8', versionNum: 150004 },
  };
  const role = {
    ...{ name: 'x', login: false, superuser: false, inherit: true, createdb: false, createrole: false, replication: false },
    ...{ bypassrls: false, connectionLimit: -1, verifier: null },
  };
  const contents = { tables: 3, views: 0, sequences: 0, functions: 0, types: 0, schemas: 0, largeObjects: 0 };
  const setting = {
    setting: '100',
    unit: null,
    context: 'sighup',
    type: 'integer',
    pendingRestart: false,
    autoConf: null,
    secret: false,
  };
  const values: Record<string, unknown[]> = {
    unitState: [
      { active: true, moving: false, enabled: 'enabled' },
      { active: false, moving: false, enabled: 'disabled' },
    ],
    fileTree: [{ members: ['d 0755 root:root', 'f 0600 root:root a.conf'], keyedHash: null }],
    fileStat: [
      { type: 'folder', sizeBytes: null, ...owner },
      { type: 'file', sizeBytes: 5, ...owner },
    ],
    fileContent: [content],
    configFiles: [[{ path: '/etc/x.conf', ...content }]],
    fileTime: [{ sizeBytes: 5, changedAtS: 7 }],
    diskFree: [room],
    treeSize: [10],
    pgCluster: [
      { ...cluster, running: true },
      { ...cluster, running: false },
    ],
    pgInstall: [{ family: 'debian', majors: [15] }],
    pgRole: [role],
    pgDatabase: [ENGINE_DATABASE],
    pgContents: [contents, { ...contents, tables: 0 }],
    pgSize: [{ bytes: 1000, tables: 3, tableBytes: 10, indexBytes: 10 }],
    pgSetting: [setting, { ...setting, type: 'string', setting: text }],
    pgHba: [{ path: '/h', ...owner, content: text, loaded: true }],
    pgLocale: [{ installed: true, accepted: true }],
    pgSessions: [[], [{ user: 'x', address: null, count: 1 }]],
    pgClientVersion: [15],
    pgDumpFile: [{ format: 'custom', damage: null, server: 15, client: 15, grantees: [] }],
    psqlVersion: ['15.18'],
    pgExtensionAvailable: [{ version: '1.0' }],
    pgGrantees: [['x']],
    pgPrivileges: [
      [],
      [{ verb: 'GRANT', privilege: 'SELECT', columns: null, on: 'TABLE public.t', to: 'x', grantable: false, future: null }],
    ],
    pgDatabaseNames: [['x']],
    pgSuperusers: [['postgres']],
    pgRoom: [{ directory: '/d', data: room, wal: room, maxWalBytes: 1 }],
    sshReach: [{ client: true, answers: true, addresses: ['192.0.2.1'] }],
    certificate: [{ fingerprint: 'AA', names: ['x'], endsAtS: 5, fits: false }],
    osLocale: [
      { installed: false, by: 'locale-gen' },
      { installed: true, by: 'langpack' },
    ],
    firewall: [
      {
        kind: 'firewalld',
        zone: 'public',
        lists: [
          { name: 'runtime', rules: [] },
          { name: 'permanent', rules: [] },
        ],
        saved: [],
      },
    ],
    packageRemoval: [
      {
        packages: [
          {
            name: 'x',
            version: '1',
            inRepository: true,
            auto: true,
            bytes: 5,
            conf: ['/etc/x.conf'],
            units: [{ name: 'x.service', active: false, enabled: 'enabled' }],
          },
        ],
        ...{ takes: [], brings: [], refused: null },
      },
    ],
    packageVersion: [{ version: null }, { version: '1.0' }],
    maintenanceMode: ['none', 'global'],
    engineLiveliness: [true],
    dwhState: [{ runs: true, host: 'x', sampledAtS: 5 }],
    folderOthers: [false],
    engineVersion: ['4.5.7'],
    savedFiles: [{ files: 3, keyedHash: 'x' }],
    commandCheck: [{ holds: false }],
    resolvedName: [['192.0.2.1']],
    ownAddresses: [['192.0.2.1']],
    tcpListen: [{ outside: true, inside: true }],
    hostTools: [{ missing: [], family: 'debian' }],
  };
  return values[kind] ?? [];
}

/** Chance that comes out the same each time. */
export function chanceFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

export interface Tried {
  readonly refs: readonly FactRef<unknown>[];
  /** A plan that changes or checks something where facts could be found for one, and the facts it was made of. */
  readonly planned: Planned | null;
  readonly read: ReadonlyMap<string, Observed<unknown>>;
}

/** Plans a step on facts of many kinds until one makes it act; the same facts each time. `text` stands in the files it reads. */
export function tryPlans(action: Action, params: unknown, site: ReturnType<typeof siteOf>, text = 'KEY=value\n'): Tried {
  const tree: FactTree = action.facts(site, params);
  const refs = refsOf(tree);
  const chance = chanceFrom(7);
  let last: Tried = { refs, planned: null, read: new Map() };
  for (let round = 0; round < 300; round += 1) {
    const read = new Map<string, Observed<unknown>>();
    for (const ref of refs) {
      const values = likely(ref.kind.kind, text);
      const pick = Math.floor(chance() * (values.length + 1));
      read.set(`${ref.host} ${ref.key}`, pick === values.length ? { state: 'absent' } : { state: 'value', value: values[pick] });
    }
    const facts = factsOf(action.facts(site, params), (ref) => ({
      observed: read.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' },
      madeBy: null,
    }));
    const planned = action.plan(params, facts, site);
    if (planned.kind === 'change' || planned.kind === 'check' || planned.kind === 'gate') return { refs, planned, read };
    last = { refs, planned, read };
  }
  return last;
}

/** What a script is given besides: its standard input, and the secrets it finds in files. */
export interface Given {
  readonly stdin?: string | Uint8Array | Secret;
  readonly secrets?: Readonly<Record<string, string | Uint8Array | Secret>>;
}

/** A host that keeps every script it is given and answers each as if it had gone well. */
export function recordingHost(name: string, scripts: Sh[], spoken: unknown[] = [], given = new Map<Sh, Given>()): ActingHost {
  const run = async (script: Sh, options: object = {}): Promise<RunResult> => {
    scripts.push(script);
    spoken.push(options);
    given.set(script, options);
    return { code: 0, stdout: '', stderr: '' };
  };
  const key = `ssh-ed25519 ${'A'.repeat(68)}`;
  const said: Record<string, string> = { 'make-key': key, send: `sent ${'0'.repeat(64)} 5 7` };
  const act = async (step: string, script: Sh, options: object = {}) => ({
    ...(await run(script, options)),
    stdout: said[step] ?? '',
  });
  // What it would type at the questions of the examples and rows.
  const converse = async (step: string, script: Sh, { reply }: ConverseOptions) => {
    for (const said of ['Host name: ', 'Word: ', 'Password: ', 'Overwrite it? [no]: ', 'Never asked'])
      spoken.push({ stdin: reply({ said, quietMs: 200, tookMs: 200, hasPaused: true }) ?? '' });
    return act(step, script);
  };
  return {
    ...{ name, address: `${name}.example.com`, user: 'admin', port: 22, run, change: act, detached: act, converse },
    hostKey: () => Promise.resolve({ type: 'ssh-ed25519', blob: 'A'.repeat(68) }),
    connect: (address, port) =>
      Promise.reject(new FerryError('CONNECT_REFUSED', { from: name, address, port, why: 'a model', how: 'refused' })),
  };
}
