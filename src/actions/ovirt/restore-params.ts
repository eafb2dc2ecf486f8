import { z } from 'zod';
import type { Secret } from '../../hosts/secret.ts';
import { absolutePath, hostAddress, portNumber, role, secretText } from '../params.ts';
import { clusterPort, databaseName, roleName } from '../postgres/params.ts';
import { backupScopes } from './backup-scopes.ts';

const target = () =>
  z.strictObject({
    host: role().describe('Role of the host the database is on.'),
    database: databaseName(),
    port: clusterPort(),
  });

/** Other credentials than those in the archive: what `--change-*-credentials` and its options say. None without address and password. */
const credentials = () =>
  z
    .strictObject({
      address: hostAddress()
        .optional()
        .describe('Address of the server, as the engine reaches it; without it and a password, nothing is changed.'),
      port: portNumber().default(5432).describe('Its port.'),
      database: databaseName(),
      user: roleName(),
      password: secretText().optional().describe('Password of the role; never shown, never in an argument.'),
      secured: z.boolean().default(false).describe('Connect with TLS.'),
      validation: z.boolean().default(false).describe("Check the server's name in its certificate."),
    })
    .refine(({ address, password }) => (address === undefined) === (password === undefined), {
      error: 'other credentials need an address and a password: give both, or neither',
    });

const perDatabase = <T extends z.ZodType>(one: () => T) =>
  z.strictObject({
    db: one().optional().describe('Of the engine.'),
    dwhdb: one().optional().describe('Of the data warehouse.'),
    keycloakdb: one().optional().describe('Of Keycloak.'),
  });

export const restoreParams = z.strictObject({
  tool: z.enum(['engine-backup', 'ferry']).default('engine-backup').describe('Which program restores it.'),
  path: absolutePath().describe('The archive.'),
  from: absolutePath().describe('The folder ovirt.unpack-backup has made of it.'),
  scopes: backupScopes().min(1).describe('What to restore.'),
  databases: perDatabase(target)
    .default({})
    .describe('Where the databases are, for each scope that is one: db, dwhdb, keycloakdb.'),
  credentials: perDatabase(credentials)
    .default({})
    .describe('How the engine reaches a database, where that is not as the files in the archive say; they are rewritten.'),
  permissions: z.boolean().default(true).describe('Restore GRANTs too; every role they name must exist.'),
  keepTemporaryData: z
    .boolean()
    .default(false)
    .describe('Leave tasks, jobs and states of machines in the engine database as they were.'),
  log: absolutePath().default('/var/log/ovirt-engine-backup/ferry-restore.log').describe('The log of engine-backup.'),
});
export type RestoreParams = z.output<typeof restoreParams>;
export type Target = NonNullable<RestoreParams['databases']['db']>;
type Given = NonNullable<RestoreParams['credentials']['db']>;
/** Credentials that are to be used. */
export type Credentials = Given & { readonly address: string; readonly password: string | Secret };
export type CredentialsOf = { readonly [Scope in keyof RestoreParams['credentials']]?: Credentials };

/** The credentials that are to be used: those with an address and a password. */
export function changedCredentials({ db, dwhdb, keycloakdb }: RestoreParams['credentials']): CredentialsOf {
  const used = Object.entries({ db, dwhdb, keycloakdb }).filter(
    ([, one]) => one?.address !== undefined && one.password !== undefined,
  );
  return Object.fromEntries(used) as CredentialsOf;
}
