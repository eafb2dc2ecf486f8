import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { labUp } from '../lab/lab.ts';
import { readInventory } from '../src/cli/prepare.ts';
import type { Inventory } from '../src/inventory/inventory.ts';

/** The folder of the lab a bench measures on, FERRY_LAB_DIR or .lab: brought up unless it is, and left up. */
export async function labOfBench(): Promise<string> {
  const dir = process.env.FERRY_LAB_DIR ?? join(import.meta.dirname, '..', '.lab');
  await labUp({ dir, say: (line) => void process.stderr.write(`${line}\n`) });
  return dir;
}

/** The inventory of a lab. */
export async function inventoryOf(dir: string): Promise<Inventory> {
  return readInventory(join(dir, 'inventory.yaml'), dir);
}

/** How many milliseconds something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The middle one of an odd number of values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) / 2] ?? Number.NaN;
}

/** Prints a result and adds it to results.md, with the date and the version of Node. */
export function record(result: string): void {
  const line = `- ${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}: ${result}\n`;
  process.stdout.write(line);
  appendFileSync(join(import.meta.dirname, 'results.md'), line);
}
