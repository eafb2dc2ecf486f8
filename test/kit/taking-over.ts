import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Taken } from '../../src/cli/contract.ts';
import { takeOverHere } from '../../src/cli/takeover.ts';
import { takeOverFrom } from '../../src/cli/takeover-from.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { ModelRun } from './model-run.ts';

export const inventoryOfModel = join(mkdtempSync(join(tmpdir(), 'ferry-taking-over-')), 'inventory.yaml');
writeFileSync(
  inventoryOfModel,
  'ferry: 1\nhosts: { a: { connection: local }, b: { connection: local }, c: { connection: local } }\n',
);
const common = { inventory: inventoryOfModel, inputs: new Map(), secrets: new Map(), roles: new Map(), yes: false, json: false };

interface More {
  readonly without?: readonly string[];
  readonly yes?: boolean;
  readonly inventory?: string;
  /** Where no lease tells which. */
  readonly run?: string;
  ask?(question: string): Promise<boolean>;
}

/** `ferry takeover` of a model run, with the state folder of its first controller. */
export function takeOver(
  run: ModelRun,
  { without = [], ask, yes = false }: More = {},
  journal: Journal = run.journal,
): Promise<Taken | null> {
  run.world.dead = false;
  return takeOverHere('r-model', { ...common, yes, without }, journal, ask, () => run.world);
}

/** `ferry takeover --from HOST`, into a journal that knows what it knows. */
export function takeFrom(
  run: ModelRun,
  from: string,
  journal: Journal,
  { without = [], ask, yes = false, inventory = inventoryOfModel, run: named }: More = {},
): Promise<Taken | null> {
  run.world.dead = false;
  return takeOverFrom(named, { ...common, inventory, yes, from, without }, journal, ask, () => run.world);
}
