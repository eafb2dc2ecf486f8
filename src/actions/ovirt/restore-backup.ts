import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { describeContents, isEmpty, NO_CONTENTS, pgContents } from '../../facts/pg-contents.ts';
import { pgDatabase } from '../../facts/pg-database.ts';
import { pgSetting } from '../../facts/pg-setting.ts';
import { savedFiles } from '../../facts/saved-files.ts';
import { unitState } from '../../facts/unit-state.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { type ActContext, blocked, change, defineAction, type Keep, type KeptOnPurpose, type Site } from '../action.ts';
import { unknown } from '../outputs.ts';
import { emptyDatabase, imprintLeft } from '../postgres/databases.ts';
import { formerSettings, wholeSettings } from '../postgres/former-settings.ts';
import { changedCredentials, type RestoreParams, restoreParams } from './restore-params.ts';
import { imprintOf, type RestoreUndo, restorePreview } from './restore-preview.ts';
import { mustReach, reachDatabases } from './restore-reach.ts';
import { printFormer, putFormerBack, RESTORED_SCOPES } from './restore-scripts.ts';
import { accessIn, contentsOf, type DatabaseScope, isSpaced, targetsOf, unfit } from './restore-targets.ts';
import { driveEngineBackup, failed, restoreByFerry } from './restore-tools.ts';

export default defineAction({
  summary: 'Restore an archive of engine-backup, by the installed engine-backup or by Ferry.',
  description:
    'Everything that can be checked is checked first: the engine is down, each database is there and empty, its server speaks en_US.UTF-8; its role logs in from the engine, by what the files in the archive or other credentials say, and comes to that very database; and the server has every role the dump names. Ferry loads each database in one transaction, as its own role; engine-backup does not. Afterwards the engine database is cleaned as engine-backup does: tasks and jobs go, DwhCurrentlyRunning is 0, DbJustRestored is 1, highly available machines without a lease are down. Credentials travel by a file under /run.',
  undone:
    'Files are as they were, what the restore added is gone; the databases are empty again, or, after the write line or when something was written into them since, kept under another name.',
  tools: ['tar', 'psql', 'pg_restore'],
  params: restoreParams,
  outputs: {
    scopes: 'What was restored.',
    tables: 'Tables in each database now, by scope.',
    rewritten: 'Conf files that got other credentials.',
    notes: 'What is to be known.',
  },
  roles: ({ databases }) => Object.values(databases).flatMap((one) => (one ? [one.host] : [])),
  facts: ({ host, hostOf }, { from, scopes, databases }) => ({
    engine: unitState('ovirt-engine.service').on(host.name),
    folder: fileStat(from).on(host.name),
    files: hasFiles(scopes) ? [savedFiles().on(host.name)] : [],
    databases: targetsOf(scopes, databases).map(({ target: { port, database, host: on } }) => ({
      cluster: pgCluster(port).on(hostOf(on).name),
      database: pgDatabase(port, database).on(hostOf(on).name),
      contents: pgContents(port, database).on(hostOf(on).name),
      language: pgSetting(port, 'lc_messages').on(hostOf(on).name),
    })),
  }),
  touches: ({ from, scopes = [], databases = {} }, role) => ({
    reads: [[role, fileStat.key(from)]],
    changes: [
      ...(hasFiles(scopes) ? [[role, savedFiles.key()] as const] : []),
      ...targetsOf(scopes, databases).map(({ target }) => [target.host, pgContents.key(target.port, target.database)] as const),
    ],
    effects: [
      { does: 'need-file', role, path: from },
      ...targetsOf(scopes, databases).map(({ target: { host, port, database } }) => ({
        ...{ does: 'restore' as const, role: host, port, database, path: from },
      })),
    ],
  }),
  plan(params, facts, { host, hostOf, earlier }: Site & { readonly earlier: { readonly undo: RestoreUndo } | null }) {
    const { tool, path, from, scopes, databases } = params;
    const missing = RESTORED_SCOPES.find((scope) => scopes.includes(scope) && !databases[scope as 'db']);
    if (missing)
      return blocked(`where the database of ${missing} is, is not said`, `Add ${missing} to databases: host, database, port.`);
    const spaced = Object.entries(changedCredentials(params.credentials)).find(
      ([, one]) => tool === 'engine-backup' && isSpaced(one.password),
    );
    if (spaced)
      return blocked(
        `engine-backup takes blanks off the ends of a password, and that of ${spaced[0]} has one`,
        'Use tool: ferry, or another password.',
      );
    if (facts.engine.value?.active || facts.engine.value?.moving)
      return blocked(`the engine runs on ${host.name}; a restore needs it down`, 'Add a service.stop step before this one.');
    if (facts.folder.absent && facts.folder.read)
      return blocked(`${from} is not there on ${host.name}`, 'Add an ovirt.unpack-backup step before this one.');
    const targets = targetsOf(scopes, databases);
    for (const [index, { target }] of targets.entries()) {
      const at = facts.databases[index];
      const refused = at && unfit(at, target, earlier !== null);
      if (refused) return refused;
    }
    const before = facts.files[0]?.value ?? { files: 0, keyedHash: '-' };
    const undo: RestoreUndo = { files: hasFiles(scopes) ? before : null, databases: [] };
    const keep: Keep[] = undo.files ? [{ name: 'files.tar', host: host.name, print: printFormer() }] : [];
    for (const [index, { scope, target }] of targets.entries()) {
      const { port, database } = target;
      const on = hostOf(target.host).name;
      const former = facts.databases[index]?.database.value;
      if (!former) continue;
      const hidden = formerSettings(former.settings, { host: on, port, database });
      undo.databases.push({ scope, host: on, port, database, former: { ...former, ...hidden.former } });
      keep.push(...hidden.keep.map((one) => ({ ...one, name: `${scope}-${one.name}` })));
    }
    return change<RestoreUndo>({
      summary: `restore ${scopes.join(', ')} from ${path} by ${tool}`,
      predicts: [
        ...facts.files.map((fact) => fact.becomesUnknown()),
        ...facts.databases.map(({ contents }) => contents.becomesUnknown()),
      ],
      outputs: {
        scopes,
        tables: unknown('tables restored'),
        rewritten: unknown('conf files rewritten'),
        notes: unknown('what is to be known'),
      },
      undo,
      undoSummary: 'put the files back, have the databases empty again',
      keep,
    });
  },
  async apply({ on, onRole, params, ctx }) {
    const access = await accessIn(on, params);
    const wanted = targetsOf(params.scopes, params.databases).map(({ scope }) => scope);
    const done = new Set<string>();
    for (const scope of wanted) if ((await ctx.exitCodes(`restore-${scope}`)).includes(0)) done.add(scope);
    // Looked at once an attempt: what is in them when Ferry comes back to a load that is under way was put there by it.
    const reached = await reachDatabases(on, onRole, params, access);
    mustReach(on.name, params, reached, (role) => onRole(role).name);
    const odd = reached.find(({ access: { scope }, seen }) => !done.has(scope) && seen?.objects !== 0);
    if (odd) throw await notEmpty(on, onRole, params, odd.access.scope, await ctx.exitCodes(SEEN_EMPTY));
    const imprints = (scope: string) => ctx.kept(on.name, imprintOf(scope));
    // What a load that was cut off has left tells nothing any more of what is empty now.
    await on.change(SEEN_EMPTY, sh`rm -f -- ${wanted.filter((scope) => !done.has(scope)).map(imprints)}`);
    const made = await (params.tool === 'ferry'
      ? restoreByFerry(on, params, access, done, imprints)
      : driveEngineBackup(on, params, access, imprints)
    ).catch((thrown: unknown) => {
      if (!isFerryError(thrown, 'COMMAND_FAILED')) throw thrown;
      throw failed(on.name, params, String(thrown.args.output), thrown);
    });
    const after = await contentsOf(params, onRole);
    const empty = wanted.find((scope) => isEmpty(after[scope] ?? NO_CONTENTS));
    if (empty) {
      const args = {
        host: on.name,
        tool: params.tool,
        what: `database of ${empty}`,
        why: 'it ended well, and the database is empty',
      };
      throw new FerryError('BACKUP_NOT_RESTORED', { ...args, log: params.log });
    }
    const tables = Object.fromEntries(wanted.map((scope) => [scope, after[scope]?.tables ?? 0]));
    return { scopes: [...params.scopes], tables, rewritten: made.rewritten, notes: made.notes };
  },
  preview: restorePreview,
  async rollback({ on, onHost, undo, ctx }) {
    const kept: KeptOnPurpose[] = [];
    for (const { scope, host, ...target } of undo.databases) {
      const own = named(onHost(host), `${scope}-`);
      const former = { kept: (name: string, what: string) => ctx.kept(name, `${scope}-${what}`) } as ActContext;
      const settings = await wholeSettings(own, former, target.former);
      kept.push(
        ...(await emptyDatabase(own, {
          ...target,
          settings,
          run: ctx.run,
          keep: ctx.crossedWriteLine,
          imprint: await imprintLeft(on, ctx.kept(on.name, imprintOf(scope))),
        })),
      );
    }
    if (undo.files) await on.detached('put-back', putFormerBack(ctx.kept(on.name, 'files.tar')), { note: 'putting files back' });
    return kept;
  },
  examples: [
    {
      title: 'Everything, by engine-backup',
      with: {
        path: '/root/engine.backup',
        from: '/var/lib/ferry-engine-restore',
        scopes: ['files', 'db', 'dwhdb'],
        databases: { db: { host: 'new_db', database: 'engine' }, dwhdb: { host: 'new_db', database: 'ovirt_engine_history' } },
      },
    },
  ],
});

