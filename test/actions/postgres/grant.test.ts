import { describe, expect, test } from 'vitest';
import grant from '../../../src/actions/postgres/grant.ts';
import { pgCluster } from '../../../src/facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase, withGrants } from '../../../src/facts/pg-database.ts';
import { type PgRole, pgRole } from '../../../src/facts/pg-role.ts';
import { ENGINE_DATABASE, factOf, siteOf } from '../../kit/facts.ts';

const H = 'newdb';
const DEFAULTS = [
  ...['CONNECT', 'TEMPORARY'].map((privilege) => ({ to: '', privilege })),
  ...['CONNECT', 'CREATE', 'TEMPORARY'].map((privilege) => ({ to: 'engine', privilege })),
];
const wanted = { to: 'grafana', privilege: 'CONNECT' as const };

const planned = (database: PgDatabase | undefined, { role = true, earlier = null as { undo: unknown } | null } = {}) => {
  const facts = {
    cluster: factOf(pgCluster(5432).on(H), { running: true, version: 15 } as never),
    database: factOf(pgDatabase(5432, 'engine').on(H), database),
    roles: [factOf(pgRole(5432, 'grafana').on(H), role ? ({ name: 'grafana' } as PgRole) : undefined)],
  };
  const params = grant.params.parse({ database: 'engine', grants: [wanted] });
  return grant.plan(params, facts as never, { ...siteOf(H), earlier } as never);
};

describe('privileges on a database', () => {
  test('come beside those everybody and the owner have by default', () => {
    const plan = planned(ENGINE_DATABASE);
    expect(plan).toMatchObject({ kind: 'change', undo: { grants: [wanted] }, outputs: { granted: 1 } });
    expect(plan).toMatchObject({ predicts: [{ to: { value: { grants: [...DEFAULTS, wanted].sort(byName) } } }] });
  });

  test('are left alone where they are, and still taken back by the run that granted them', () => {
    const has = { ...ENGINE_DATABASE, grants: [...DEFAULTS, wanted] };
    expect(planned(has)).toMatchObject({ kind: 'no-change', outputs: { granted: 0 } });
    expect(planned(ENGINE_DATABASE, { earlier: { undo: { grants: [wanted] } } })).toMatchObject({ undo: { grants: [wanted] } });
  });

  test('need the role and the database', () => {
    expect(JSON.stringify(planned(ENGINE_DATABASE, { role: false }))).toMatch(/"blocked".*grafana.* does not exist on newdb/);
    expect(planned(undefined)).toMatchObject({ kind: 'blocked' });
  });

  test('are the defaults again when all else is revoked', () => {
    expect(withGrants(ENGINE_DATABASE, DEFAULTS.toReversed()).grants).toBeNull();
    expect(withGrants(ENGINE_DATABASE, DEFAULTS.slice(1)).grants).toEqual(DEFAULTS.slice(1));
  });
});

function byName(one: { to: string; privilege: string }, other: { to: string; privilege: string }): number {
  return `${one.to} ${one.privilege}` < `${other.to} ${other.privilege}` ? -1 : 1;
}
