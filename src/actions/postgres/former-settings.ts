import { FerryError } from '../../errors/ferry-error.ts';
import { type FileContent, textOf } from '../../facts/file-content.ts';
import { isSecretSetting } from '../../facts/pg-setting.ts';
import { runSql } from '../../facts/postgres/psql.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import type { ActContext, Keep } from '../action.ts';

/** Under this name are kept the settings of a database that undo needs and that may stand in no journal. */
export const KEPT_SETTINGS = 'settings.json';

/** What ALTER DATABASE had set, for an undo: `hidden` names those whose values are kept on the host. Null is one to be reset. */
export type FormerSettings = {
  settings: { [name: string]: string | null };
  /** Missing in journals of older releases. */
  hidden?: string[];
};

/** Takes what may be a secret out of former settings, and says what to keep of it. */
export function formerSettings(
  settings: { readonly [name: string]: string | null },
  at: { readonly host: string; readonly port: number; readonly database: string },
): { former: { settings: { [name: string]: string | null }; hidden: string[] }; keep: Keep[] } {
  const hidden = Object.keys(settings).filter((name) => isHidden(name, settings[name]));
  const plain = Object.entries(settings).filter(([name]) => !hidden.includes(name));
  const print = runSql({ port: at.port }, SETTINGS, { db: at.database });
  return {
    former: { settings: Object.fromEntries(plain), hidden },
    keep: hidden.length === 0 ? [] : [{ name: KEPT_SETTINGS, host: at.host, print }],
  };
}

/** All former settings, those that are kept on the host too; they are in memory then and nowhere else. */
export async function wholeSettings(
  on: ActingHost,
  ctx: Pick<ActContext, 'kept'>,
  { settings, hidden = [] }: FormerSettings,
): Promise<{ [name: string]: string | null }> {
  if (hidden.length === 0) return { ...settings };
  return withKept({ settings, hidden }, await readKept(on, ctx.kept(on.name, KEPT_SETTINGS)));
}

/** The text of a kept file. @throws FACT_UNREADABLE */
export async function readKept(on: ActingHost, path: string): Promise<string> {
  const { code, stdout, stderr } = await on.run(sh`cat -- ${path}`);
  if (code === 0) return stdout;
  throw new FerryError('FACT_UNREADABLE', { host: on.name, fact: `What was kept at ${path}`, why: stderr.trim() });
}

/** The same, from the kept file as a fact; without it, as where nothing was kept yet, without those it holds. */
export function keptOf(former: FormerSettings, file: FileContent | undefined): { [name: string]: string | null } {
  return withKept(former, (file && textOf(file)) ?? '{}');
}

function withKept({ settings, hidden = [] }: FormerSettings, text: string): { [name: string]: string | null } {
  const kept = JSON.parse(text) as { readonly [name: string]: string };
  return { ...settings, ...Object.fromEntries(hidden.flatMap((name) => (name in kept ? [[name, kept[name] ?? null]] : []))) };
}

function isHidden(name: string, text: string | null | undefined): boolean {
  return text !== null && text !== undefined && isSecretSetting(name, text);
}

const SETTINGS = `SELECT coalesce(json_object_agg(split_part(s, '=', 1), substr(s, strpos(s, '=') + 1)), '{}')
 FROM pg_database d, pg_db_role_setting r, unnest(r.setconfig) s WHERE d.datname = :'db' AND r.setdatabase = d.oid AND r.setrole = 0;`;
