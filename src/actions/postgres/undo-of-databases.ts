import type { Fact, Prediction } from '../../facts/fact.ts';
import { fileContent, textOf } from '../../facts/file-content.ts';
import { type PgCluster, pgCluster } from '../../facts/pg-cluster.ts';
import { describeContents, isEmpty, NO_CONTENTS, type PgContents, pgContents } from '../../facts/pg-contents.ts';
import { type PgDatabase, pgDatabase, withSettings } from '../../facts/pg-database.ts';
import { pgImprint } from '../../facts/pg-imprint.ts';
import { isSameImprint } from '../../facts/postgres/imprint.ts';
import type { DiffLine } from '../action.ts';
import { type UndoSite, type UndoView, undoPreview } from '../undo-preview.ts';
import { type FormerSettings, KEPT_SETTINGS, keptOf } from './former-settings.ts';
import { settingLine } from './setting-line.ts';
import { type Decision, decideEmpty, decideTakeBack, type Found, IMPRINT, keptAs, keptNames } from './take-back.ts';

type Target = { port: number; database: string };

function factsOf({ port, database }: Target, { host, run, kept }: UndoSite, { hidden = [] }: Partial<FormerSettings> = {}) {
  return {
    cluster: pgCluster(port).on(host),
    database: pgDatabase(port, database).on(host),
    contents: pgContents(port, database).on(host),
    renamed: keptNames(database, run).map((name) => pgDatabase(port, name).on(host)),
    settings: hidden.length === 0 ? [] : [fileContent(kept(KEPT_SETTINGS)).on(host)],
  };
}

interface DatabaseFacts {
  readonly cluster: Fact<PgCluster>;
  readonly database: Fact<PgDatabase>;
  readonly contents: Fact<PgContents>;
  readonly renamed: readonly Fact<PgDatabase>[];
}

/** The undo of `postgres.database`. */
export const databasePreview = undoPreview({
  facts: (undo: Target & { created: boolean; owner: string | null } & FormerSettings, site) => factsOf(undo, site, undo),
  look(undo, facts, site) {
    const stops = stopped(facts.cluster, undo.port);
    if (stops) return stops;
    const { port, database: name } = undo;
    const now = facts.database.value;
    const settings = keptOf(undo, facts.settings[0]?.value);
    if (!undo.created) return now ? backTo(facts.database, now, { owner: undo.owner ?? now.owner, settings }) : { diff: [] };
    const about = { host: site.host, port, name, run: site.run, mark: markOf(site.run), keep: site.crossedWriteLine };
    return carryOut(decideTakeBack(foundIn(facts, name, site.run), about), facts, name, site.run);
  },
});

/** The undo of `postgres.restore`. */
export const restorePreview = undoPreview({
  facts: (undo: Target & { former: Omit<PgDatabase, 'settings'> & FormerSettings }, site) => ({
    ...factsOf(undo, site, undo.former),
    imprint: pgImprint(undo.port, undo.database).on(site.host),
    left: fileContent(site.kept(IMPRINT)).on(site.host),
  }),
  look(undo, facts, site) {
    const stops = stopped(facts.cluster, undo.port);
    if (stops) return stops;
    const { port, database: name } = undo;
    const { hidden: _, ...rest } = undo.former;
    const former = { ...rest, settings: keptOf(undo.former, facts.settings[0]?.value) } as PgDatabase;
    const left = facts.left.value && textOf(facts.left.value);
    const isOwn = typeof left === 'string' && isSameImprint(left, facts.imprint.value);
    const about = { host: site.host, port, name, run: site.run, keep: site.crossedWriteLine, isOwn };
    const decision = decideEmpty(foundIn(facts, name, site.run), about);
    const gone = carryOut(decision, facts, name, site.run);
    const again: Prediction[] = [facts.database.becomes(former), facts.contents.becomes(NO_CONTENTS)];
    if (decision.act === null && facts.database.value) {
      const back = backTo(facts.database, facts.database.value, former);
      return { ...back, predicts: again, kept: decision.kept };
    }
    return {
      diff: [...gone.diff, ['+', `database ${name}, empty, owner ${former.owner}`]],
      predicts: [...again, ...(gone.predicts ?? []).filter(({ key }) => facts.renamed.some((one) => one.key === key))],
      kept: decision.kept,
    };
  },
});

