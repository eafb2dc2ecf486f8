import { z } from 'zod';
import type { Fact } from '../../facts/fact.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { describeContents, isEmpty, NO_CONTENTS, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase, withSettings } from '../../facts/pg-database.ts';
import { normalLocale, pgLocale } from '../../facts/pg-locale.ts';
import { pgRole } from '../../facts/pg-role.ts';
import { blocked, change, defineAction, noChange, type Site } from '../action.ts';
import { changeDatabase, createDatabase, takeBackDatabase } from './databases.ts';
import { type FormerSettings, formerSettings, wholeSettings } from './former-settings.ts';
import { localeRefused } from './locale-refused.ts';
import { clusterPort, databaseName, notReady, roleName } from './params.ts';
import { settingLine } from './setting-line.ts';
import { databasePreview, markOf } from './undo-of-databases.ts';

type Undo = {
  port: number;
  database: string;
  created: boolean;
  owner: string | null;
} & FormerSettings;
type Data = {
  port: number;
  database: string;
  owner: string;
  encoding: string;
  collate: string | null;
  ctype: string | null;
  settings: { [name: string]: string };
  create: boolean;
  mark: boolean;
};

const DROP_IT = 'Drop it if nobody needs it, or choose another name.';

export default defineAction({
  summary: 'Have an empty database with this owner, encoding, locale and settings.',
  description: 'Made from template0.',
  undone:
    'A database the run has made is dropped; after the write line it is renamed to NAME_ferry_RUN, closed to connections and kept. One that was there gets its former owner and settings.',
  tools: ['psql'],
  params: z.strictObject({
    database: databaseName(),
    owner: roleName().describe('Role that owns the database; it must exist.'),
    encoding: z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/, 'write an encoding such as UTF8')
      .default('UTF8')
      .describe('Encoding of a new database.'),
    collate: z.string().min(1).optional().describe('LC_COLLATE, such as en_US.UTF-8; that of the cluster unless given.'),
    ctype: z.string().min(1).optional().describe('LC_CTYPE; the same as collate unless given.'),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe('What ALTER DATABASE ... SET sets, such as client_min_messages.'),
    empty: z.boolean().default(true).describe('Refuse a database that holds something already. With false it is taken as it is.'),
    port: clusterPort(),
  }),
  outputs: { database: 'Name of the database.', owner: 'Role that owns it.' },
  facts: ({ host }, { database, owner, port, collate, ctype }) => ({
    cluster: pgCluster(port).on(host.name),
    database: pgDatabase(port, database).on(host.name),
    contents: pgContents(port, database).on(host.name),
    template: pgDatabase(port, 'template0').on(host.name),
    owner: pgRole(port, owner).on(host.name),
    locales: [...new Set([collate, ctype ?? collate])].flatMap((name) =>
      name === undefined ? [] : [pgLocale(port, name).on(host.name)],
    ),
  }),
  touches: ({ database, owner, port }, role) => ({
    changes: [
      [role, pgDatabase.key(port, database)],
      [role, pgContents.key(port, database)],
    ],
    reads: [[role, pgRole.key(port, owner)]],
    effects: [{ does: 'make-database', role, port, database }],
  }),
  plan(params, facts, site: Site & { readonly earlier: { readonly undo: Undo } | null }) {
    const { port, database, owner } = params;
    const { host } = site;
    const stopped = notReady(facts.cluster, port);
    if (stopped) return stopped;
    if (facts.owner.absent && facts.owner.read)
      return blocked(
        `role "${owner}", who is to own ${database}, does not exist on ${host.name}`,
        'Add a postgres.role step before this one.',
      );
    const collate = params.collate ?? null;
    const ctype = params.ctype ?? collate;
    const ours = site.earlier?.undo.created ?? false;
    const now = facts.database.value;
    const settings = Object.fromEntries(Object.entries(params.settings).map(([name, given]) => [name, asText(given)]));
    const outputs = { database, owner };
    const wish = { port, database, owner, encoding: params.encoding, collate, ctype, settings };
    if (!now) {
      const refused = facts.locales.map((fact) => localeRefused(fact, facts.cluster)).find(Boolean);
      if (refused) return refused;
      return change<Undo, Data>({
        summary: `new database ${database}, owner ${owner}, ${params.encoding}${collate ? `, ${collate}` : ''}`,
        diff: Object.entries(settings).map(([name, text]) => settingLine(name, null, text)),
        predicts: [predicted(facts.database, facts.template.value, wish), facts.contents.becomes(NO_CONTENTS)],
        outputs,
        undo: { port, database, created: true, owner: null, settings: {} },
        undoSummary: 'drop it; after the write line rename and keep it',
        data: { ...wish, create: true, mark: true },
      });
    }
    const contents = facts.contents.value;
    if (params.empty && !ours && contents && !isEmpty(contents)) {
      return blocked(
        `database "${database}" on ${host.name} is not empty: ${describeContents(contents)}`,
        `${DROP_IT} Nothing was changed in it.`,
      );
    }
    const wrong = wrongLocale(now, wish);
    if (wrong) return blocked(`database "${database}" on ${host.name} has ${wrong}, which cannot be changed`, DROP_IT);
    const differing = Object.entries(settings).filter(([name, text]) => now.settings[name] !== text);
    // An attempt that was cut off may not have left its mark.
    const isUnmarked = ours && now.comment === null;
    if (now.owner === owner && differing.length === 0 && !isUnmarked) return noChange('there, as wanted', { outputs });
    const former = Object.fromEntries(differing.map(([name]) => [name, now.settings[name] ?? null]));
    const kept = formerSettings(former, { host: host.name, port, database });
    return change<Undo, Data>({
      summary: `database ${database}: ${[now.owner === owner ? '' : `owner ${owner}`, ...differing.map(([name]) => name)].filter(Boolean).join(', ')}`,
      diff: [
        ...(now.owner === owner ? [] : [['~', 'owner ', now.owner, owner] as const]),
        ...differing.map(([name, text]) => settingLine(name, now.settings[name] ?? null, text)),
      ],
      predicts: [facts.database.becomes(withSettings({ ...now, owner }, { ...now.settings, ...settings }))],
      outputs,
      undo: { port, database, created: false, owner: now.owner, ...kept.former },
      undoSummary: 'the former owner and settings',
      data: { ...wish, create: false, mark: ours },
      keep: kept.keep,
    });
  },
  async apply({ on, ctx, change: { data } }) {
    if (data.create) await createDatabase(on, data);
    await changeDatabase(on, 'settings', { ...data, comment: data.mark ? markOf(ctx.run) : null });
  },
  preview: databasePreview,
  async rollback({ on, undo, ctx }) {
    const { port, database } = undo;
    if (!undo.created) {
      const settings = await wholeSettings(on, ctx, undo);
      await changeDatabase(on, 'put-back', { port, database, owner: undo.owner, settings, comment: null });
      return [];
    }
    return takeBackDatabase(on, { port, database, run: ctx.run, mark: markOf(ctx.run), keep: ctx.crossedWriteLine });
  },
  examples: [
    {
      title: 'The engine database on a new server',
      with: { database: 'engine', owner: 'engine', collate: 'en_US.UTF-8', settings: { client_min_messages: 'error' } },
    },
  ],
});

