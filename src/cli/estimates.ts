import { timingsOf } from '../engine/timings.ts';
import type { Journal } from '../journal/journal.ts';
import { isoTime, nowMs } from '../lib/clock.ts';
import { type Estimate, estimatePlan } from '../plan/estimate.ts';
import type { Plan } from '../plan/plan.ts';
import type { CommonOptions, RunIo, RunOptions } from './contract.ts';
import { readJournal } from './state-dir.ts';

// Older ones were on other hardware, or of another size; and each has a whole plan in it to be read.
const RUNS = 12;
const HALF_A_DAY_MS = 12 * 3_600_000;

/** How long a plan will take, from what earlier runs on record took. */
export function estimateFrom(journal: Journal, plan: Plan): Estimate {
  const runs = journal.runs();
  const same = runs.filter(({ runbook }) => runbook === plan.runbook.name);
  const chosen = [...same, ...runs.filter((run) => !same.includes(run))].slice(0, RUNS);
  return estimatePlan(
    plan,
    chosen.flatMap(({ run }) => timingsOf(journal.read(run))),
  );
}

/** The same for a plan that is only looked at. */
export function estimateOf(plan: Plan, options: CommonOptions): Estimate {
  return readJournal(options, (journal) => estimateFrom(journal, plan));
}

/** When the time is over that was typed, now or `before`; null when none was. One that was over half a day ago was another night's. */
export function windowEnd({ windowMs }: Pick<RunOptions, 'windowMs'>, before: string | null = null): string | null {
  if (windowMs !== undefined) return isoTime(nowMs() + windowMs);
  return before !== null && Date.parse(before) > nowMs() - HALF_A_DAY_MS ? before : null;
}

/** Tells how long a run will take, before its first step. */
export function emitEstimate(io: RunIo, run: string, estimate: Estimate, windowEndsAt: string | null): void {
  io.emit({
    at: isoTime(),
    run,
    type: 'run.estimated',
    steps: estimate.steps.map(({ step, ms, undoMs }) => ({ step, ms, undoMs })),
    criticalPath: estimate.criticalPath,
    downtimeMs: estimate.downtimeMs,
    isGuess: estimate.isGuess,
    windowEndsAt,
  });
}
