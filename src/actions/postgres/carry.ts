import { z } from 'zod';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase, usualGrants, withGrants, withSettings } from '../../facts/pg-database.ts';
import { type PgPrivilege, pgPrivileges } from '../../facts/pg-privileges.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { plural } from '../../lib/text.ts';
import { blocked, change, type DiffLine, defineAction, noChange, type Site } from '../action.ts';
import { role } from '../params.ts';
import { changeDatabase, setGrants, setPrivileges } from './databases.ts';
import { type FormerSettings, formerSettings, wholeSettings } from './former-settings.ts';
import { lookForUndo } from './look-for-undo.ts';
import { clusterPort, databaseName, notReady } from './params.ts';
import { carriedTo, joined, privilegeLines, privilegeStatements, rolesNamed } from './privileges.ts';
import { rolesMissing } from './roles-missing.ts';
import { settingLine } from './setting-line.ts';
import { carryPreview, onDatabase } from './undo-of-privileges.ts';

type Undo = { port: number; database: string; grants: PgDatabase['grants']; privileges: PgPrivilege[] } & FormerSettings;
type Data = { port: number; database: string; grants: PgDatabase['grants']; privileges: PgPrivilege[] };

export default defineAction({
  summary: 'Give a database what a dump of another leaves out: its settings, and all privileges on it and inside it.',
  description:
    'What ALTER DATABASE ... SET has set, GRANTs on the database, on what is in it and on what will be made in it. Of what the new database has beyond that nothing is taken. The former owner may be another role: what held for it holds for the new one. Every other role must exist. The privileges inside come in one transaction, then those on the database, then the settings.',
  undone: 'The former settings and privileges hold.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    port: clusterPort(),
    from: z
      .strictObject({ host: role().describe('Role of the other host.'), database: databaseName(), port: clusterPort() })
      .describe('The database to be like.'),
  }),
  outputs: { settings: 'Number of settings carried over.', privileges: 'Number of privileges carried over.' },
  roles: ({ from }) => [from.host],
  facts: ({ host, hostOf }, { database, port, from }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    privileges: pgPrivileges(port, database).on(host.name),
    fromCluster: pgCluster(from.port).on(hostOf(from.host).name),
    fromDatabase: pgDatabase(from.port, from.database).on(hostOf(from.host).name),
    fromPrivileges: pgPrivileges(from.port, from.database).on(hostOf(from.host).name),
  }),
  touches: ({ database, port, from }, here) => ({
    changes: [
      [here, pgDatabase.key(port, database)],
      [here, pgPrivileges.key(port, database)],
    ],
    reads: [
      [from.host, pgDatabase.key(from.port, from.database)],
      [from.host, pgPrivileges.key(from.port, from.database)],
    ],
  }),
  plan({ database, port, from }, facts, { host, hostOf }: Site) {
    const stopped = notReady(facts.cluster, port) ?? notReady(facts.fromCluster, from.port);
    if (stopped) return stopped;
    const now = facts.database.value;
    const old = facts.fromDatabase.value;
    if (!now)
      return blocked(`database "${database}" does not exist on ${host.name}`, 'Add a postgres.database step before this one.');
    if (!old)
      return blocked(
        `database "${from.database}" does not exist on ${hostOf(from.host).name}`,
        'postgres.read   names those that do.',
      );
    const before = facts.privileges.value ?? [];
    const privileges = joined(before, carriedTo(facts.fromPrivileges.value ?? [], old.owner, now.owner));
    const grants = carriedGrants(old, now);
    const settings = Object.fromEntries(Object.entries(old.settings).filter(([name, text]) => now.settings[name] !== text));
    const names = Object.keys(settings);
    const onIt = [onDatabase(database, now.owner, now.grants), onDatabase(database, now.owner, grants)] as const;
    const diff: DiffLine[] = [
      ...names.map((name) => settingLine(name, now.settings[name] ?? null, settings[name] ?? '')),
      ...privilegeLines(...onIt),
      ...privilegeLines(before, privileges),
    ];
    const count = privilegeStatements(...onIt).length + privilegeStatements(before, privileges).length;
    const outputs = { settings: names.length, privileges: count };
    if (diff.length === 0) return noChange('it has the same settings and privileges', { outputs });
    const former = formerSettings(Object.fromEntries(names.map((name) => [name, now.settings[name] ?? null])), {
      host: host.name,
      port,
      database,
    });
    return change<Undo, Data>({
      summary: `${database}: ${plural(names.length, 'setting')} and ${plural(count, 'privilege')} of ${from.database} on ${hostOf(from.host).name}`,
      diff,
      predicts: [
        facts.database.becomes(withSettings({ ...now, grants }, { ...now.settings, ...settings })),
        facts.privileges.becomes(privileges),
      ],
      outputs,
      undo: { port, database, grants: now.grants, privileges: [...before], ...former.former },
      undoSummary: 'the former settings and privileges',
      data: { port, database, grants, privileges },
      // A setting may be a password, and data is written down.
      memory: settings,
      keep: former.keep,
    });
  },
  preflight({ database, port, from }, ask, { host, hostOf }) {
    const theirs = hostOf(from.host).name;
    const facts = ask({
      database: pgDatabase(port, database).on(host.name),
      fromDatabase: pgDatabase(from.port, from.database).on(theirs),
      fromPrivileges: pgPrivileges(from.port, from.database).on(theirs),
    });
    const now = facts.database.value;
    const old = facts.fromDatabase.value;
    if (!now || !old) return {};
    const inside = rolesNamed(carriedTo(facts.fromPrivileges.value ?? [], old.owner, now.owner));
    const onIt = (carriedGrants(old, now) ?? []).map(({ to }) => to).filter((name) => name !== '' && name !== now.owner);
    const names = [...new Set([...inside, ...onIt])].sort();
    return { findings: rolesMissing(host.name, database, names, ask(names.map((name) => pgRole(port, name).on(host.name)))) };
  },
  async apply({ on, change: { data, memory } }) {
    const { port, database, grants, privileges } = data;
    await setPrivileges(on, 'privileges', { port, database, privileges });
    if (grants) await setGrants(on, 'grants', { port, database, grants });
    await changeDatabase(on, 'settings', {
      ...{ port, database, owner: null, comment: null },
      settings: memory as { [name: string]: string },
    });
  },
  preview: carryPreview,
  async rollback({ on, undo, ctx }) {
    const { port, database, privileges } = undo;
    const { found } = await lookForUndo(on, port, database);
    if (!found) return;
    await setPrivileges(on, 'put-back', { port, database, privileges });
    await setGrants(on, 'put-back-grants', { port, database, grants: undo.grants ?? usualGrants(found.owner) });
    const settings = await wholeSettings(on, ctx, undo);
    await changeDatabase(on, 'put-back-settings', { port, database, owner: null, comment: null, settings });
  },
  examples: [
    {
      title: 'What the old engine database has',
      with: { database: 'engine', from: { host: 'old_db', database: 'engine' } },
    },
  ],
});

/** The grants on a database that is to be like another; what they say of owners is left as it is. */
function carriedGrants(old: PgDatabase, now: PgDatabase): PgDatabase['grants'] {
  if (old.grants === null) return now.grants;
  const others = old.grants.filter(({ to }) => to !== old.owner && to !== now.owner);
  const owners = (now.grants ?? usualGrants(now.owner)).filter(({ to }) => to === now.owner);
  return withGrants(now, [...others, ...owners]).grants;
}