const SEEN_EMPTY = 'seen-empty';

/** Why a database that an attempt finds filled is not loaded: what an attempt before it has left there, or somebody else. */
async function notEmpty(
  on: ActingHost,
  onRole: (role: string) => ActingHost,
  params: RestoreParams,
  scope: DatabaseScope,
  codes: readonly number[],
): Promise<FerryError> {
  const database = params.databases[scope]?.database ?? scope;
  const found = describeContents((await contentsOf(params, onRole))[scope] ?? NO_CONTENTS);
  const left = 'Nothing was changed in it.';
  if (codes.length === 0) return new FerryError('RESTORE_UNPROVEN', { host: on.name, database, found }, { left });
  const why = `an attempt before this one has left ${found} in database ${database}, and nothing is loaded over that`;
  const args = { host: on.name, tool: params.tool, what: params.scopes.join(', '), why, log: params.log };
  return new FerryError('BACKUP_NOT_RESTORED', args, { left });
}

/** Whether files are written over; the database of Grafana is one. */
function hasFiles(scopes: readonly string[]): boolean {
  return scopes.includes('files') || scopes.includes('grafanadb');
}

/** A machine whose commands have names of their own, where a step gives the same ones for several databases. */
function named(on: ActingHost, prefix: string): ActingHost {
  return Object.assign(Object.create(on) as ActingHost, {
    ...{ run: on.run.bind(on), connect: on.connect.bind(on), hostKey: on.hostKey.bind(on) },
    change: (...[name, ...rest]: Parameters<ActingHost['change']>) => on.change(`${prefix}${name}`, ...rest),
    detached: (...[name, ...rest]: Parameters<ActingHost['detached']>) => on.detached(`${prefix}${name}`, ...rest),
  });
}