/** The undo of `postgres.extension`. */
export const extensionPreview = undoPreview({
  facts: ({ name: _, ...undo }: Target & { name: string }, site) => factsOf(undo, site),
  look({ port, name }, facts, { crossedWriteLine }) {
    const stops = stopped(facts.cluster, port);
    if (stops) return stops;
    const { database, contents } = facts;
    const has = database.value?.extensions?.[name];
    // What was written into it after the write line is kept as it is, and may need the extension.
    const isInUse = !contents.value || !isEmpty(contents.value);
    if (!database.value || !has || (crossedWriteLine && isInUse)) return { diff: [] };
    const { [name]: __, ...extensions } = database.value.extensions ?? {};
    return {
      diff: [['-', `extension ${name} ${has.version}`]],
      predicts: [database.becomes({ ...database.value, extensions })],
    };
  },
});

/** The undo of `postgres.freeze`. */
export const freezePreview = undoPreview({
  facts: ({ connectionLimit: _, ...undo }: Target & { connectionLimit: number }, { host }) => ({
    cluster: pgCluster(undo.port).on(host),
    database: pgDatabase(undo.port, undo.database).on(host),
  }),
  look: ({ port, connectionLimit }, { cluster, database }) =>
    stopped(cluster, port) ?? (database.value ? backTo(database, database.value, { connectionLimit }) : { diff: [] }),
});

/** The mark on a database that a run has made. */
export function markOf(run: string): string {
  return `made by ferry, run ${run}`;
}

/** A connection limit for a person; PostgreSQL writes -1 for none. */
export function limitLine(before: number, after: number): DiffLine[] {
  const shown = (limit: number) => (limit < 0 ? 'none' : String(limit));
  return before === after ? [] : [['~', 'connection limit ', shown(before), shown(after)]];
}

/** An undo that must look into a server which is stopped fails, rather than take it for one without databases. */
export function stopped(cluster: Fact<PgCluster>, port: number): UndoView | undefined {
  const isStopped = cluster.value !== undefined && !cluster.value.running;
  return isStopped ? { diff: [], stops: `PostgreSQL on ${cluster.host} port ${port} is stopped` } : undefined;
}

function foundIn({ database, contents, renamed }: DatabaseFacts, name: string, run: string): Found {
  const taken = keptNames(name, run).filter((_, index) => renamed[index]?.value !== undefined);
  return { database: database.value, inside: contents.value, taken };
}

function carryOut({ act, kept }: Decision, facts: DatabaseFacts, name: string, run: string): UndoView {
  const { database, contents } = facts;
  const inside = contents.value ? `: ${describeContents(contents.value)}` : '';
  if (act === null) return { diff: [], kept };
  const gone = [database.becomesAbsent(), contents.becomesAbsent()];
  if (act === 'drop') return { diff: [['-', `database ${name}${inside}`]], predicts: gone, kept };
  const other = keptAs(foundIn(facts, name, run), name, run);
  const renamed = facts.renamed[keptNames(name, run).indexOf(other)];
  const closed = renamed ? [renamed.becomes({ ...(database.value as PgDatabase), connectionLimit: 0 })] : [];
  return { diff: [['~', 'database ', name, other]], predicts: [...gone, ...closed], kept };
}

/** A database that stays and gets back what it had; a setting that is null is reset. */
function backTo(
  fact: Fact<PgDatabase>,
  now: PgDatabase,
  former: {
    readonly owner?: string;
    readonly connectionLimit?: number;
    readonly settings?: Readonly<Record<string, string | null>>;
  },
): UndoView {
  const { owner = now.owner, connectionLimit = now.connectionLimit } = former;
  const moved = Object.entries(former.settings ?? {}).filter(([name, text]) => (now.settings[name] ?? null) !== text);
  const settings = Object.fromEntries(
    Object.entries({ ...now.settings, ...former.settings }).filter((entry): entry is [string, string] => entry[1] !== null),
  );
  return {
    diff: [
      ...(owner === now.owner ? [] : [['~', 'owner ', now.owner, owner] as const]),
      ...limitLine(now.connectionLimit, connectionLimit),
      ...moved.map(([name, text]) => settingLine(name, now.settings[name] ?? null, text)),
    ],
    predicts: [fact.becomes(withSettings({ ...now, owner, connectionLimit }, settings))],
  };
}
