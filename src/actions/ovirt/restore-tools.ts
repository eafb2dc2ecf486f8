import { FerryError } from '../../errors/ferry-error.ts';
import { beginImprint } from '../../facts/postgres/imprint.ts';
import type { ActingHost } from '../../hosts/host.ts';
import type { Secret } from '../../hosts/secret.ts';
import { joinSh, type Sh, sh } from '../../hosts/sh.ts';
import { lastLines } from '../../lib/text.ts';
import { type Access, passFile } from './engine-access.ts';
import { changedCredentials, type RestoreParams } from './restore-params.ts';
import { imprintScript, restoreDatabaseScript, restoreFilesScript, restoreGrafanaScript } from './restore-scripts.ts';
import { KEYCLOAK_FILE, rewriteConf } from './rewrite-conf.ts';

interface Made {
  readonly rewritten: string[];
  readonly notes: string[];
}

const OPTION = { db: 'db', dwhdb: 'dwh-db', keycloakdb: 'keycloak-db' } as const;
// With --change-db-credentials it ends so after everything was done, on an engine without these two files.
const CANNOT_FIND = /^FATAL: Can not find \S+\/(10-setup-(cinderlib|managedblock)-database|12-setup-keycloak)\.conf$/m;

/** The words engine-backup is given. What its help calls --*-secured-validation it knows as --*-sec-validation alone. */
export function engineBackupWords(
  params: Pick<RestoreParams, 'path' | 'log' | 'scopes' | 'permissions' | 'keepTemporaryData' | 'credentials'>,
): Sh {
  const plain = [
    '--mode=restore',
    `--file=${params.path}`,
    `--log=${params.log}`,
    ...params.scopes.map((scope) => `--scope=${scope}`),
    // Asked for only after the files were restored, where it is missing.
    params.permissions ? '--restore-permissions' : '--no-restore-permissions',
    ...(params.keepTemporaryData ? ['--keep-temporary-data'] : []),
  ];
  const changed = changedCredentials(params.credentials);
  const others = (Object.keys(OPTION) as (keyof typeof OPTION)[]).flatMap((scope) => {
    const [name, to] = [OPTION[scope], changed[scope]];
    if (!to) return [];
    const words = [
      `--change-${name}-credentials`,
      ...[
        `--${name}-host=${to.address}`,
        `--${name}-port=${to.port}`,
        `--${name}-user=${to.user}`,
        `--${name}-name=${to.database}`,
      ],
      ...(to.secured ? [`--${name}-secured`] : []),
      ...(to.validation ? [`--${name}-sec-validation`] : []),
    ];
    return [sh`${words} ${`--${name}-passfile=`}"$FERRY_SECRETS/"${scope}`];
  });
  return sh`${[...plain, ...others]}`;
}

/** Whether what engine-backup left is a restore that is done: it ended well, or by its one defect that comes after everything. */
export function isDoneByEngineBackup(code: number, said: string): boolean {
  if (code === 0) return /^Done\.$/m.test(said);
  return CANNOT_FIND.test(said) && (said.match(/^Rewriting \S+10-setup-database\.conf$/gm) ?? []).length === 2;
}

/** What a tool says of its failure, as an error. */
export function failed(
  host: string,
  params: Pick<RestoreParams, 'tool' | 'scopes' | 'log'>,
  said: string,
  cause?: unknown,
): FerryError {
  const why = /FATAL: (.*)/.exec(said)?.[1] ?? lastLines(said, 3);
  const args = { host, tool: params.tool, what: params.scopes.join(', '), why, log: params.tool === 'ferry' ? '' : params.log };
  const left = 'Some of it may be restored: the former files are kept, and the databases were empty.';
  return new FerryError('BACKUP_NOT_RESTORED', args, { left, ...(cause === undefined ? {} : { cause }) });
}

/** Files on the host that runs a restore, each with the imprint of a database. */
export type ImprintFiles = (scope: string) => string;

export async function driveEngineBackup(
  on: ActingHost,
  params: RestoreParams,
  access: readonly Access[],
  imprints: ImprintFiles,
): Promise<Made> {
  const secrets: Record<string, string | Secret> = { pgpass: passFile(access) };
  const changed = changedCredentials(params.credentials);
  for (const [scope, to] of Object.entries(changed)) secrets[scope] = to.password;
  const folder = params.log.slice(0, params.log.lastIndexOf('/'));
  // Unlike a load in one transaction, one by engine-backup that is cut off leaves half of it.
  const script = sh`mkdir -p -m 0700 -- ${folder} || exit 1; rm -f -- ${params.log}
${joinSh(access.map(({ scope }) => sh`${beginImprint(imprints(scope))} || { echo 'FATAL: what is done cannot be kept'; exit 1; }`))}
engine-backup ${engineBackupWords(params)} 2>&1; r=$?
rm -f -- ${access.map(({ scope }) => imprints(scope))}
${joinSh(access.map((one) => imprintScript(one, imprints(one.scope))))}
exit $r`;
  const { code, stdout } = await on.detached('restore', script, { note: 'restoring', secrets, okCodes: [0, 1] });
  if (!isDoneByEngineBackup(code, stdout)) throw failed(on.name, params, stdout);
  const theirs = [...stdout.matchAll(/^Rewriting (\S+)$/gm)].map(([, path]) => path ?? '');
  // The engine's own way to the data warehouse's database, for its dashboard, is a file engine-backup leaves as it was.
  const ours = await rewriteConf(on, changed, [...theirs, KEYCLOAK_FILE]);
  const rewritten = [...theirs, ...ours];
  const notes =
    code === 0
      ? []
      : [`engine-backup ended with exit code ${code} after everything was done: ${CANNOT_FIND.exec(stdout)?.[0].slice(7)}`];
  return { rewritten, notes };
}

/** Restores by Ferry's own means, each database as its own role; `done` names those that an earlier attempt has loaded. */
export async function restoreByFerry(
  on: ActingHost,
  params: RestoreParams,
  access: readonly Access[],
  done: ReadonlySet<string>,
  imprints: ImprintFiles,
): Promise<Made> {
  const notes: string[] = [];
  let rewritten: string[] = [];
  if (params.scopes.includes('files')) {
    const { stdout } = await on.detached('files', restoreFilesScript(params.from), { note: 'restoring files' });
    notes.push(...[...stdout.matchAll(/^ferry-note (.*)$/gm)].map(([, note]) => note ?? ''));
  }
  for (const one of access) {
    if (done.has(one.scope)) continue;
    const clean = one.scope === 'db' && !params.keepTemporaryData;
    await on.detached(
      `restore-${one.scope}`,
      restoreDatabaseScript(params.from, one, { permissions: params.permissions, clean, imprint: imprints(one.scope) }),
      {
        note: `restoring ${one.database}`,
        secrets: { pgpass: passFile([one]) },
      },
    );
  }
  if (params.scopes.includes('grafanadb')) await on.change('grafana', restoreGrafanaScript(params.from));
  rewritten = await rewriteConf(on, changedCredentials(params.credentials));
  return { rewritten, notes };
}
