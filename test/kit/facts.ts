import type { Fact, FactRef } from '../../src/facts/fact.ts';
import { absent, value } from '../../src/facts/fact.ts';
import type { PgDatabase } from '../../src/facts/pg-database.ts';
import type { HostInfo } from '../../src/hosts/host.ts';

/** A database of the engine with nothing in it. */
export const ENGINE_DATABASE: PgDatabase = {
  owner: 'engine',
  encoding: 'UTF8',
  collate: 'en_US.UTF-8',
  ctype: 'en_US.UTF-8',
  connectionLimit: -1,
  allowConnections: true,
  settings: {},
  extensions: {},
  grants: null,
  comment: null,
};

/** A fact as `plan` sees it, without a host: `undefined` makes it absent, `read: false` makes it predicted. */
export function factOf<V>(ref: FactRef<V>, found: V | undefined, more: { read?: boolean; after?: string } = {}): Fact<V> {
  const prediction = { host: ref.host, key: ref.key, kind: ref.kind as FactRef<unknown>['kind'] };
  return {
    key: ref.key,
    host: ref.host,
    value: found,
    absent: found === undefined,
    read: more.read ?? more.after === undefined,
    after: more.after ?? (more.read === false ? 'an earlier step' : null),
    becomes: (next) => ({ ...prediction, to: value(next) }),
    becomesAbsent: () => ({ ...prediction, to: absent }),
    becomesUnknown: () => ({ ...prediction, to: undefined }),
  };
}

/** A host as plans see it. */
export function hostInfo(name: string, more: Partial<HostInfo> = {}): HostInfo {
  return { name, address: `${name}.example.com`, user: 'root', port: 22, ...more };
}

/** The place of a step in unit tests: its host, and roles that are hosts of the same name. */
export function siteOf(name = 'one', others: Readonly<Record<string, HostInfo>> = {}) {
  return { host: hostInfo(name), hostOf: (role: string) => others[role] ?? hostInfo(role), earlier: null };
}
