import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { databaseConfFiles, dwhAccess } from '../../lab/engine-conf.ts';
import { createCluster } from '../../src/actions/postgres/server.ts';
import { actionsOf } from '../../src/cli/prepare.ts';
import type { FactRef, Observed } from '../../src/facts/fact.ts';
import { contentOf } from '../../src/facts/file-content.ts';
import type { PgRole } from '../../src/facts/pg-role.ts';
import { makePlan } from '../../src/plan/make-plan.ts';
import { resolveInputs } from '../../src/runbook/inputs.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { spreadRunbook } from '../../src/runbook/spread.ts';
import { ENGINE_DATABASE, hostInfo } from '../kit/facts.ts';
import { diagnosticsOf } from '../kit/lint.ts';

// What is shown without a lab; the others of the sixteen are in test/chapter/defects-engine-db.test.ts.

const MOVE = join(import.meta.dirname, '..', '..', 'runbooks/ovirt/migrate-engine-db.yaml');
const ADDRESSES: Record<string, string> = { engine: '192.0.2.1', newdb: '192.0.2.2', dwh: '192.0.2.3', he1: '192.0.2.4' };

type Edit = readonly [what: string | RegExp, by?: string];

/** The shipped move and what it includes, with some of its text cut or put otherwise, which must be there. */
async function load(...edits: Edit[]) {
  const pending = new Set(edits);
  const readFileEdited = async (path: string) => {
    let text = await readFile(path, 'utf8');
    for (const edit of edits) {
      const next = text.replace(edit[0], edit[1] ?? '');
      if (next !== text) pending.delete(edit);
      text = next;
    }
    return Buffer.from(text);
  };
  const loaded = await loadRunbook(MOVE, { readFile: readFileEdited });
  expect([...pending], 'these are not in the runbooks any more').toEqual([]);
  return loaded;
}
const step = (id: string) => new RegExp(`  - id: ${id}\\n(?:    .*\\n)+`);
const codes = async (...edits: Edit[]) => diagnosticsOf(await load(...edits)).map(({ code }) => code);

/** The plan of it on hosts where each kind of fact is this, or else as after an installation of the engine. */
async function plan(facts: { readonly [kind: string]: (host: string, ...args: never[]) => unknown }, ...edits: Edit[]) {
  const loaded = await load(...edits);
  if ('diagnostics' in loaded) throw new Error(JSON.stringify(loaded.diagnostics));
  const access = { host: 'localhost', port: 5432, user: 'engine', password: 'pw', database: 'engine' };
  const files = databaseConfFiles(access, dwhAccess('pw').dwh).map((file) => ({
    path: file.path,
    ...contentOf(file.text, { mode: '0640', owner: 'root', group: 'ovirt' }),
  }));
  const usual: typeof facts = {
    configFiles: (_, pattern: string) => files.filter(({ path }) => path.startsWith(pattern.replace('*.conf', ''))),
    resolvedName: (_, name: string) => [
      name === 'localhost' ? '127.0.0.1' : (ADDRESSES[name.replace('.example.com', '')] ?? name),
    ],
    ownAddresses: (host) => [ADDRESSES[host]],
    pgCluster: () => ({ running: true, version: 15, enabled: true, start: 'auto', encoding: 'UTF8', unit: 'postgresql@15-main' }),
    pgDatabase: (host, _: number, name: string) => (host === 'engine' || name === 'template0' ? ENGINE_DATABASE : undefined),
    pgPrivileges: () => [],
    pgClientVersion: () => 15,
    packageVersion: () => ({ version: '1' }),
    osLocale: () => ({ installed: true, by: 'locale-gen' }),
    pgLocale: () => ({ installed: true, accepted: true }),
    firewall: () => ({ kind: 'none', saved: [], zone: null }),
    pgHba: () => ({
      path: '/hba',
      mode: '0640',
      owner: 'postgres',
      group: 'postgres',
      content: 'local all all peer\n',
      loaded: true,
    }),
    diskFree: () => ({ bytes: 1e12, mount: '/' }),
    folderOthers: () => false,
    fileStat: (_, path: string) =>
      path === '/' || path === '/var' || path === '/var/lib'
        ? { type: 'folder', mode: '0755', owner: 'root', group: 'root', sizeBytes: null }
        : undefined,
  };
  const hosts = { he_host: 'he1', engine: 'engine', dwhd: 'dwh', old_db: 'engine', new_db: 'newdb', clients: 'engine' };
  const spread = spreadRunbook(loaded.runbook, new Map(Object.entries(hosts).map(([role, host]) => [role, [host]])));
  const roles = new Map([...spread.roles].map(([role, host]) => [role, hostInfo(host, { address: `${host}.example.com` })]));
  const inputs = resolveInputs(spread.runbook, new Map(), (role) => roles.get(role) ?? hostInfo(role));
  if ('diagnostics' in inputs) throw new Error(JSON.stringify(inputs.diagnostics));
  const { lines } = await makePlan({
    ...{ runbook: spread.runbook, actions: await actionsOf(spread.runbook), inputs: inputs.inputs, madeAt: '', roles },
    read: async (host, refs) =>
      refs.map((ref: FactRef<unknown>): Observed<unknown> => {
        const value = (facts[ref.kind.kind] ?? usual[ref.kind.kind])?.(host, ...(ref.args as never[]));
        return value === undefined ? { state: 'absent' } : { state: 'value', value };
      }),
  });
  return (id: string) => {
    const line = lines.find((one) => one.step === id);
    if (!line) throw new Error(`no line for ${id}`);
    return { kind: line.kind, summary: line.summary, diff: line.diff.map((each) => each.join(' ')) };
  };
}

