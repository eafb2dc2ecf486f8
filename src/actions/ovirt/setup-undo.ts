import { fileTree } from '../../facts/file-tree.ts';
import type { unitState } from '../../facts/unit-state.ts';
import type { ActingHost } from '../../hosts/host.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import type { ActContext, DiffLine } from '../action.ts';
import { actOnUnits, setEnabled, type UnitsUndo, unitsPreview } from '../service/units.ts';
import { undoPreview } from '../undo-preview.ts';

export type SetupUndo = { paths: string[]; units: UnitsUndo };

/**
 * A script that brings a file or a folder, with all that is in it, back to what was kept, in one rename; to nothing where nothing was. Bytes are
 * kept before anything is done: where none were, nothing was done.
 */
export function treeBackScript(path: string, kept: string): Sh {
  return sh`set -eu; f=${path}; k=${kept}; t="$f.ferry-part"; rm -rf -- "$t"
if [ ! -e "$k" ] && [ ! -L "$k" ]; then [ ! -e "$k.absent" ] || rm -rf -- "$f"; exit 0; fi
mkdir -p -- "\${f%/*}/"; cp -a -- "$k" "$t"; rm -rf -- "$f"; mv -nT -- "$t" "$f"; sync -f "\${f%/*}/"`;
}

export async function treesBack(on: ActingHost, paths: readonly string[], kept: ActContext['kept'], name = ''): Promise<void> {
  for (const [index, path] of paths.entries())
    await on.change(`${name}tree-${index}`, treeBackScript(path, kept(on.name, `tree-${index}`)));
}

/** Units stand still while their files change, and read the old ones when they start again. */
export async function takeSetupBack({
  on,
  undo: { paths, units },
  ctx,
}: {
  on: ActingHost;
  undo: SetupUndo;
  ctx: Pick<ActContext, 'kept'>;
}): Promise<void> {
  await actOnUnits(on, 'stop', [...units.stop, ...units.start], units.waitMs);
  await treesBack(on, paths, ctx.kept);
  await setEnabled(on, 'enable', units.enable);
  await setEnabled(on, 'disable', units.disable);
  await actOnUnits(on, 'start', units.start, units.waitMs);
}

export const setupPreview = undoPreview({
  facts: ({ paths, units }: SetupUndo, site) => ({
    units: unitsPreview.facts(units, site) as ReturnType<ReturnType<typeof unitState>['on']>[],
    trees: paths.map((path, index) => ({
      now: fileTree(path).on(site.host),
      kept: fileTree(site.kept(`tree-${index}`)).on(site.host),
      absent: fileTree(`${site.kept(`tree-${index}`)}.absent`).on(site.host),
    })),
  }),
  look({ paths, units }, facts, site) {
    const ofUnits = unitsPreview.look(units, facts.units, site);
    const trees = facts.trees.flatMap(({ now, kept, absent }, index) => {
      const path = paths[index] ?? '';
      if (kept.absent)
        return absent.absent || now.absent
          ? []
          : [{ line: ['-', `${path} (all of it)`] as DiffLine, predicts: now.becomesAbsent() }];
      if (!kept.value || JSON.stringify(kept.value) === JSON.stringify(now.value)) return [];
      return [
        {
          line: ['~', `${path} `, now.absent ? 'not there' : 'as engine-setup left it', 'as it was'] as DiffLine,
          predicts: now.becomes(kept.value),
        },
      ];
    });
    return {
      ...ofUnits,
      diff: [...trees.map(({ line }) => line), ...ofUnits.diff],
      predicts: [...trees.map(({ predicts }) => predicts), ...(ofUnits.predicts ?? [])],
    };
  },
});
