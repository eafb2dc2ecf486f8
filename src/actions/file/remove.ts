import { z } from 'zod';
import { type ConfigFile, configFiles, patternAround } from '../../facts/config-files.ts';
import type { Fact, Prediction } from '../../facts/fact.ts';
import { type FileStat, fileStat } from '../../facts/file-stat.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { joinSh, sh } from '../../hosts/sh.ts';
import { type ActContext, blocked, change, type DiffLine, defineAction, noChange } from '../action.ts';
import { pathWithSize } from '../file-preview.ts';
import { keepsOf } from '../kept-room.ts';
import { removeFolders } from '../made-folders.ts';
import { absolutePath } from '../params.ts';
import type { Ownership } from '../replace-file.ts';
import { undoPreview } from '../undo-preview.ts';
import { emptiedFolders, emptyFacts } from './emptied-folders.ts';

type RemoveUndo = {
  paths: { path: string; keep: string }[];
  /** Outermost first; none in what was recorded before there were any. */
  folders?: ({ path: string } & Ownership)[];
};

export default defineAction({
  summary: 'Remove files, or folders with all that is in them.',
  description: 'What is removed is kept on the host, and stays kept after the run, until somebody removes it.',
  undone: 'What was removed comes back from the bytes kept on the host, with mode and owner.',
  params: z.strictObject({
    paths: z.array(absolutePath()).describe('What to remove. Links are removed themselves, not what they name.'),
    keep: z
      .boolean()
      .default(true)
      .describe('Keep what is removed for a rollback. With false it does not come back: for what the run itself made.'),
    recursive: z.boolean().default(false).describe('Allow folders among the paths.'),
    emptyFolders: z
      .array(absolutePath())
      .default([])
      .describe(
        'Folders that go too where nothing else is in them then: `folders` of the step that made a file are those that were made for it.',
      ),
  }),
  outputs: { removed: 'Paths that were there.' },
  facts: ({ host }, { paths, emptyFolders }) => ({
    stats: paths.map((path) => fileStat(path).on(host.name)),
    folders: paths.map((path) => patternsOf(path).map((pattern) => configFiles(pattern).on(host.name))),
    empty: emptyFacts(host.name, emptyFolders, paths),
  }),
  touches: ({ paths, keep, emptyFolders }, role) => ({
    effects: paths.map((path) => ({ does: 'remove-file', role, path, kept: keep })),
    changes: [
      ...paths.flatMap((path) => [fileStat.key(path), ...patternsOf(path).map(configFiles.key)]),
      ...emptyFolders.map((path) => fileStat.key(path)),
    ].map((key) => [role, key] as const),
  }),
  plan({ paths, keep: isKept, recursive, emptyFolders }, facts, { host, earlier }) {
    const guarded = paths.find(isGuarded);
    if (guarded) return blocked(`${guarded} belongs to the system and is never removed`, 'Name what is to go inside it.');
    const there = paths.filter((_, index) => !facts.stats[index]?.absent);
    const folder = paths.find((_, index) => facts.stats[index]?.value?.type === 'folder');
    if (folder && !recursive)
      return blocked(`${folder} on ${host.name} is a folder`, 'Set recursive: true to remove it with all that is in it.');
    const removed = paths.filter((path) => there.includes(path) || earlier?.undo.paths.some((one) => one.path === path));
    const { going, staying } = emptiedFolders(emptyFolders, facts.empty);
    const words = [...there, ...going.map(({ path }) => `${path}/`)].join(', ');
    if (words === '') return noChange(paths.length === 0 ? 'nothing to remove' : 'not there', { outputs: { removed } });
    const undo: RemoveUndo = {
      paths: isKept ? there.map((path) => ({ path, keep: `path-${paths.indexOf(path)}` })) : [],
      folders: isKept ? going.map(({ path, stat }) => ({ path, ...ownershipOf(stat.value) })) : [],
    };
    return change({
      summary: `remove ${words}`,
      diff: staying.map((path): DiffLine => [' ', `${path}/ stays: other things are in it`]),
      predicts: [
        ...[...facts.stats, ...going.map(({ stat }) => stat)].map((fact) => fact.becomesAbsent()),
        ...foldersWithout(paths, facts.folders.flat()),
      ],
      outputs: { removed },
      undo,
      undoSummary: isKept ? `put back ${words}` : 'none: nothing of it is kept',
      data: { paths: there, folders: going.map(({ path }) => path) },
      keep: undo.paths.map(({ path, keep }) => ({ name: keep, host: host.name, path })),
    });
  },
  preflight: ({ paths, keep }, ask, { host }) => (keep ? { keeps: keepsOf(paths, ask, host) } : {}),
  async apply({ on, change: { data } }) {
    await on.change('remove', sh`rm -rf -- ${data.paths} || exit 1\n${removeFolders(data.folders)}`);
  },
  rollback: putBack,
  preview: undoPreview({
    facts: ({ paths, folders = [] }: RemoveUndo, { host, kept }) => ({
      paths: paths.map(({ path, keep }) => ({ now: fileStat(path).on(host), kept: fileStat(kept(keep)).on(host) })),
      folders: folders.map(({ path }) => fileStat(path).on(host)),
    }),
    look({ paths, folders = [] }, facts) {
      const made = folders.flatMap(({ path, ...has }, index) => {
        const now = facts.folders[index];
        return now?.absent ? [{ now, was: { type: 'folder', ...has, sizeBytes: null } satisfies FileStat, path }] : [];
      });
      const files = facts.paths.flatMap(({ now, kept }, index) =>
        now.absent && kept.value ? [{ now, was: kept.value, path: paths[index]?.path ?? '' }] : [],
      );
      const back = [...made, ...files];
      return {
        diff: back.map(({ path, was }) => ['+', pathWithSize(path, was)] as const),
        predicts: back.map(({ now, was }) => now.becomes(was)),
      };
    },
  }),
  examples: [{ title: 'Take a dump away', with: { paths: ['/var/tmp/engine.dump'] } }],
});

