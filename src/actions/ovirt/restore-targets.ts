import { readConfig } from '../../facts/config-text.ts';
import type { Fact } from '../../facts/fact.ts';
import { describeContents, isEmpty, type PgContents, pgContents } from '../../facts/pg-contents.ts';
import type { PgDatabase } from '../../facts/pg-database.ts';
import { readFacts } from '../../facts/read.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { reveal, type Secret } from '../../hosts/secret.ts';
import { type Blocked, blocked } from '../action.ts';
import { notReady } from '../postgres/params.ts';
import type { Scope } from './backup-scopes.ts';
import { type Access, accessOf } from './engine-access.ts';
import { changedCredentials, type RestoreParams, type Target } from './restore-params.ts';
import { restoreRefused } from './restore-reach.ts';
import { confOutScript, printConf, RESTORED_SCOPES } from './restore-scripts.ts';

export type DatabaseScope = Access['scope'];

export function targetsOf(
  scopes: readonly Scope[],
  databases: RestoreParams['databases'],
): { scope: DatabaseScope; target: Target }[] {
  return (RESTORED_SCOPES as readonly DatabaseScope[]).flatMap((scope) => {
    const target = databases[scope];
    return target && scopes.includes(scope) ? [{ scope, target }] : [];
  });
}

export function unfit(
  at: {
    readonly cluster: Parameters<typeof notReady>[0];
    readonly database: Fact<PgDatabase>;
    readonly contents: Fact<PgContents>;
    readonly language: Fact<{ readonly setting: string }>;
  },
  { database, port }: Target,
  isAgain: boolean,
): Blocked | undefined {
  const refused = notReady(at.cluster, port);
  if (refused) return refused;
  const host = at.database.host;
  if (at.database.absent)
    return blocked(
      `database "${database}" does not exist on ${host}`,
      'prepare-remote-db   makes one; it must be there and empty.',
    );
  const inside = at.contents.value;
  if (inside && !isEmpty(inside) && !isAgain)
    return blocked(
      `database "${database}" on ${host} is not empty: ${describeContents(inside)}; nothing was restored`,
      'Drop it if nobody needs it and make it anew, or restore into another one.',
    );
  if (at.language.value && at.language.value.setting !== 'en_US.UTF-8')
    return blocked(
      `lc_messages on ${host} is "${at.language.value.setting}", and engine-backup demands en_US.UTF-8`,
      'Add a postgres.settings step with lc_messages: en_US.UTF-8.',
    );
  return undefined;
}

/** Whether a password has a blank at an end. */
export function isSpaced(password: string | Secret): boolean {
  return reveal(password) !== reveal(password).trim();
}

/** How the databases are reached after the restore; what the archive's files lead to must be what the step names. */
export async function accessIn(on: ActingHost, params: RestoreParams): Promise<Access[]> {
  const hasFiles = params.scopes.includes('files');
  if (hasFiles) await on.change('conf-out', confOutScript(params.from));
  // A restore takes no file away: what the machine has and the archive has not is read afterwards too.
  const read = async (root: string) => {
    const { stdout } = await on.run(printConf(root));
    const of = (text: string) => Buffer.from(text, 'base64').toString('utf8');
    return [...stdout.matchAll(/^conf (\S+) (\S*)$/gm)].map(([, path = '', text = '']) => [
      of(path).slice(root.length),
      of(text),
    ]);
  };
  const files = new Map([...(await read('')), ...(hasFiles ? await read(`${params.from}/conf`) : [])] as [string, string][]);
  const { values, problem } = readConfig(inReadingOrder(files));
  if (problem) throw restoreRefused(on.name, params, [`${problem.path} cannot be read at line ${problem.line}`]);
  const changed = changedCredentials(params.credentials);
  return targetsOf(params.scopes, params.databases).map(({ scope, target }) => {
    const given = changed[scope];
    const [found] = given
      ? [{ scope, ...given, host: given.address, port: String(given.port), password: reveal(given.password) }]
      : accessOf(scope, values);
    if (!found) throw restoreRefused(on.name, params, [`the conf files name no database for ${scope}`]);
    if (found.database !== target.database || found.port !== String(target.port))
      throw restoreRefused(on.name, params, [
        `the conf files lead to database ${found.database} on port ${found.port}, and the step names ${target.database} on port ${target.port}`,
      ]);
    return found;
  });
}

const READING_ORDER = [
  /^\/usr\/share\//,
  /^\/etc\/ovirt-engine\/engine\.conf$/,
  /^\/etc\/ovirt-engine\//,
  /\/ovirt-engine-dwhd\.conf$/,
  /^\/etc\/ovirt-engine-dwh\//,
];

/** Conf files in the order engine-backup reads them: of a later one the values win. */
export function inReadingOrder(files: ReadonlyMap<string, string>): { path: string; text: string }[] {
  const rank = (path: string) => READING_ORDER.findIndex((pattern) => pattern.test(path));
  return [...files]
    .map(([path, text]) => ({ path, text }))
    .sort((one, other) => rank(one.path) - rank(other.path) || (one.path < other.path ? -1 : 1));
}

export async function contentsOf(params: RestoreParams, onRole: (role: string) => ActingHost) {
  const found: Partial<Record<DatabaseScope, PgContents>> = {};
  for (const { scope, target } of targetsOf(params.scopes, params.databases)) {
    const on = onRole(target.host);
    const [seen] = await readFacts(on, [pgContents(target.port, target.database).on(on.name)]);
    if (seen?.state === 'value') found[scope] = seen.value as PgContents;
  }
  return found;
}
