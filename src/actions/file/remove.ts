import { z } from 'zod';
import { type ConfigFile, configFiles, patternAround } from '../../facts/config-files.ts';
import type { Fact, Prediction } from '../../facts/fact.ts';
import { fileStat } from '../../facts/file-stat.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { sh } from '../../hosts/sh.ts';
import { type ActContext, blocked, change, defineAction, noChange } from '../action.ts';
import { pathWithSize } from '../file-preview.ts';
import { keepsOf } from '../kept-room.ts';
import { absolutePath } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';

type RemoveUndo = { paths: { path: string; keep: string }[] };

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
  }),
  outputs: { removed: 'Paths that were there.' },
  facts: ({ host }, { paths }) => ({
    stats: paths.map((path) => fileStat(path).on(host.name)),
    folders: paths.map((path) => patternsOf(path).map((pattern) => configFiles(pattern).on(host.name))),
  }),
  touches: ({ paths, keep }, role) => ({
    effects: paths.map((path) => ({ does: 'remove-file', role, path, kept: keep })),
    changes: paths.flatMap((path) =>
      [fileStat.key(path), ...patternsOf(path).map(configFiles.key)].map((key) => [role, key] as const),
    ),
  }),
  plan({ paths, keep: isKept, recursive }, facts, { host, earlier }) {
    const guarded = paths.find(isGuarded);
    if (guarded) return blocked(`${guarded} belongs to the system and is never removed`, 'Name what is to go inside it.');
    const there = paths.filter((_, index) => !facts.stats[index]?.absent);
    const folder = paths.find((_, index) => facts.stats[index]?.value?.type === 'folder');
    if (folder && !recursive)
      return blocked(`${folder} on ${host.name} is a folder`, 'Set recursive: true to remove it with all that is in it.');
    const removed = paths.filter((path) => there.includes(path) || earlier?.undo.paths.some((one) => one.path === path));
    if (there.length === 0) return noChange(paths.length === 0 ? 'nothing to remove' : 'not there', { outputs: { removed } });
    const undo: RemoveUndo = { paths: isKept ? there.map((path) => ({ path, keep: `path-${paths.indexOf(path)}` })) : [] };
    return change({
      summary: `remove ${there.join(', ')}`,
      predicts: [...facts.stats.map((fact) => fact.becomesAbsent()), ...foldersWithout(paths, facts.folders.flat())],
      outputs: { removed },
      undo,
      undoSummary: isKept ? `put back ${there.join(', ')}` : 'none needed: the run made it',
      data: { paths: there },
      keep: undo.paths.map(({ path, keep }) => ({ name: keep, host: host.name, path })),
    });
  },
  preflight: ({ paths, keep }, ask, { host }) => (keep ? { keeps: keepsOf(paths, ask, host) } : {}),
  async apply({ on, change: { data } }) {
    await on.change('remove', sh`rm -rf -- ${data.paths}`);
  },
  rollback: putBack,
  preview: undoPreview({
    facts: ({ paths }: RemoveUndo, { host, kept }) =>
      paths.map(({ path, keep }) => ({ now: fileStat(path).on(host), kept: fileStat(kept(keep)).on(host) })),
    look({ paths }, facts) {
      const back = facts.flatMap(({ now, kept }, index) =>
        now.absent && kept.value ? [{ now, was: kept.value, path: paths[index]?.path ?? '' }] : [],
      );
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
