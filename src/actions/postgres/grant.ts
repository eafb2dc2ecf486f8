import { z } from 'zod';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase, usualGrants, withGrants } from '../../facts/pg-database.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { undoPreview } from '../undo-preview.ts';
import { lookForUndo } from './look-for-undo.ts';
import { clusterPort, databaseName, notReady, roleName } from './params.ts';

type Grant = { to: string; privilege: 'CONNECT' | 'CREATE' | 'TEMPORARY' };
type Undo = { port: number; database: string; grants: Grant[] };
type Data = { port: number; database: string; grants: Grant[] };

export default defineAction({
  summary: 'Have roles hold privileges on a database itself, such as CONNECT.',
  description: 'A dump of a database has those on what is in it alone. What roles have already they keep.',
  undone: 'What they did not have before is revoked.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    grants: z
      .array(
        z.strictObject({
          to: roleName().describe('Role that gets it; it must exist.'),
          privilege: z.enum(['CONNECT', 'CREATE', 'TEMPORARY']).describe('What it may do.'),
        }),
      )
      .describe('Privileges, one a role and kind, as postgres.read hands them on.'),
    port: clusterPort(),
  }),
  outputs: { granted: 'Number of privileges that were not there before.' },
  facts: ({ host }, { database, grants, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    roles: [...new Set(grants.map(({ to }) => to))].map((name) => pgRole(port, name).on(host.name)),
  }),
  touches: ({ database, port }, role) => ({ changes: [[role, pgDatabase.key(port, database)]] }),
  plan({ database, grants, port }, facts, { host, earlier }: Site & { readonly earlier: { readonly undo: Undo } | null }) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    const now = facts.database.value;
    if (!now)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Add a postgres.database step before this one.');
    const names = [...new Set(grants.map(({ to }) => to))];
    const missing = names.find((_, index) => facts.roles[index]?.read && facts.roles[index]?.absent);
    if (missing !== undefined)
      return blocked(`role "${missing}" does not exist on ${host.name}`, 'Add a postgres.role step before this one.');
    const lacking = grants.filter((grant) => !holds(now, grant));
    // What an earlier attempt has granted it still has to take back.
    const granted = grants.filter((grant) => lacking.includes(grant) || earlier?.undo.grants.some((one) => same(one, grant)));
    const outputs = { granted: granted.length };
    if (lacking.length === 0) return noChange(`${plural(grants.length, 'privilege')} there`, { outputs });
    return change<Undo, Data>({
      summary: `grant ${lacking.map(({ to, privilege }) => `${privilege} to ${to}`).join(', ')} on ${database}`,
      predicts: [facts.database.becomes(withGrants(now, [...grantsOf(now), ...lacking]))],
      outputs,
      undo: { port, database, grants: granted },
      undoSummary: 'revoke it',
      data: { port, database, grants: lacking },
    });
  },
  async apply({ on, change: { data } }) {
    const lines = data.grants.map(({ privilege }, index) => `GRANT ${privilege} ON DATABASE :"db" TO :"to${index}";`);
    await on.change('grant', runSql({ port: data.port }, ['BEGIN;', ...lines, 'COMMIT;'].join('\n'), variables(data)));
  },
  async rollback({ on, undo }) {
    const { found } = await lookForUndo(on, undo.port, undo.database);
    if (!found) return [];
    const lines = undo.grants.map(
      ({ privilege }, index) =>
        `SELECT format('REVOKE ${privilege} ON DATABASE %I FROM %I', :'db', rolname) FROM pg_roles WHERE rolname = :'to${index}' \\gexec`,
    );
    await on.change('revoke', runSql({ port: undo.port }, lines.join('\n'), variables(undo)));
    return [];
  },
  preview: undoPreview({
    facts: ({ port, database }: Undo, { host }) => ({ database: pgDatabase(port, database).on(host) }),
    look({ grants }, { database }) {
      const now = database.value;
      const held = now ? grants.filter((grant) => holds(now, grant)) : [];
      if (!now || held.length === 0) return { diff: [] };
      const left = grantsOf(now).filter((grant) => !held.some((one) => same(one, grant)));
      return {
        diff: held.map(({ to, privilege }) => ['-', `${privilege} for ${to}`] as const),
        predicts: [database.becomes(withGrants(now, left))],
      };
    },
  }),
  examples: [
    {
      title: 'Let Grafana connect where not everybody may',
      with: { database: 'ovirt_engine_history', grants: [{ to: 'ovirt_engine_history_grafana', privilege: 'CONNECT' }] },
    },
  ],
});

type Held = { readonly to: string; readonly privilege: string };

const same = (one: Held, other: Held): boolean => one.to === other.to && one.privilege === other.privilege;

const holds = (database: PgDatabase, grant: Grant): boolean => grantsOf(database).some((one) => same(one, grant));

/** What is granted on a database: by default everybody may connect and make temporary tables, its owner all. */
function grantsOf({ owner, grants }: PgDatabase): readonly Held[] {
  return grants ?? usualGrants(owner);
}

function variables({ database, grants }: Data): Record<string, string> {
  return { db: database, ...Object.fromEntries(grants.map(({ to }, index) => [`to${index}`, to])) };
}
