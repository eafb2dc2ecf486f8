import { z } from 'zod';
import { DATABASES, FILES } from '../../archives/backup-layout.ts';

export const SCOPES = ['files', 'db', 'dwhdb', 'keycloakdb', 'grafanadb'] as const;
export type Scope = (typeof SCOPES)[number];

/** What of an engine a backup has, in the words of engine-backup. */
export function backupScopes() {
  return z.array(z.enum(SCOPES));
}

/** The member of an archive that holds a scope. */
export function memberOf(scope: string): string {
  return scope === 'files' ? FILES : (DATABASES.find((one) => one.scope === scope)?.member ?? scope);
}
