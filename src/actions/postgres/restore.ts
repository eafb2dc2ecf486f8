import { z } from 'zod';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { pgClientVersion } from '../../facts/pg-client-version.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { describeContents, isEmpty, type PgContents, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase } from '../../facts/pg-database.ts';
import { pgPrivileges } from '../../facts/pg-privileges.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { knowsRestrict } from '../../facts/postgres/knows-restrict.ts';
import { asPostgres, conninfo } from '../../facts/postgres/psql.ts';
import { psqlVersion } from '../../facts/psql-version.ts';
import { readFacts } from '../../facts/read.ts';
import { sh } from '../../hosts/sh.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { blocked, change, defineAction, type Site } from '../action.ts';
import { unknown } from '../outputs.ts';
import { absolutePath } from '../params.ts';
import { emptyDatabase, imprintLeft } from './databases.ts';
import { type FormerSettings, formerSettings, wholeSettings } from './former-settings.ts';
import { clientTooOld, clusterPort, databaseName, dumpFormat, notReady, roleName } from './params.ts';
import { restorePreflight } from './restore-preflight.ts';
import { DAMAGED, defaultPrivilegesScript, readPosition, restorePlainScript, restoreScript } from './restore-script.ts';
import { IMPRINT } from './take-back.ts';
import { restorePreview } from './undo-of-databases.ts';
import { whoBlocks } from './who-blocks.ts';

type Undo = { port: number; database: string; former: Omit<PgDatabase, 'settings'> & FormerSettings };
type Data = {
  port: number;
  database: string;
  owner: string;
  path: string;
  sha256: string | null;
  privileges: boolean;
  format: 'custom' | 'plain';
  /** Whether psql takes \\restrict. */
  restricts: boolean;
  bytes: number | null;
  analyzeOnly: boolean;
};