/**
 * Puts back what is not there as it was kept, each path in one rename. Bytes are kept before anything is removed: where none
 * were, nothing was done.
 */
async function putBack({ on, undo, ctx }: { on: ActingHost; undo: RemoveUndo; ctx: Pick<ActContext, 'kept'> }): Promise<void> {
  const folders = undo.folders ?? [];
  if (folders.length > 0)
    await on.change(
      'make-folders',
      joinSh(
        folders.map(
          ({ path, mode, owner, group }) =>
            sh`[ -d ${path} ] || { mkdir -m 0700 -- ${path} && chown ${`${owner}:${group}`} -- ${path} && chmod ${mode} -- ${path}; } || exit 1`,
        ),
      ),
    );
  for (const { path, keep } of undo.paths) {
    // A folder may have lost some of its members, so it is replaced as a whole.
    await on.change(
      `put-back-${keep}`,
      sh`set -eu; f=${path}; k=${ctx.kept(on.name, keep)}; t="$f.ferry-part"
[ -e "$k" ] || [ -L "$k" ] || exit 0
if [ -d "$f" ] && [ ! -L "$f" ]; then :; elif [ -e "$f" ] || [ -L "$f" ]; then exit 0; fi
rm -rf -- "$t"; cp -a -- "$k" "$t"; rm -rf -- "$f"; mv -nT -- "$t" "$f"; sync -f "\${f%/*}/"`,
    );
  }
}

function ownershipOf(stat: FileStat | undefined): Ownership {
  return { mode: stat?.mode ?? '0700', owner: stat?.owner ?? 'root', group: stat?.group ?? 'root' };
}

/** Several paths may be in one drop-in folder, whose list loses all of them. */
function foldersWithout(paths: readonly string[], folders: readonly Fact<readonly ConfigFile[]>[]): Prediction[] {
  return folders.map((fact) => fact.becomes((fact.value ?? []).filter((file) => !paths.includes(file.path))));
}

function patternsOf(path: string): string[] {
  const pattern = patternAround(path);
  return pattern === null ? [] : [pattern];
}

const SYSTEM = [
  'bin',
  'boot',
  'dev',
  'etc',
  'home',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'media',
  'mnt',
  'opt',
  'proc',
  'root',
  'run',
  'sbin',
  'srv',
  'sys',
  'tmp',
  'usr',
  'var',
];

/** The root, its folders, and the folders of usr and var themselves are no thing a runbook removes. */
function isGuarded(path: string): boolean {
  const [first = '', second, ...rest] = path.slice(1).split('/');
  if (second === undefined) return first === '' || SYSTEM.includes(first);
  if (['proc', 'sys', 'dev'].includes(first)) return true;
  return (
    rest.length === 0 &&
    ['usr', 'var'].includes(first) &&
    ['bin', 'lib', 'lib64', 'sbin', 'share', 'local', 'log', 'cache', 'spool', 'tmp'].includes(second)
  );
}