function predicted(fact: Fact<PgDatabase>, template: PgDatabase | undefined, wish: Omit<Data, 'create' | 'mark'>) {
  const collate = wish.collate ?? template?.collate;
  const ctype = wish.ctype ?? template?.ctype;
  if (collate === undefined || ctype === undefined) return fact.becomesUnknown();
  const { owner, settings } = wish;
  const encoding = canonicalEncoding(wish.encoding);
  return fact.becomes({
    owner,
    encoding,
    collate,
    ctype,
    settings,
    connectionLimit: -1,
    allowConnections: true,
    extensions: {},
    grants: null,
    comment: null,
  });
}

function wrongLocale(
  now: PgDatabase,
  wish: { encoding: string; collate: string | null; ctype: string | null },
): string | undefined {
  if (now.encoding !== canonicalEncoding(wish.encoding))
    return `encoding ${now.encoding} instead of ${canonicalEncoding(wish.encoding)}`;
  if (wish.collate !== null && normalLocale(now.collate) !== normalLocale(wish.collate))
    return `collation ${now.collate} instead of ${wish.collate}`;
  if (wish.ctype !== null && normalLocale(now.ctype) !== normalLocale(wish.ctype))
    return `character type ${now.ctype} instead of ${wish.ctype}`;
  return undefined;
}

/** The name the server shows: `utf-8` is UTF8. */
function canonicalEncoding(name: string): string {
  const upper = name.toUpperCase().replaceAll('-', '');
  return upper === 'UNICODE' ? 'UTF8' : upper;
}

function asText(given: string | number | boolean): string {
  return typeof given === 'boolean' ? (given ? 'on' : 'off') : String(given);
}
