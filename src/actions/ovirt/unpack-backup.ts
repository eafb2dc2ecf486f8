import { z } from 'zod';
import { judgeBackup } from '../../archives/judge-backup.ts';
import { versionRefused } from '../../archives/version-rule.ts';
import { FerryError } from '../../errors/ferry-error.ts';
import { engineVersion } from '../../facts/engine-version.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { sh } from '../../hosts/sh.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { blocked, change, defineAction, type Site } from '../action.ts';
import { foldersToMake, makeFolders, parentFacts, removeFolders } from '../made-folders.ts';
import { unknown } from '../outputs.ts';
import { absolutePath } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';
import { backupScopes, memberOf, SCOPES } from './backup-scopes.ts';
import { placeUnpacked, seenOnHost, unpackScript } from './seen-on-host.ts';

type Undo = { into: string; folders: string[] };

export default defineAction({
  summary: 'Unpack an archive of engine-backup, and prove it whole before anything is restored from it.',
  description:
    'Checks what engine-backup checks, and what it does not: every hash, every dump read to its end (that of the data warehouse too), members that are missing, were put in or are unsafe, and that the installed version may restore it. Its `config` is read as data and never run. The folder is 0700; nothing else on the machine is touched.',
  undone: 'The folder is removed.',
  tools: ['tar', 'sha256sum', 'base64', 'od'],
  params: z.strictObject({
    path: absolutePath().describe('The archive.'),
    into: absolutePath().describe('The folder to make for what is in it.'),
    scopes: backupScopes().default([]).describe('What must be in it: files, db, dwhdb, keycloakdb, grafanadb.'),
    anyVersion: z.boolean().default(false).describe('Do not ask whether the installed version may restore it.'),
  }),
  outputs: {
    into: 'The folder.',
    version: 'Version of the engine that made it.',
    osVersion: 'System it was made on.',
    scopes: 'What is in it, among files, db, dwhdb, keycloakdb, grafanadb.',
    warnings: 'What is odd about it and no reason to refuse it.',
  },
  facts: ({ host }, { path, into }) => ({
    file: fileStat(path).on(host.name),
    folder: fileStat(into).on(host.name),
    parents: parentFacts(host.name, into),
    version: engineVersion().on(host.name),
  }),
  touches: ({ path, into }, role) => ({
    reads: [[role, fileStat.key(path)]],
    changes: [[role, fileStat.key(into)]],
    effects: [
      { does: 'need-file', role, path },
      { does: 'make-file', role, path: into, how: 'new' },
    ],
  }),
  plan({ path, into, anyVersion }, facts, { host, earlier }: Site & { readonly earlier: { readonly undo: Undo } | null }) {
    const file = facts.file.value;
    if (facts.file.read && file?.type !== 'file')
      return blocked(`there is no backup at ${path} on ${host.name}`, 'Bring it there first, for example with file.transfer.');
    if (facts.file.read && file?.sizeBytes === 0)
      return blocked(
        `${path} on ${host.name} is empty`,
        'engine-backup leaves an empty file when it fails. Take another backup.',
      );
    if (!facts.folder.absent && !earlier)
      return blocked(`${into} is there already on ${host.name}`, `Choose another folder, or:  rm -r ${into}`);
    if (!anyVersion && facts.version.absent)
      return blocked(
        `no engine is installed on ${host.name}`,
        'Install the packages of ovirt-engine first; a restore needs them.',
      );
    const { folders, predicts } = foldersToMake(facts.parents, into);
    return change<Undo, { folders: string[] }>({
      summary: `unpack ${path}${file?.sizeBytes == null ? '' : ` (${formatBytes(file.sizeBytes)})`} and prove it whole`,
      predicts: [
        ...predicts,
        facts.folder.becomes({ type: 'folder', mode: '0700', owner: 'root', group: 'root', sizeBytes: null }),
      ],
      outputs: {
        into,
        version: unknown('version that made it'),
        osVersion: unknown('system it was made on'),
        scopes: unknown('what is in it'),
        warnings: unknown('what is odd about it'),
      },
      undo: { into, folders },
      undoSummary: 'remove the folder',
      data: { folders },
      ...(file?.sizeBytes == null ? {} : { bytes: file.sizeBytes }),
    });
  },
  async apply({ on, params: { path, into, scopes, anyVersion }, change: { data } }) {
    await on.change('folders', makeFolders(data.folders));
    const { stdout } = await on.detached('unpack', unpackScript(path, into), { note: 'unpacking and verifying' });
    const seen = seenOnHost(stdout);
    const { findings } = judgeBackup(path, seen);
    const has = (member: string) => seen.members.some(({ name, sizeBytes }) => name === member && sizeBytes > 0);
    const version = seen.texts.get('version')?.trim() ?? null;
    const { stdout: installed } = await on.run(engineVersion().on(on.name).kind.script());
    const wrong = anyVersion || seen.fault ? null : versionRefused(version, installed.trim());
    const refused = [
      ...findings.filter(({ severity }) => severity === 'error').map(({ message }) => message),
      ...scopes
        .filter((scope) => !has(memberOf(scope)))
        .map((scope) => `It has no ${memberOf(scope)}, and ${scope} was asked for.`),
      ...(wrong === null ? [] : [`It cannot be restored here: ${wrong}.`]),
    ];
    if (refused.length > 0) {
      const list = refused.map((line) => `  ${line}`).join('\n');
      const left = `Nothing on ${on.name} was changed but a folder of its own, which the next attempt or a rollback removes.`;
      throw new FerryError('BACKUP_REFUSED', { host: on.name, file: path, count: refused.length, list }, { left });
    }
    await on.change('place', placeUnpacked(into));
    const inside = SCOPES.filter((scope) => has(memberOf(scope)));
    const osVersion = seen.texts.get('os_version')?.trim() ?? null;
    return { into, version, osVersion, scopes: inside, warnings: findings.map(({ message }) => message) };
  },
  async rollback({ on, undo: { into, folders } }) {
    await on.change('remove', sh`rm -rf -- ${into} ${`${into}.part`} || exit 1\n${removeFolders(folders)}`);
  },
  preview: undoPreview({
    facts: ({ into }: Undo, { host }) => ({ there: fileStat(into).on(host) }),
    look: ({ into }, { there }) =>
      there.absent ? { diff: [] } : { diff: [['-', `${into}/`]], predicts: [there.becomesAbsent()] },
  }),
  examples: [
    {
      title: 'Before a restore',
      with: { path: '/root/engine.backup', into: '/var/lib/ferry-engine-restore', scopes: ['files', 'db', 'dwhdb'] },
    },
  ],
});
