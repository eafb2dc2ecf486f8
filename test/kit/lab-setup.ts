import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { labDown, labUp } from '../../lab/lab.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the tier's lab. */
    labDir: string;
  }
}

// Rows cost two minutes of a lane in all: what is about steps, not about rows, has few. The faults stay with the size they name.
const sizeOf = (tier: string) => (tier === 'faults' ? 10 : 1);

/** Gives a tier a lab of its own for as long as it runs. What a killed run left in the same place goes first. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = join(import.meta.dirname, '..', '..', `.lab-test-${project.name}`);
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const began = performance.now();
  await labDown({ dir, say });
  try {
    await labUp({ dir, sizeMb: sizeOf(project.name), say });
  } catch (thrown) {
    process.stderr.write(`${lines.join('\n')}\n`);
    throw thrown;
  }
  process.stdout.write(`${project.name}: lab up in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  project.provide('labDir', dir);
  return () => labDown({ dir, say });
}
