import { fileContent } from '../../facts/file-content.ts';
import { pgCluster } from '../../facts/pg-cluster.ts';
import { type PgDatabase, pgDatabase, usualGrants, withSettings } from '../../facts/pg-database.ts';
import { type PgPrivilege, pgPrivileges } from '../../facts/pg-privileges.ts';
import { undoPreview } from '../undo-preview.ts';
import { type FormerSettings, KEPT_SETTINGS, keptOf } from './former-settings.ts';
import { privilegeLines } from './privileges.ts';
import { settingLine } from './setting-line.ts';
import { stopped } from './undo-of-databases.ts';

type Undo = { port: number; database: string; grants: PgDatabase['grants']; privileges: PgPrivilege[] } & FormerSettings;

/** The grants on a database in the form of those inside it. */
export function onDatabase(database: string, owner: string, grants: PgDatabase['grants']): PgPrivilege[] {
  return (grants ?? usualGrants(owner)).map(({ to, privilege }) => ({
    ...{ verb: 'GRANT', privilege, columns: null, on: `DATABASE ${database}`, to, grantable: false, future: null },
  }));
}

/** The undo of `postgres.carry`. */
export const carryPreview = undoPreview({
  facts: (undo: Undo, { host, kept }) => ({
    cluster: pgCluster(undo.port).on(host),
    database: pgDatabase(undo.port, undo.database).on(host),
    privileges: pgPrivileges(undo.port, undo.database).on(host),
    settings: (undo.hidden ?? []).length === 0 ? [] : [fileContent(kept(KEPT_SETTINGS)).on(host)],
  }),
  look(undo, facts) {
    const stops = stopped(facts.cluster, undo.port);
    if (stops) return stops;
    const now = facts.database.value;
    if (!now) return { diff: [] };
    const former = keptOf(undo, facts.settings[0]?.value);
    const moved = Object.entries(former).filter(([name, text]) => (now.settings[name] ?? null) !== text);
    const settings = Object.fromEntries(
      Object.entries({ ...now.settings, ...former }).filter((entry): entry is [string, string] => entry[1] !== null),
    );
    return {
      diff: [
        ...moved.map(([name, text]) => settingLine(name, now.settings[name] ?? null, text)),
        ...privilegeLines(onDatabase(undo.database, now.owner, now.grants), onDatabase(undo.database, now.owner, undo.grants)),
        ...privilegeLines(facts.privileges.value ?? [], undo.privileges),
      ],
      predicts: [
        facts.database.becomes(withSettings({ ...now, grants: undo.grants }, settings)),
        facts.privileges.becomes(undo.privileges),
      ],
    };
  },
});