export default defineAction({
  summary: 'Restore a dump into an empty database, in one transaction.',
  description:
    'Everything in it belongs to `owner` afterwards. Extensions are left to postgres.extension. The dump is checked first; whatever fails, the database is as empty as before. Ends with ANALYZE. Runs as a unit of its own, which outlives Ferry. Like any program that restores dumps it does what the file says: take only files you trust.',
  undone:
    'The database is made empty again. After the write line, or when something was written into it since the restore, it is kept under another name.',
  tools: ['psql', 'pg_restore', 'vacuumdb'],
  params: z.strictObject({
    database: databaseName(),
    path: absolutePath().describe('The dump; root reads it and hands it to pg_restore or psql.'),
    format: dumpFormat().describe(
      'What pg_dump made it as. Of a plain one, which may be by anybody, commands of psql are refused; what it has of the database itself (-C), of extensions and of owners is left out.',
    ),
    owner: roleName().describe('Role that will own everything restored.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'write 64 hex digits')
      .optional()
      .describe('What the file must hash to, as postgres.dump tells. Without it the whole dump is read once before the restore.'),
    privileges: z
      .boolean()
      .default(false)
      .describe('Restore GRANTs and default privileges too; every role they name must exist.'),
    port: clusterPort(),
  }),
  outputs: { database: 'Name of the database.', tables: 'Number of tables restored.', bytes: 'Size of the dump.' },
  facts: ({ host }, { database, path, owner, port, format, privileges }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    contents: pgContents(port, database).on(host.name),
    privileges: privileges ? [pgPrivileges(port, database).on(host.name)] : [],
    client: pgClientVersion(port).on(host.name),
    owner: pgRole(port, owner).on(host.name),
    file: fileStat(path).on(host.name),
    psql: format === 'plain' ? [psqlVersion(port).on(host.name)] : [],
  }),
  touches: ({ database, path, port, privileges }, role) => ({
    changes: [pgContents.key(port, database), ...(privileges ? [pgPrivileges.key(port, database)] : [])].map(
      (key) => [role, key] as const,
    ),
    reads: [
      [role, fileStat.key(path)],
      [role, pgDatabase.key(port, database)],
    ],
    effects: [
      { does: 'need-file', role, path },
      { does: 'restore', role, port, database, path },
    ],
  }),
  plan(params, facts, { host, earlier }: Site & { readonly earlier: { readonly undo: Undo } | null }) {
    const { database, path, owner, port } = params;
    const refused = notReady(facts.cluster, port) ?? clientTooOld(facts.client, facts.cluster);
    if (refused) return refused;
    const former = facts.database.value;
    if (!former)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Add a postgres.database step before this one.');
    if (facts.owner.absent && facts.owner.read)
      return blocked(`role "${owner}" does not exist on ${host.name}`, 'Add a postgres.role step before this one.');
    const file = facts.file.value;
    if (facts.file.read && file?.type !== 'file')
      return blocked(`there is no dump at ${path} on ${host.name}`, 'Bring it there first, for example with file.transfer.');
    const inside = facts.contents.value;
    // One transaction: what an earlier attempt has left is the whole restore. That it has left it, apply makes sure of.
    const isRestored = inside !== undefined && !isEmpty(inside);
    if (isRestored && !earlier) {
      return blocked(
        `database "${database}" on ${host.name} is not empty: ${describeContents(inside)}; nothing was restored`,
        'Drop it if nobody needs it, or restore into another one.',
      );
    }
    const bytes = file?.sizeBytes ?? null;
    const kept = formerSettings(former.settings, { host: host.name, port, database });
    return change<Undo, Data>({
      summary: isRestored
        ? `${database} is restored; analyze it`
        : `restore ${path}${bytes === null ? '' : ` (${formatBytes(bytes)})`} into ${database}, owner ${owner}`,
      predicts: [facts.contents, ...facts.privileges].map((fact) => fact.becomesUnknown()),
      outputs: { database, tables: unknown('number of tables in the dump'), bytes: bytes ?? unknown('size of the dump') },
      undo: { port, database, former: { ...former, ...kept.former } },
      undoSummary: 'make it empty again; rename and keep it once something was written into it',
      data: {
        port,
        database,
        owner,
        path,
        sha256: params.sha256 ?? null,
        privileges: params.privileges,
        format: params.format,
        restricts: facts.psql.some((psql) => psql.value !== undefined && knowsRestrict(psql.value)),
        bytes,
        analyzeOnly: isRestored,
      },
      keep: kept.keep,
      ...(bytes === null ? {} : { bytes }),
    });
  },
  preflight: restorePreflight,
  async apply({ on, change: { data }, ctx }) {
    const { port, database, path, bytes } = data;
    const inside = async () => {
      const [contents] = await readFacts(on, [pgContents(port, database).on(on.name)]);
      return contents?.state === 'value' ? (contents.value as PgContents) : null;
    };
    if (data.analyzeOnly) {
      if (!(await ctx.exitCodes('restore')).includes(0)) {
        const found = await inside();
        throw new FerryError(
          'RESTORE_UNPROVEN',
          { host: on.name, database, found: found ? describeContents(found) : 'what cannot be looked at' },
          { left: 'Nothing was changed in it.' },
        );
      }
    } else {
      try {
        const wish = { ...data, imprint: ctx.kept(on.name, IMPRINT) };
        const total = bytes === null ? {} : { totalBytes: bytes };
        const restrict = data.restricts ? `ferry${ctx.run}`.replaceAll(/[^A-Za-z0-9]/g, '') : null;
        const script = data.format === 'plain' ? restorePlainScript({ ...wish, restrict }) : restoreScript(wish);
        const done = await on.detached('restore', script, {
          progress: readPosition(path),
          note: 'restoring',
          diagnose: whoBlocks(port, database, data.format === 'plain' ? 'psql' : 'pg_restore'),
          okCodes: [0, DAMAGED],
          ...total,
        });
        if (done.code === DAMAGED) {
          throw new FerryError(
            'DUMP_DAMAGED',
            { host: on.name, path, why: done.stdout.trim() },
            { left: `Nothing was restored; database ${database} on ${on.name} is empty.` },
          );
        }
      } catch (thrown) {
        if (!isFerryError(thrown, 'COMMAND_FAILED')) throw thrown;
        const left = `The transaction was rolled back: database ${database} on ${on.name} is empty, as before.`;
        throw new FerryError('RESTORE_FAILED', { host: on.name, database, why: thrown.args.output }, { cause: thrown, left });
      }
    }
    if (data.privileges && data.format === 'custom')
      await on.detached('defaults', defaultPrivilegesScript(data), { note: 'setting default privileges' });
    await on.detached('analyze', sh`${asPostgres} vacuumdb --quiet --analyze-only -p ${port} -d ${conninfo(database)}`, {
      note: 'analyzing',
      diagnose: whoBlocks(port, database, 'vacuumdb'),
    });
    return { database, tables: (await inside())?.tables ?? null, bytes };
  },
  preview: restorePreview,
  async rollback({ on, undo, ctx }) {
    const settings = await wholeSettings(on, ctx, undo.former);
    // One that ended without success has left none: what is in the database now, somebody else has put there since.
    const imprint = await imprintLeft(on, ctx.kept(on.name, IMPRINT));
    return emptyDatabase(on, { ...undo, settings, run: ctx.run, keep: ctx.crossedWriteLine, imprint });
  },
  examples: [
    { title: 'The engine database', with: { database: 'engine', owner: 'engine', path: '/var/lib/ferry-dumps/engine.dump' } },
    {
      title: 'A plain dump that somebody has made by pg_dump',
      with: { database: 'app', owner: 'app', path: '/root/app.sql', format: 'plain' },
    },
  ],
});
