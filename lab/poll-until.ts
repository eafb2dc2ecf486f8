import { setTimeout as pause } from 'node:timers/promises';
import { LabError } from './lab-error.ts';

const STEP_MS = 40;

/**
 * Asks `condition` again and again until it gives something other than undefined or false, and gives that.
 * @throws LabError after `timeoutMs`, naming what was waited for and what `missing` says about it.
 */
export async function pollUntil<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  wait: { what: string; timeoutMs: number; hint?: string; missing?: () => string },
): Promise<T> {
  const end = performance.now() + wait.timeoutMs;
  for (;;) {
    const got = await condition();
    if (got !== undefined && got !== false) return got;
    if (performance.now() > end) {
      const why = wait.missing ? ` (${wait.missing()})` : '';
      throw new LabError(
        `Waited ${wait.timeoutMs / 1000} s for ${wait.what}, in vain${why}. What runs was left running.`,
        wait.hint ?? 'ferry lab status',
      );
    }
    await pause(STEP_MS);
  }
}
