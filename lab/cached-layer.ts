import { existsSync } from 'node:fs';
import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeUnused } from './base-root.ts';
import { mustRun, runCommand } from './command.ts';
import { withLock } from './lock.ts';

/** Of each kind of layer; the kind is its name up to the first dash. */
const KEPT_LAYERS = 6;

/** How a cached file system layer is made when the cache does not have it. */
export type LayerRecipe = {
  /** Where it is kept; the name holds a digest of what it is made from. */
  readonly layer: string;
  /** The layers below it, the topmost first. */
  readonly lowers: readonly string[];
  /** Two builds with the same lock become one. */
  readonly lock: string;
  /** What people are told before; `done` after it, with the time. */
  readonly doing: string;
  readonly done: string;
  readonly say: (line: string) => void;
  /** Changes the mounted root; what it writes becomes the layer. */
  readonly make: (root: string) => Promise<void>;
};

/** Gives the layer's folder: built whole or not at all, and marked as used now. */
export async function cachedLayer(recipe: LayerRecipe): Promise<string> {
  const { layer, lock, say } = recipe;
  if (!existsSync(layer)) {
    await withLock(lock, say, async () => {
      if (!existsSync(layer)) await build(recipe);
    });
  }
  const now = new Date();
  await utimes(layer, now, now);
  return layer;
}

async function build({ layer, lowers, doing, done, say, make }: LayerRecipe): Promise<void> {
  const started = performance.now();
  say(doing);
  const building = join(dirname(layer), `.building-${basename(layer)}`);
  const root = join(building, 'root');
  // What a killed build left: its mount keeps the folder busy.
  await runCommand(['umount', '--quiet', root]);
  await rm(building, { recursive: true, force: true });
  for (const name of ['root', 'upper', 'work']) await mkdir(join(building, name), { recursive: true });
  const options = `lowerdir=${lowers.join(':')},upperdir=${building}/upper,workdir=${building}/work`;
  await mustRun(['mount', '-t', 'overlay', 'ferry-lab-seed', '-o', options, root], { doing: 'mount an overlay for a layer' });
  try {
    await make(root);
  } finally {
    await runCommand(['umount', root]);
  }
  await rename(join(building, 'upper'), layer);
  await rm(building, { recursive: true, force: true });
  await removeUnused(`${basename(layer).split('-')[0]}-`, KEPT_LAYERS, dirname(layer));
  say(`${done} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
