import type { RunPhase } from '../engine/state.ts';
import { createPaint, type Page } from './paint.ts';

/** The commands that lead on from a run, by where it stands. */
export function waysOn(run: string, phase: RunPhase, page: Page, crossed = false, reason?: string, isCleaned = false): string[] {
  const paint = createPaint(page);
  const lossy = crossed ? '   (gives up what was written since the write line)' : '';
  const line = (what: string, command: string, note = '') => `${what.padEnd(9)}${paint.command(command)}${note}`;
  switch (phase) {
    case 'running':
      return [
        line('go on', `ferry resume ${run}`, '   (when no Ferry works on it any more)'),
        line('go back', `ferry rollback ${run} --plan`, lossy),
      ];
    case 'paused':
      return [
        reason === 'drift'
          ? line('go on', `ferry resume ${run} --replan`, '   (plans on what is there now)')
          : line('go on', `ferry resume ${run}`),
        line('go back', `ferry rollback ${run} --plan`, lossy),
      ];
    case 'rolling-back':
      return [line('go on', `ferry rollback ${run}`, '   (goes on with what is left of it)')];
    case 'finished':
      // What its way back needs is gone from the hosts.
      if (isCleaned) return [];
      return [line('go back', `ferry rollback ${run} --plan`, lossy)];
    default:
      return [];
  }
}
