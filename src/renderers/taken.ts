import type { RunPhase } from '../engine/state.ts';
import { wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';
import { waysOn } from './ways-on.ts';

/** A run that was taken over. */
export interface Taken {
  readonly run: string;
  readonly phase: RunPhase;
  readonly epoch: number;
  /** Who worked on it before. */
  readonly from: string;
  /** Hosts on which that one can change nothing any more. */
  readonly fenced: readonly string[];
  /** Those of them on which a short command of it has not ended yet. */
  readonly busy: readonly string[];
  /** Whether newer runs have worked on its hosts since, so that it goes neither on nor back. */
  readonly isUnder?: boolean;
  /** What else is to be said, a sentence each. */
  readonly told: readonly string[];
}

/** What a takeover has done, and what leads on. */
export function takenText(taken: Taken, page: Page): string {
  const { run, phase, epoch, from, fenced, busy, told, isUnder } = shown(taken);
  const paint = createPaint(page);
  const ways = isUnder ? [] : waysOn(run, phase, page);
  const where =
    fenced.length === 0
      ? 'It had begun on no host.'
      : `The former controller changes nothing any more on ${fenced.join(', ')}; what it began there goes on.`;
  return [
    paint.good(`Taken over: ${run} (epoch ${epoch}) from ${from}.`),
    ...[where, ...told].flatMap((text) => wrapText(text, page.width)),
    ...busy.map((host) => paint.warn(`A short command of ${from} is still under way on ${host}; what comes next waits for it.`)),
    ...(ways.length > 0 ? ['', ...ways] : []),
  ].join('\n');
}