describe('the documented move of the engine database', () => {
  test('8. the new server is not tuned as engine-setup demands', async () => {
    expect(await codes([step('settings')])).toContain('ENGINE_SETTINGS_MISSING');
    expect(await codes([/ +max_connections: .*\n/])).toContain('ENGINE_SETTINGS_MISSING');
    expect(await codes()).toEqual([]);
  });

  test('9. the locale is not on the new server', async () => {
    const bare = {
      osLocale: () => ({ installed: false, by: 'locale-gen' }),
      pgLocale: () => ({ installed: false, accepted: false }),
    };
    const without = await plan(bare, [step('locale')]);
    expect(without('prepare.database')).toMatchObject({
      kind: 'blocked',
      summary: 'locale en_US.UTF-8 is not installed on newdb',
    });
    const shipped = await plan(bare);
    expect(shipped('prepare.locale').kind).toBe('change');
    expect(shipped('prepare.database')).toMatchObject({ kind: 'change', summary: expect.stringContaining('UTF8, en_US.UTF-8') });
  });

  test('10. a rule for scram refuses a role whose password is stored as md5', async () => {
    const verifier = `md5${createHash('md5').update('pwengine').digest('hex')}`;
    const role = { name: 'engine', login: true, superuser: false, inherit: true, createdb: false, createrole: false };
    const stored: PgRole = { ...role, replication: false, bypassrls: false, connectionLimit: -1, verifier };
    const rules = async (...edits: Edit[]) => (await plan({ pgRole: () => stored }, ...edits))('prepare.access').diff;
    expect(await rules([/ +method: as-stored\n/])).toContain('+ host engine engine 192.0.2.1/32 scram-sha-256 # ferry');
    expect(await rules()).toContain('+ host engine engine 192.0.2.1/32 md5 # ferry');
    expect(await codes([/ {8}password_encryption: .*\n/])).toContain('ENGINE_SETTINGS_MISSING');
  });

  test('11. the dump lies about, readable by everybody, for ever', async () => {
    const open = [/(?<=uses: file\.transfer\n {4}with:\n)/, '      mode: "0644"\n'] as const;
    expect(await codes(open)).toContain('FILE_EXPOSED');
    expect(await codes([step('remove-dump-old')])).toContain('FILE_LEFT');
    expect(await codes([step('remove-dump-new')])).toContain('FILE_LEFT');
    const everybodys = { type: 'folder', mode: '1777', owner: 'root', group: 'root', sizeBytes: null };
    const shared = await plan({ fileStat: (_, path: string) => (path.endsWith('.dump') ? undefined : everybodys) });
    expect(shared('dump')).toMatchObject({
      kind: 'blocked',
      summary: expect.stringContaining('is not a folder only root may write to'),
    });
  });

  // A folder of root's that was there before was removed with all that other people had in it.
  test('11. the dump is removed, and of its folder no more than was made for it', async () => {
    const before = { type: 'folder', mode: '0700', owner: 'root', group: 'root', sizeBytes: null };
    const there = await plan({ fileStat: (_, path: string) => (path.endsWith('.dump') ? undefined : before) });
    const path = '/var/lib/ferry-migrate-engine-db';
    const made = await plan({});
    for (const id of ['remove-dump-old', 'remove-dump-new']) {
      expect(there(id).summary).toBe(`remove ${path}/engine.dump`);
      expect(made(id).summary).toBe(`remove ${path}/engine.dump, ${path}/`);
    }
    const whole = [
      /paths: \["(.*)\/engine\.dump"\], emptyFolders: "\$\{\{ steps\.dump.*\}\}"/,
      'paths: ["$1"], recursive: true',
    ] as const;
    expect(await codes(whole)).toContain('REMOVAL_FINAL');
  });

  test('12. commands of another release: initdb, and a client older than its server', async () => {
    const older = await plan({ pgClientVersion: () => 14 });
    expect(older('dump')).toMatchObject({ kind: 'blocked', summary: expect.stringContaining('pg_dump refuses a newer server') });
    expect((await plan({}))('dump').kind).toBe('change');
    const el = { family: 'el', version: 16, name: null, unit: 'postgresql.service' } as const;
    expect(createCluster(el, 5432, 'en_US.UTF-8').text).toContain('postgresql-setup --initdb');
  });

  test('16. only the engine is let in, and not a data warehouse on a host of its own', async () => {
    const dwh = '+ host engine engine 192.0.2.3/32 scram-sha-256 # ferry';
    const without = await plan({}, [' + [roles.dwhd.address]']);
    expect(without('prepare.access').diff).not.toContain(dwh);
    const shipped = await plan({});
    expect(shipped('prepare.access').diff).toContain(dwh);
    expect(shipped('dwhd-login').kind).toBe('check');
  });
});
