import { nowMs } from '../lib/clock.ts';
import type { Step } from '../runbook/runbook.ts';
import { type RunContext, titleOf } from './run-context.ts';

/** Tells that a step was begun, or joined again. */
export function started(
  context: RunContext,
  step: Step,
  host: string,
  attempt: number,
  summary: string,
  reattached: boolean,
): void {
  context.emit({ type: 'step.started', step: step.id, host, attempt, title: titleOf(step), summary, reattached });
}

/** Tells how a step came to its end; not for failures. */
export function ended(
  context: RunContext,
  step: Step,
  host: string,
  outcome: 'ok' | 'no-change' | 'skipped',
  summary: string,
  startedMs: number,
): void {
  const { outputs } = context.stepState(step.id);
  context.emit({ type: 'step.ended', step: step.id, host, outcome, summary, ms: nowMs() - startedMs, outputs, error: null });
}
