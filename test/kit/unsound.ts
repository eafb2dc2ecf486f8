import type { ModelRun } from './model-run.ts';

/**
 * All that is wrong with how the commands of a run were run, one line each: two at work at once of which one had to be dead
 * before the other began, what was done twice though nothing of it had died, and what is at work still though the run has come to
 * its end. Empty when all is well.
 */
export function unsound({ world: { commands } }: Pick<ModelRun, 'world'>): string[] {
  return [
    ...commands.overlaps.map((what) => `overlap: ${what}`),
    ...commands.doubled.map((what) => `doubled: ${what}`),
    ...commands.atWork().map((what) => `left at work: ${what}`),
  ];
}
