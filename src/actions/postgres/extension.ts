import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { isEmpty, type PgContents, pgContents } from '../../facts/pg-contents.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgExtensionAvailable } from '../../facts/pg-extension-available.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { lookForUndo } from './look-for-undo.ts';
import { clusterPort, databaseName, extensionName, notReady } from './params.ts';
import { extensionPreview } from './undo-of-databases.ts';

type Undo = { port: number; database: string; name: string };

export default defineAction({
  summary: 'Have an extension in a database, made by postgres.',
  description: 'An extension that is there already is left alone, whoever owns it.',
  undone: 'It is dropped unless something depends on it.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    name: extensionName(),
    schema: z.string().min(1).default('public').describe('Schema its objects go to, unless the extension has one of its own.'),
    port: clusterPort(),
  }),
  outputs: { version: 'Version of the extension.' },
  facts: ({ host }, { database, name, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    available: pgExtensionAvailable(port, name).on(host.name),
  }),
  touches: ({ database, port }, role) => ({ changes: [[role, pgDatabase.key(port, database)]] }),
  plan({ database, name, schema, port }, facts, { host }: Site) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    const now = facts.database.value;
    if (!now)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Add a postgres.database step before this one.');
    const present = now.extensions?.[name];
    if (present)
      return noChange(`version ${present.version} is there, owner ${present.owner}`, { outputs: { version: present.version } });
    // Of a server that does not run yet nothing can be known.
    if (!facts.available.value && facts.cluster.read) {
      const version = facts.cluster.value?.version;
      const isDebian = facts.cluster.value?.family === 'debian';
      const todo = isDebian
        ? `apt-get install postgresql-contrib   brings those PostgreSQL ships (they are part of postgresql-${version}); others are in packages of their own.`
        : 'dnf install postgresql-contrib   brings those PostgreSQL ships; others are in packages of their own.';
      return blocked(`extension "${name}" is not installed on ${host.name}`, todo);
    }
    const version = facts.available.value?.version;
    return change<Undo>({
      summary: `extension ${name}${version ? ` ${version}` : ''} in ${database}`,
      predicts: [
        version === undefined
          ? facts.database.becomesUnknown()
          : facts.database.becomes({ ...now, extensions: { ...now.extensions, [name]: { version, owner: 'postgres', schema } } }),
      ],
      outputs: { version: version ?? null },
      undo: { port, database, name },
      undoSummary: 'drop it',
    });
  },
  async apply({ on, params: { port, database, name, schema } }) {
    await on.change(
      'create',
      runSql({ port, database }, `SET search_path = :"schema";\nCREATE EXTENSION IF NOT EXISTS :"name";`, { name, schema }),
    );
  },
  preview: extensionPreview,
  async rollback({ on, undo: { port, database, name }, ctx }) {
    const { found, more } = await lookForUndo(on, port, database, [pgContents(port, database).on(on.name)]);
    if (!found) return [];
    // What was written into it after the write line is kept as it is, and may need the extension.
    const [contents] = more;
    const isInUse = contents?.state !== 'value' || !isEmpty(contents.value as PgContents);
    if (ctx.crossedWriteLine && isInUse) return [];
    // 2BP01: something depends on it.
    const sql = String.raw`\set ON_ERROR_STOP 0
DROP EXTENSION IF EXISTS :"name";
\echo :SQLSTATE`;
    const dropped = await on.change('drop', runSql({ port, database }, sql, { name }));
    const state = dropped.stdout.trim();
    if (state === '2BP01')
      return [
        {
          host: on.name,
          key: pgDatabase.key(port, database),
          what: `extension ${name} is kept: objects in ${database} depend on it`,
        },
      ];
    if (state !== '00000')
      throw new FerryError('COMMAND_FAILED', {
        host: on.name,
        what: `dropping extension ${name}`,
        code: 3,
        output: dropped.stderr.trim(),
      });
    return [];
  },
  examples: [{ title: 'What the engine database needs', with: { database: 'engine', name: 'uuid-ossp' } }],
});
