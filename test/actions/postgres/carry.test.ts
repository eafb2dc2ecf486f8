import { describe, expect, test } from 'vitest';
import carry from '../../../src/actions/postgres/carry.ts';
import { carriedTo, privilegeLines, privilegeStatements, rolesNamed } from '../../../src/actions/postgres/privileges.ts';
import type { Fact } from '../../../src/facts/fact.ts';
import { MASK } from '../../../src/facts/mask.ts';
import { type PgCluster, pgCluster } from '../../../src/facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase, usualGrants, withGrants } from '../../../src/facts/pg-database.ts';
import { type PgPrivilege, pgPrivileges, sorted } from '../../../src/facts/pg-privileges.ts';
import { type PgRole, pgRole } from '../../../src/facts/pg-role.ts';
import { asking } from '../../kit/asking.ts';
import { ENGINE_DATABASE, factOf, siteOf } from '../../kit/facts.ts';

const privilege = (on: string, to: string, more: Partial<PgPrivilege> = {}): PgPrivilege => ({
  ...{ verb: 'GRANT', privilege: 'SELECT', columns: null, on, to, grantable: false, future: null },
  ...more,
});
const tables = ['a', 'b', 'c'].map((name) => privilege(`TABLE public.${name}`, 'grafana'));

describe('privileges', () => {
  test('become SQL, names quoted', () => {
    const all = [
      privilege('TABLE public."T"', 'o"dd', { columns: ' ("Id")', grantable: true }),
      privilege('ROUTINE public.f(a integer)', '', { verb: 'REVOKE', privilege: 'EXECUTE' }),
      privilege('TABLES', 'grafana', { future: { of: 'dwh', schema: 'public' } }),
      privilege('TYPES', '', { verb: 'REVOKE', privilege: 'USAGE', future: { of: 'postgres', schema: null } }),
    ];
    expect(privilegeStatements([], all)).toEqual([
      'GRANT SELECT ("Id") ON TABLE public."T" TO "o""dd" WITH GRANT OPTION;',
      'REVOKE EXECUTE ON ROUTINE public.f(a integer) FROM PUBLIC;',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "dwh" IN SCHEMA "public" GRANT SELECT ON TABLES TO "grafana";',
      'ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" REVOKE USAGE ON TYPES FROM PUBLIC;',
    ]);
    expect(rolesNamed(all)).toEqual(['dwh', 'grafana', 'o"dd', 'postgres']);
  });

  test('go back by their contrary, and what is the same on both sides is left alone', () => {
    const given = privilege('SCHEMA public', 'x', { privilege: 'USAGE' });
    const taken = privilege('ROUTINE public.f()', '', { verb: 'REVOKE', privilege: 'EXECUTE' });
    const option = { ...given, grantable: true };
    expect(privilegeStatements([given, taken], [])).toEqual([
      'REVOKE USAGE ON SCHEMA public FROM "x";',
      'GRANT EXECUTE ON ROUTINE public.f() TO PUBLIC;',
    ]);
    expect(privilegeStatements([given, taken], [taken, given])).toEqual([]);
    expect(privilegeStatements([option], [given])).toEqual([
      'REVOKE USAGE ON SCHEMA public FROM "x";',
      'GRANT USAGE ON SCHEMA public TO "x";',
    ]);
  });

  test('are counted for a person where many are alike', () => {
    expect(privilegeLines([], tables)).toEqual([['+', 'GRANT SELECT ON 3 tables TO "grafana"']]);
    expect(privilegeLines(tables.slice(0, 2), [])).toEqual([
      ['-', 'GRANT SELECT ON TABLE public.a TO "grafana"'],
      ['-', 'GRANT SELECT ON TABLE public.b TO "grafana"'],
    ]);
  });

  test('of an owner by another name: what held for it holds for the new one', () => {
    const future = { of: 'old', schema: 'public' };
    const all = [
      privilege('TABLES', 'grafana', { future }),
      privilege('TABLE public.v', 'old'),
      privilege('TABLE public.w', 'new'),
    ];
    expect(carriedTo([...all, ...tables], 'old', 'new')).toEqual([
      privilege('TABLES', 'grafana', { future: { of: 'new', schema: 'public' } }),
      ...tables,
    ]);
  });
});

const grantsOf = (owner: string, grants: Parameters<typeof withGrants>[1]) =>
  withGrants({ ...ENGINE_DATABASE, owner }, grants).grants;

