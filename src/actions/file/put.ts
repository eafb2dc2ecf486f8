import { z } from 'zod';
import { FerryError } from '../../errors/ferry-error.ts';
import { contentOf } from '../../facts/file-content.ts';
import { fileStat } from '../../facts/file-stat.ts';
import { reveal, Secret } from '../../hosts/secret.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { fileDiff } from '../file-diff.ts';
import { fileBack, fileBackFacts } from '../file-preview.ts';
import { keepsOf } from '../kept-room.ts';
import { absolutePath, octalMode, secretText, userName } from '../params.ts';
import { pathBecomes, pathFacts, pathKeys } from '../path-facts.ts';
import { type FileUndo, putFileBack, replaceFile, restoreFile } from '../replace-file.ts';
import { undoPreview } from '../undo-preview.ts';

type PutUndo = FileUndo & { isSecret: boolean };

export default defineAction({
  summary: 'Put a file with the given content, mode and owner.',
  description:
    'The bytes travel by stdin and the file is replaced in one go. What was there before is kept on the host for rollback.',
  undone: 'The file has its former bytes, mode and owner back; a file made here is removed.',
  params: z.strictObject({
    path: absolutePath().describe('Where the file goes; its folder must be there.'),
    content: secretText().describe('The whole content; may hold secrets, and is then never shown.'),
    mode: octalMode().default('0600').describe('Its mode.'),
    owner: userName().default('root').describe('Its owner.'),
    group: userName().default('root').describe('Its group.'),
  }),
  outputs: { path: 'The file.' },
  facts: ({ host }, { path }) => ({ ...pathFacts(host.name, path), parent: fileStat(parentOf(path)).on(host.name) }),
  touches: ({ path, mode }, role) => ({
    changes: pathKeys(path, role),
    effects: [
      { does: 'make-file', role, path, how: 'given', mode, content: 'content' },
      { does: 'configure', role, path, keys: [] },
    ],
  }),
  plan({ path, content, mode, owner, group }, facts, { host }) {
    const parent = facts.parent.value;
    if (!parent)
      return blocked(
        `the folder ${parentOf(path)} is not there on ${host.name}`,
        `On ${host.name}:  mkdir -p ${parentOf(path)}   or make it in an earlier step.`,
      );
    if (parent.type === 'file' || parent.type === 'other')
      return blocked(`${parentOf(path)} on ${host.name} is no folder`, 'Check the path.');
    const before = facts.content.value;
    const next = contentOf(reveal(content), { mode, owner, group });
    // Two files over the limit cannot be compared here, so the step writes again.
    const same = before && next.base64 !== null && before.base64 === next.base64;
    if (same && before.mode === mode && before.owner === owner && before.group === group)
      return noChange(`${path} is as wanted`, { outputs: { path } });
    const undo: PutUndo = {
      isSecret: content instanceof Secret,
      path,
      was: before ? { mode: before.mode, owner: before.owner, group: before.group } : null,
    };
    return change({
      summary: `${before ? 'replace' : 'make'} ${path} (${formatBytes(next.sizeBytes)}, ${mode} ${owner}:${group})`,
      diff: fileDiff(before, next, content instanceof Secret),
      predicts: pathBecomes(facts, path, next),
      outputs: { path },
      undo,
      undoSummary: before ? 'the old bytes' : 'remove it',
      keep: before ? [{ name: 'before', host: host.name, path }] : [],
    });
  },
  preflight: ({ path }, ask, { host }) => ({ keeps: keepsOf([path], ask, host) }),
  async apply({ on, params: { path, content, mode, owner, group } }) {
    if (!(content instanceof Secret) && typeof content !== 'string')
      throw new FerryError('INTERNAL', { what: 'file.put without content' });
    await replaceFile(on, 'put', path, content, { mode, owner, group });
  },
  rollback: restoreFile,
  putBack: putFileBack,
  preview: undoPreview({
    facts: ({ path }: PutUndo, { host, kept }) => fileBackFacts(host, path, kept('before')),
    // Whether the content is secret is known to the step alone.
    look: (undo, facts) => fileBack(undo, facts, (now, before) => fileDiff(now, before, undo.isSecret)),
  }),
  examples: [
    {
      title: 'A password file for psql',
      with: { path: '/root/.pgpass', content: 'newdb:5432:engine:engine:${{ inputs.password }}\n' },
    },
    {
      title: 'A drop-in everybody may read',
      with: { path: '/etc/sysctl.d/90-db.conf', content: 'vm.swappiness = 1\n', mode: '0644' },
    },
  ],
});

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
