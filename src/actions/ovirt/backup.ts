import { z } from 'zod';
import { DATABASES } from '../../archives/backup-layout.ts';
import { FerryError, isFerryError } from '../../errors/ferry-error.ts';
import { diskFree } from '../../facts/disk-free.ts';
import { engineVersion } from '../../facts/engine-version.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { sh } from '../../hosts/sh.ts';
import { lastLines } from '../../lib/text.ts';
import { blocked, change, defineAction, type Site } from '../action.ts';
import { madeFilePreview } from '../file-preview.ts';
import { foldersToMake, makeFolders, parentFacts, removeFolders } from '../made-folders.ts';
import { unknown } from '../outputs.ts';
import { absolutePath } from '../params.ts';
import { backupScopes, memberOf, SCOPES, type Scope } from './backup-scopes.ts';
import { type BackupTool, engineBackupScript, ferryBackupScript } from './backup-script.ts';
import { confFacts, engineConf, passFile } from './engine-access.ts';

type Undo = { path: string; folders: string[] };
type Data = { tool: BackupTool; scopes: Scope[]; version: string; fqdn: string; folders: string[]; log: string };

const compressor = () => z.enum(['gzip', 'bzip2', 'xz', 'None']);

export default defineAction({
  summary: 'Back up an engine to an archive, by the installed engine-backup or by Ferry in the same format.',
  description:
    'The archive is 0600 and has its name only when it is whole; what was asked for and is not in it fails the step, where engine-backup says nothing. Both tools tell the engine of it (engine_backup_log, events 9024, 9025, 9026). The engine may run.',
  undone: 'The archive is removed; what the engine was told stays told.',
  converges: false,
  tools: ['tar', 'pg_dump', 'psql'],
  params: z.strictObject({
    tool: z.enum(['engine-backup', 'ferry']).default('engine-backup').describe('Which program makes it.'),
    path: absolutePath().describe('The archive to make, in a folder only root may write to; a missing folder is made.'),
    scopes: backupScopes().default([]).describe('What to save; empty for all that is set up on the machine.'),
    log: absolutePath().optional().describe('The log; beside those of engine-backup unless given.'),
    dumpFormat: z.enum(['custom', 'plain']).default('custom').describe('plain is smaller, and loses owners and grants.'),
    dumpCompressor: compressor().default('None').describe('For the dumps; those in custom format are compressed already.'),
    archiveCompressor: compressor().default('gzip').describe('For the whole.'),
    filesCompressor: compressor().default('xz').describe("For the product's files."),
  }),
  outputs: {
    path: 'The archive.',
    sha256: 'SHA-256 of it, in hex.',
    bytes: 'Its size.',
    scopes: 'What is in it.',
    log: 'The log.',
  },
  facts: ({ host }, { path }) => ({
    version: engineVersion().on(host.name),
    conf: confFacts(host.name),
    grafana: fileStat('/var/lib/grafana/grafana.db').on(host.name),
    file: fileStat(path).on(host.name),
    folders: parentFacts(host.name, path),
    disk: diskFree(path).on(host.name),
  }),
  touches: ({ path }, role) => ({
    changes: [[role, fileStat.key(path)]],
    effects: [{ does: 'make-file', role, path, how: 'new', mode: '0600' }],
  }),
  plan(params, facts, { host, earlier }: Site & { readonly earlier: { readonly undo: Undo } | null }) {
    const { tool, path } = params;
    const version = facts.version.value;
    if (version === undefined)
      return blocked(`no engine is installed on ${host.name}`, 'A backup is made on the machine of the engine.');
    if (facts.file.value && !earlier)
      return blocked(`${path} is there already on ${host.name}`, `Choose another path, or:  rm ${path}`);
    const conf = engineConf(facts.conf, host.name);
    if ('kind' in conf) return conf;
    const isThere = (scope: Scope) =>
      scope === 'files' ||
      ((scope === 'grafanadb' ? facts.grafana.value !== undefined : conf.access.some((one) => one.scope === scope)) &&
        conf.enabled.includes(DATABASES.find((one) => one.scope === scope)?.key ?? ''));
    const missing = params.scopes.find((scope) => !isThere(scope));
    if (missing)
      return blocked(
        `${missing} is not set up on ${host.name}: engine-backup would leave it out and still end well`,
        `See ${DATABASES.find((one) => one.scope === missing)?.key} in /etc/ovirt-engine-setup.conf.d; take ${missing} out of scopes where that is right.`,
      );
    const scopes = SCOPES.filter((scope) => (params.scopes.length === 0 ? isThere(scope) : params.scopes.includes(scope)));
    const { folders, predicts } = foldersToMake(facts.folders, path);
    const log = params.log ?? `/var/log/ovirt-engine-backup/${path.slice(path.lastIndexOf('/') + 1)}.log`;
    const left = SCOPES.filter((scope) => !scopes.includes(scope) && params.scopes.length === 0);
    return change<Undo, Data>({
      summary: `save ${scopes.join(', ')} to ${path} by ${tool}${left.length === 0 ? '' : `; not set up: ${left.join(', ')}`}`,
      predicts: [...predicts, facts.file.becomes({ type: 'file', mode: '0600', owner: 'root', group: 'root', sizeBytes: null })],
      outputs: { path, sha256: unknown('SHA-256 of it'), bytes: unknown('its size'), scopes, log },
      undo: { path, folders },
      undoSummary: 'remove it',
      data: { tool, scopes, version, fqdn: conf.fqdn, folders, log },
      memory: conf.access,
    });
  },
  async apply({ on, params, change: { data, memory } }) {
    const { path } = params;
    const { tool, scopes, version, fqdn, log } = data;
    const access = memory as Parameters<typeof passFile>[0];
    const wish = {
      ...{ path, log, scopes, format: params.dumpFormat, compressor: params.dumpCompressor },
      ...{ archiveCompressor: params.archiveCompressor, filesCompressor: params.filesCompressor },
    };
    await on.change('folders', makeFolders(data.folders));
    const [script, secrets] =
      tool === 'ferry'
        ? [ferryBackupScript(wish, { version, fqdn, access }), { secrets: { pgpass: passFile(access) } }]
        : [engineBackupScript(wish), {}];
    const progress = sh`stat -c %s -- ${`${path}.part`}`;
    const done = await on.detached('backup', script, { note: 'saving', progress, ...secrets }).catch((thrown: unknown) => {
      if (!isFerryError(thrown, 'COMMAND_FAILED')) throw thrown;
      const said = lastLines(String(thrown.args.output), 40);
      const why = /FATAL: (.*)/.exec(said)?.[1] ?? lastLines(said, 3);
      const left = `There is no ${path} on ${on.name}; the databases and files are as they were.`;
      throw new FerryError('BACKUP_FAILED', { host: on.name, tool, why, log }, { cause: thrown, left });
    });
    const [, sha256 = '', bytes = ''] = /^ferry-backup ([0-9a-f]{64}) (\d+)$/m.exec(done.stdout) ?? [];
    const members = [...done.stdout.matchAll(/^ferry-member (.*)$/gm)].map(([, name]) => name);
    const missing = scopes.map(memberOf).filter((member) => !members.includes(member));
    if (missing.length > 0)
      throw new FerryError(
        'BACKUP_INCOMPLETE',
        { host: on.name, file: path, missing: missing.join(', ') },
        { left: `${path} stays there.` },
      );
    return { path, sha256, bytes: Number(bytes), scopes, log };
  },
  async rollback({ on, undo: { path, folders } }) {
    await on.change('remove', sh`rm -rf -- ${path} ${`${path}.part`} ${`${path}.work`} || exit 1\n${removeFolders(folders)}`);
  },
  preview: madeFilePreview<Undo>(),
  examples: [
    { title: 'Everything, by engine-backup', with: { path: '/var/lib/ovirt-engine-backup/engine.backup' } },
    {
      title: 'Two databases, by Ferry',
      with: { tool: 'ferry', path: '/var/lib/ferry-backup/two.backup', scopes: ['db', 'dwhdb'] },
    },
  ],
});
