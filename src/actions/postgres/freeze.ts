import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgSessions } from '../../facts/pg-sessions.ts';
import { pgSuperusers } from '../../facts/pg-superusers.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import { sh } from '../../hosts/sh.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { duration, toMs } from '../params.ts';
import { clusterPort, databaseName, notReady } from './params.ts';
import { IF_DATABASE } from './sql.ts';
import { freezePreview, limitLine } from './undo-of-databases.ts';

type Undo = { port: number; database: string; connectionLimit: number };

// Ends sessions that slipped in, then prints how many there were; a prepared transaction is a writer without a session.
const END_AND_COUNT = `WITH others AS (SELECT pid FROM pg_stat_activity WHERE datname = :'db' AND pid <> pg_backend_pid() AND backend_type = 'client backend')
SELECT count(pg_terminate_backend(pid)) || ' ' || (SELECT count(*) FROM pg_prepared_xacts WHERE database = :'db') FROM others;`;

export default defineAction({
  summary: 'Fence all writers of a database; superusers may still read it.',
  description:
    'Sets its connection limit to 0, ends every session on it, and waits until none is left. No limit holds a superuser, so its owner must not be one.',
  undone: 'The former limit holds.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    superuserOwner: z
      .enum(['refuse', 'allow'])
      .default('refuse')
      .describe('What to do when its owner is a superuser. Allow it only if no program logs in as that role.'),
    timeout: duration().default('30s').describe('How long to wait for the last session to end.'),
    port: clusterPort(),
  }),
  outputs: { database: 'Name of the database.' },
  facts: ({ host }, { database, port }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    sessions: pgSessions(port, database).on(host.name),
    superusers: pgSuperusers(port).on(host.name),
  }),
  touches: ({ database, port }, role) => ({
    changes: [[role, pgDatabase.key(port, database)]],
    effects: [{ does: 'fence', role, port, database }],
  }),
  plan({ database, superuserOwner, port }, facts, { host }: Site) {
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    const now = facts.database.value;
    if (!now) return blocked(`database "${database}" does not exist on ${host.name}`, 'postgres.read   names those that do.');
    if (superuserOwner === 'refuse' && facts.superusers.value?.includes(now.owner)) {
      return blocked(
        `${now.owner}, who owns ${database} on ${host.name}, is a superuser, whom no connection limit holds off`,
        'Give the database an owner of its own, or set superuserOwner: allow if no program logs in as that role.',
      );
    }
    const isQuiet = facts.sessions.value?.length === 0;
    if (now.connectionLimit === 0 && isQuiet) return noChange('closed already', { outputs: { database } });
    return change<Undo>({
      summary: `close ${database} to all but superusers and end its sessions`,
      diff: limitLine(now.connectionLimit, 0),
      predicts: [facts.database.becomes({ ...now, connectionLimit: 0 })],
      outputs: { database },
      undo: { port, database, connectionLimit: now.connectionLimit },
      undoSummary: 'open it again',
    });
  },
  async apply({ on, params: { database: db, port, timeout } }) {
    await on.change('close', runSql({ port }, 'ALTER DATABASE :"db" CONNECTION LIMIT 0;', { db }));
    const tries = Math.max(1, Math.ceil(toMs(timeout) / 500));
    const ended = await on.change(
      'end-sessions',
      sh`i=0; while n=$(${runSql({ port }, END_AND_COUNT, { db })}) && [ "$n" != '0 0' ]; do
i=$((i+1)); [ $i -lt ${tries} ] || { echo "$n"; exit 9; }; sleep 0.5; done; [ "$n" = '0 0' ]`,
      { okCodes: [0, 9], timeoutMs: toMs(timeout) + 120_000 },
    );
    if (ended.code === 0) return;
    const [sessions, prepared] = ended.stdout.trim().split(' ').map(Number);
    const why = `${plural(sessions ?? 0, 'session')}, ${plural(prepared ?? 0, 'prepared transaction')}`;
    const left = `${db} is closed to new connections; its content is unchanged.`;
    throw new FerryError('DATABASE_BUSY', { host: on.name, database: db, why }, { left });
  },
  preview: freezePreview,
  async rollback({ on, undo: { port, database, connectionLimit } }) {
    const sql = `${IF_DATABASE}\nALTER DATABASE :"db" CONNECTION LIMIT :limit;\n\\endif`;
    await on.change('open', runSql({ port }, sql, { db: database, limit: connectionLimit }));
  },
  examples: [{ title: 'The old engine database', with: { database: 'engine' } }],
});
