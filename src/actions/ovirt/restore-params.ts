import { z } from 'zod';
import { absolutePath, hostAddress, portNumber, role, secretText } from '../params.ts';
import { clusterPort, databaseName, roleName } from '../postgres/params.ts';
import { backupScopes } from './backup-scopes.ts';

const target = () =>
  z.strictObject({
    host: role().describe('Role of the host the database is on.'),
    database: databaseName(),
    port: clusterPort(),
  });

/** Other credentials than those in the archive: what `--change-*-credentials` and its options say. */
const credentials = () =>
  z.strictObject({
    address: hostAddress().describe('Address of the server, as the engine reaches it.'),
    port: portNumber().default(5432).describe('Its port.'),
    database: databaseName(),
    user: roleName(),
    password: secretText().describe('Password of the role; never shown, never in an argument.'),
    secured: z.boolean().default(false).describe('Connect with TLS.'),
    validation: z.boolean().default(false).describe("Check the server's name in its certificate."),
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
export type Credentials = NonNullable<RestoreParams['credentials']['db']>;