test('grants that every database has are none', () => {
  expect(grantsOf('x', usualGrants('x').reverse())).toBe(null);
  expect(grantsOf('x', usualGrants('y'))).not.toBe(null);
  expect(grantsOf('x', usualGrants('x').slice(1))?.map(({ to }) => to)).toEqual(['', 'x', 'x', 'x']);
});

describe('postgres.carry', () => {
  const site = siteOf('newdb');
  const params = carry.params.parse({ database: 'engine', from: { host: 'old', database: 'engine' } });
  const up = { running: true } as PgCluster;
  const old: PgDatabase = {
    ...ENGINE_DATABASE,
    settings: { client_min_messages: 'error', 'app.password': 'OpenSesame' },
    grants: grantsOf('engine', [...usualGrants('engine').slice(1), { to: 'monitor', privilege: 'CONNECT' }]),
  };
  const facts = (more: { old?: PgDatabase; theirs?: PgPrivilege[]; now?: PgDatabase | null; ours?: PgPrivilege[] }) => ({
    cluster: factOf(pgCluster(5432).on('newdb'), up),
    database: factOf(pgDatabase(5432, 'engine').on('newdb'), more.now === null ? undefined : (more.now ?? ENGINE_DATABASE)),
    privileges: factOf(pgPrivileges(5432, 'engine').on('newdb'), more.ours ?? []),
    fromCluster: factOf(pgCluster(5432).on('old'), up),
    fromDatabase: factOf(pgDatabase(5432, 'engine').on('old'), more.old ?? old),
    fromPrivileges: factOf(pgPrivileges(5432, 'engine').on('old'), more.theirs ?? tables),
  });
  const plan = (more: Parameters<typeof facts>[0] = {}) => carry.plan(params, facts(more), site);

  test('says what it carries over, secrets masked, and keeps them out of what is written down', () => {
    const planned = plan();
    expect(planned).toMatchObject({
      kind: 'change',
      summary: 'engine: 2 settings and 5 privileges of engine on old',
      diff: [
        ['+', 'client_min_messages = error'],
        ['+', `app.password = ${MASK}`],
        ['-', 'GRANT CONNECT ON DATABASE engine TO PUBLIC'],
        ['+', 'GRANT CONNECT ON DATABASE engine TO "monitor"'],
        ['+', 'GRANT SELECT ON 3 tables TO "grafana"'],
      ],
      undo: { grants: null, privileges: [], settings: { client_min_messages: null } },
      memory: { 'app.password': 'OpenSesame' },
    });
    const { memory: _, predicts: __, ...written } = planned as { memory: unknown; predicts: unknown };
    expect(JSON.stringify(written)).not.toContain('OpenSesame');
  });

  test('has nothing left to do when that is so, and takes nothing away', () => {
    const planned = plan({ ours: [privilege('TABLE public.z', 'x')] });
    if (planned.kind !== 'change') throw new Error(planned.kind);
    const [database, privileges] = planned.predicts.map(({ to }) => (to as { value: unknown }).value);
    expect(privileges).toEqual(sorted([...tables, privilege('TABLE public.z', 'x')]));
    expect(plan({ now: database as PgDatabase, ours: privileges as PgPrivilege[] })).toMatchObject({ kind: 'no-change' });
    expect(plan({ old: ENGINE_DATABASE, theirs: [], now: old })).toMatchObject({ kind: 'no-change' });
  });

  test('waits for a database, on both sides', () => {
    expect(plan({ now: null })).toMatchObject({ kind: 'blocked', summary: 'database "engine" does not exist on newdb' });
  });

  test('names the roles that are missing, and none that an earlier step makes', () => {
    const role = (name: string) => pgRole(5432, name).on('newdb');
    const find = (...known: Fact<unknown>[]) => {
      const all = facts({
        now: { ...ENGINE_DATABASE, owner: 'newbie' },
        theirs: [...tables, privilege('TABLE public.v', 'engine')],
      });
      const { ask } = asking(all.database, all.fromDatabase, all.fromPrivileges, ...known);
      return carry.preflight?.(params, ask, { ...site, hostAt: () => undefined }).findings ?? [];
    };
    expect(find()).toMatchObject([
      { code: 'ROLES_MISSING', message: expect.stringContaining('does not have: grafana, monitor.') },
    ]);
    const there = factOf(role('monitor'), { name: 'monitor' } as PgRole);
    expect(find(there, factOf(role('grafana'), { name: 'grafana' } as PgRole, { after: 'role' }))).toEqual([]);
  });
});
