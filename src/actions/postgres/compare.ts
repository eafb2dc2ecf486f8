import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { plural } from '../../lib/text.ts';
import { blocked, check, defineAction } from '../action.ts';
import { unknown } from '../outputs.ts';
import { duration, role, toMs } from '../params.ts';
import { type ComparedSide, differences, type Fingerprint, fingerprint, serverVersion } from './fingerprint.ts';
import { clusterPort, databaseName } from './params.ts';

const SHOWN = 20;

export default defineAction({
  summary: 'Compare two databases: every row of every table, every sequence, and what else there is.',
  description:
    'Reads both sides at once, each in one snapshot, on its own machine; only hashes travel. Rows count in whatever order they are stored. Views, functions, indexes, constraints, triggers, types, schemas and extensions are compared by name. Anything missing or different on either side fails the step. Nothing may write to either side meanwhile.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    port: clusterPort(),
    with: z
      .strictObject({ host: role().describe('Role of the other host.'), database: databaseName(), port: clusterPort() })
      .describe('The database to compare with.'),
    allowEmpty: z.boolean().default(false).describe('Let two databases without any table pass.'),
    timeout: duration().default('2h').describe('How long reading one side may take.'),
  }),
  outputs: {
    equal: 'true; a difference fails the step.',
    tables: 'Number of tables compared.',
    rows: 'Number of rows compared.',
    sequences: 'Number of sequences compared.',
    objects: 'Number of all objects compared.',
  },
  roles: (params) => [params.with.host],
  facts: ({ host, hostOf }, params) => ({
    left: pgDatabase(params.port, params.database).on(host.name),
    right: pgDatabase(params.with.port, params.with.database).on(hostOf(params.with.host).name),
  }),
  touches: (params, here) => ({
    reads: [
      [here, pgDatabase.key(params.port, params.database)],
      [params.with.host, pgDatabase.key(params.with.port, params.with.database)],
    ],
    effects: [
      {
        does: 'compare',
        role: here,
        port: params.port,
        database: params.database,
        with: { role: params.with.host, port: params.with.port, database: params.with.database },
      },
    ],
  }),
  plan(params, { left, right }) {
    for (const [fact, name] of [
      [left, params.database],
      [right, params.with.database],
    ] as const) {
      if (fact.absent && fact.read)
        return blocked(`database "${name}" does not exist on ${fact.host}`, 'postgres.read   names those that do.');
    }
    const outputs = {
      equal: true,
      tables: unknown('tables compared'),
      rows: unknown('rows compared'),
      sequences: unknown('sequences compared'),
      objects: unknown('objects compared'),
    };
    return check(`every row of ${params.database} on ${left.host} and ${params.with.database} on ${right.host}`, { outputs });
  },
  async apply({ on, onRole, params, ctx }) {
    const left: ComparedSide = { host: on, port: params.port, database: params.database };
    const right: ComparedSide = { host: onRole(params.with.host), port: params.with.port, database: params.with.database };
    const versions = await Promise.all([serverVersion(left), serverVersion(right)]);
    const isOld = Math.min(...versions) < 120_000;
    ctx.progress({ note: 'comparing' });
    const [ours, theirs] = (await Promise.all([left, right].map((side) => fingerprint(side, isOld, toMs(params.timeout))))) as [
      Fingerprint,
      Fingerprint,
    ];
    const names = { left: `${left.database} on ${left.host.name}`, right: `${right.database} on ${right.host.name}` };
    const found = differences(ours, theirs);
    if (found.length > 0) {
      const more = found.length > SHOWN ? [`and ${found.length - SHOWN} more`] : [];
      const list = [...found.slice(0, SHOWN), ...more].map((line) => `  ${line}`).join('\n');
      throw new FerryError('COMPARE_DIFFERS', { ...names, count: found.length, list }, { left: 'Comparing changed nothing.' });
    }
    const counted = count(ours);
    if (counted.tables === 0 && !params.allowEmpty) {
      throw new FerryError(
        'COMPARE_INCOMPLETE',
        { host: left.host.name, database: left.database, why: 'there is no table in it, nor in the other' },
        { left: 'Nothing was changed.' },
      );
    }
    ctx.progress({ note: `${plural(counted.tables, 'table')} equal` });
    return { equal: true, ...counted };
  },
  examples: [
    {
      title: 'The old engine database and the new one',
      with: { database: 'engine', with: { host: 'new_db', database: 'engine' } },
    },
  ],
});

function count(prints: Fingerprint): { tables: number; rows: number; sequences: number; objects: number } {
  const all = [...prints.values()];
  const tables = all.filter((print) => print.kind === 'table');
  return {
    tables: tables.length,
    rows: tables.reduce((sum, print) => sum + (print.rows ?? 0), 0),
    sequences: all.filter((print) => print.kind === 'sequence').length,
    objects: all.length,
  };
}
