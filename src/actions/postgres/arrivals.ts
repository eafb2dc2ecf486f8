import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { inDatabase, psql, whyNot } from '../../facts/postgres/psql.ts';
import type { Host } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { poll } from '../../lib/clock.ts';
import { blocked, check, defineAction } from '../action.ts';
import { duration, toMs } from '../params.ts';
import { clusterPort, databaseName, notReady, pgName } from './params.ts';

// Nothing is compared as text: the server makes a value of the column's own type of it.
const GREATEST = String.raw`SELECT format('SELECT max(%I)::text FROM %I.%I', :'column', :'schema', :'table') \gexec
\endif`;
const NEWER = String.raw`SELECT format('SELECT EXISTS (SELECT FROM %I.%I WHERE %I > %L)', :'schema', :'table', :'column', :'than') \gexec
\endif`;
const ANY = String.raw`SELECT format('SELECT EXISTS (SELECT FROM %I.%I)', :'schema', :'table') \gexec
\endif`;

export default defineAction({
  summary: 'Wait until a new row arrives in a table.',
  description:
    'Proves that a service writes where it should, which a session alone does not. The greatest value of a column is read, and then again until there is a greater one.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    schema: pgName('schema').default('public').describe('Schema of the table.'),
    table: pgName('table').describe('Table that is written to.'),
    column: pgName('column').describe('Column that grows with every new row: a time or a number; best one with an index.'),
    timeout: duration().default('3m').describe('How long to wait for it.'),
    port: clusterPort(),
  }),
  outputs: { database: 'Name of the database.' },
  facts: ({ host }, { database, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
  }),
  touches: ({ database, port }, role) => ({
    reads: [[role, pgDatabase.key(port, database)]],
    effects: [{ does: 'prove', role }],
  }),
  plan({ database, schema, table, port }, facts, { host }) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    if (facts.database.absent)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Wait for its rows after the step that makes it.');
    return check(`a new row in ${nameOf(schema, table)} of ${database}`, { outputs: { database } });
  },
  async apply({ on, params, ctx }) {
    const { database, schema, table, timeout } = params;
    let why = '';
    // Undefined until the table could be looked at; null when it was empty then.
    let than: string | null | undefined;
    const arrived = await poll(
      async () => {
        const first = than === undefined;
        const answer = await ask(on, params, first ? GREATEST : than === null ? ANY : NEWER, than ?? '');
        why = answer.why;
        if (why !== '') return undefined;
        if (first) than = answer.text === '' ? null : answer.text;
        return !first && answer.text === 't' ? true : undefined;
      },
      { timeoutMs: toMs(timeout), intervalMs: 1000, signal: ctx.signal },
    );
    if (arrived) return { database };
    throw new FerryError(
      'ROWS_MISSING',
      { host: on.name, database, table: nameOf(schema, table), limit: timeout, why: why || 'it has none that is newer' },
      { left: 'Looking changed nothing.' },
    );
  },
  examples: [
    {
      title: "The data warehouse's service samples into the new database",
      with: { database: 'ovirt_engine_history', table: 'host_samples_history', column: 'history_datetime' },
    },
  ],
});

interface Wish {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly port: number;
}

async function ask(host: Host, { database, schema, table, column, port }: Wish, sql: string, than: string) {
  const { open, variables } = inDatabase(database);
  const all = { ...variables, schema, table, column, than };
  const answer = await host.run(sh`printf '%s\\n' ${`${open}\n${sql}`} | ${psql({ port }, all)}`);
  return { text: answer.stdout.trim(), why: answer.code === 0 ? '' : whyNot(answer) };
}

const nameOf = (schema: string, table: string): string => (schema === 'public' ? table : `${schema}.${table}`);
