import { type ConfigFile, configFiles } from '../../facts/config-files.ts';
import { type ConfigSource, readConfig } from '../../facts/config-text.ts';
import type { Fact } from '../../facts/fact.ts';
import { type FileContent, fileContent, textOf } from '../../facts/file-content.ts';
import { Secret } from '../../hosts/secret.ts';
import { type Blocked, blocked } from '../action.ts';

/** How one of oVirt's databases is reached, as engine-backup reaches it. */
export interface Access {
  readonly scope: 'db' | 'dwhdb' | 'keycloakdb';
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly database: string;
  readonly password: string;
}

const ENGINE_CONF = ['/usr/share/ovirt-engine/services/ovirt-engine/ovirt-engine.conf', '/etc/ovirt-engine/engine.conf'] as const;
const ENGINE_DROPS = '/etc/ovirt-engine/engine.conf.d/*.conf';
const DWH_CONF = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf';
const DWH_DROPS = '/etc/ovirt-engine-dwh/ovirt-engine-dwhd.conf.d/*.conf';
const SETUP = '/etc/ovirt-engine-setup.conf.d/*.conf';
export const PREFIXES = { db: 'ENGINE_DB', dwhdb: 'DWH_DB', keycloakdb: 'KEYCLOAK_DB' } as const;

/** The conf files engine-backup reads, in its order: those of the data warehouse come last, and win. */
export function confFacts(host: string) {
  return {
    engine: ENGINE_CONF.map((path) => fileContent(path).on(host)),
    engineDrops: configFiles(ENGINE_DROPS).on(host),
    dwh: fileContent(DWH_CONF).on(host),
    dwhDrops: configFiles(DWH_DROPS).on(host),
    setup: configFiles(SETUP).on(host),
  };
}

type ConfFacts = {
  readonly engine: readonly Fact<FileContent>[];
  readonly engineDrops: Fact<readonly ConfigFile[]>;
  readonly dwh: Fact<FileContent>;
  readonly dwhDrops: Fact<readonly ConfigFile[]>;
  readonly setup: Fact<readonly ConfigFile[]>;
};

/** What the conf files of a machine say: how each database is reached, what was set up there, and its name. */
export interface EngineConf {
  readonly access: readonly Access[];
  /** Keys of engine-setup that are true: `OVESETUP_DWH_CORE/enable`. */
  readonly enabled: readonly string[];
  readonly fqdn: string;
}

/** Reads them; blocked where engine-backup itself would save another database than the engine's, or nothing. */
export function engineConf(facts: ConfFacts, host: string): EngineConf | Blocked {
  const own = [
    ...ENGINE_CONF.flatMap((path, index) => sourceOf(path, facts.engine[index]?.value)),
    ...dropsOf(facts.engineDrops),
  ];
  const engine = readConfig(own);
  const all = readConfig([...own, ...sourceOf(DWH_CONF, facts.dwh.value), ...dropsOf(facts.dwhDrops)]);
  const problem = engine.problem ?? all.problem;
  if (problem)
    return blocked(
      `${problem.path} on ${host} cannot be read at line ${problem.line}: ${problem.why}`,
      'The engine stops there too: mend the line.',
    );
  const moved = ['HOST', 'PORT', 'DATABASE'].find((key) => {
    const [one, other] = [engine, all].map(({ values }) => values.get(`ENGINE_DB_${key}`));
    return one !== undefined && one !== other;
  });
  if (moved)
    return blocked(
      `ENGINE_DB_${moved} of the data warehouse's conf on ${host} is not that of the engine: engine-backup goes by it, and would take the wrong database`,
      `Set it in ${DWH_DROPS} to what ${ENGINE_DROPS} says; migrate-engine-db   does both.`,
    );
  const access = (['db', 'dwhdb', 'keycloakdb'] as const).flatMap((scope) => accessOf(scope, all.values));
  return { access, enabled: enabledIn(dropsOf(facts.setup)), fqdn: all.values.get('ENGINE_FQDN') ?? '' };
}

/** One database's access from conf values; none where they name none. */
export function accessOf(scope: Access['scope'], values: ReadonlyMap<string, string>): Access[] {
  const of = (key: string) => values.get(`${PREFIXES[scope]}_${key}`) ?? '';
  if (of('USER') === '' || of('DATABASE') === '') return [];
  const port = of('PORT') || '5432';
  return [{ scope, host: of('HOST') || 'localhost', port, user: of('USER'), database: of('DATABASE'), password: of('PASSWORD') }];
}

/** The lines of a password file for psql and its like. */
export function passFile(access: readonly Access[]): Secret {
  const escaped = (text: string) => text.replace(/[\\:]/g, '\\$&');
  const lines = access.map(({ host, port, database, user, password }) =>
    [host, port, database, user, password].map(escaped).join(':'),
  );
  return new Secret(`${lines.join('\n')}\n`, 'config:pgpass');
}

function sourceOf(path: string, file: FileContent | undefined): ConfigSource[] {
  const text = file && textOf(file);
  return text ? [{ path, text }] : [];
}

function dropsOf(fact: Fact<readonly ConfigFile[]>): ConfigSource[] {
  return (fact.value ?? []).flatMap((file) => sourceOf(file.path, file));
}

function enabledIn(sources: readonly ConfigSource[]): string[] {
  const keys = sources.flatMap(({ text }) =>
    [...text.matchAll(/^(OVESETUP_[A-Z_]+_CORE\/enable)=bool:True$/gm)].map(([, key]) => key ?? ''),
  );
  return [...new Set(keys)];
}
