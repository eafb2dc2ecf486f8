import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { nowMs } from '../lib/clock.ts';
import type { Step } from '../runbook/runbook.ts';
import { rollbackDue } from './after-failure.ts';
import { cancelledStep } from './cancel-step.ts';
import { decide } from './decide.ts';
import { acceptMoved } from './drift.ts';
import type { ErrorReport } from './events.ts';
import { refuseOtherMachines, releaseLeases, takeLeases } from './leases.ts';
import { isOutOfSight } from './out-of-sight.ts';
import { performStep } from './perform.ts';
import { recallSecrets } from './recall.ts';
import type { RunContext } from './run-context.ts';
import { settleStep } from './settle.ts';

/** How a stretch of work on a run ended. */
export interface Ending {
  readonly outcome: 'finished' | 'paused' | 'failed' | 'refused' | 'rolled-back';
  readonly error: ErrorReport | null;
  readonly exit: number;
}

/**
 * Works on a run from where its journal stands until it is finished, fails, waits for a person, or is told to stop. Steps
 * that do not need one another run side by side; after a failure none is begun, and those under way come to their end.
 */
export async function executeRun(
  context: RunContext,
  options: {
    until?: string | undefined;
    resumed: boolean;
    replan?: boolean | undefined;
    /** A run that fails is rolled back by itself after so long; that is said with the pause. */
    rollBackAfterMs?: number | null;
  },
): Promise<Ending> {
  const startedMs = nowMs();
  try {
    if (options.resumed) context.record('run.resumed', { body: { by: context.ports.holder } });
    if (options.resumed) await refuseOtherMachines(context);
    await takeLeases(context);
    if (options.resumed) await recallSecrets(context);
    if (options.replan) await acceptMoved(context);
  } catch (thrown) {
    return refuse(context, thrown, options.resumed);
  }
  context.emit({ type: 'run.started', plan: context.state.plan, resumed: options.resumed, done: doneSteps(context) });
  const failure = await workThrough(context, options.until);
  if (failure) return pause(context, failure, options.rollBackAfterMs);
  const decision = decide(context.state, context.ports.runbook, options.until);
  if (!decision.finished) {
    const reason = decision.atUntil ? 'until' : 'interrupt';
    context.record('run.paused', { body: { reason, step: null, error: null } });
    context.emit({ type: 'run.paused', reason, step: null, error: null });
    return { outcome: 'paused', error: null, exit: reason === 'until' ? 0 : 3 };
  }
  context.record('run.finished');
  await releaseLeases(context);
  context.emit({ type: 'run.finished', ms: nowMs() - startedMs, steps: context.state.steps.size });
  return { outcome: 'finished', error: null, exit: 0 };
}

interface Failure {
  readonly step: Step;
  readonly thrown: unknown;
}

async function workThrough(context: RunContext, until: string | undefined): Promise<Failure | null> {
  const { floor, ports } = context;
  const underWay = new Map<string, Promise<void>>();
  const waits = new Map<string, Failure>();
  let failure: Failure | null = null;
  floor.gatesOff = new AbortController();
  for (;;) {
    const decision = decide(context.state, ports.runbook, until);
    for (const checkpoint of decision.reached) {
      context.record('checkpoint.reached', { body: { checkpoint } });
      context.emit({ type: 'checkpoint.reached', checkpoint });
    }
    if (!failure && !ports.signal.aborted && !floor.gatesOff.signal.aborted) {
      for (const step of decision.ready.filter(({ id }) => !underWay.has(id) && !waits.has(id))) {
        floor.underWay += 1;
        const work = doStep(context, step)
          .catch((thrown: unknown) => cancelledStep(context, step, thrown).then((found) => Promise.reject(found)))
          .catch((thrown: unknown) => {
            // What nobody has answered yet holds up only what comes after it.
            if (isFerryError(thrown, 'GATE_WAITS')) return void waits.set(step.id, { step, thrown });
            // Nobody is to answer for hours what a failure has stopped.
            floor.gatesOff.abort();
            failure = failed(context, failure, { step, thrown });
          })
          .finally(() => {
            floor.underWay -= 1;
            underWay.delete(step.id);
          });
        underWay.set(step.id, work);
      }
    }
    if (underWay.size === 0) return failure ?? waits.values().next().value ?? null;
    await Promise.race(underWay.values());
  }
}

/**
 * The failure that the run pauses on: the first. One that comes side by side with it must be on record all the same; where
 * another controller has taken the run over, nothing goes on record any more, and that is what ends the work.
 */
function failed(context: RunContext, first: Failure | null, next: Failure): Failure {
  if (first === null || isFerryError(next.thrown, 'JOURNAL_FENCED')) return next;
  try {
    recordFailure(context, next.step, next.thrown);
    return first;
  } catch (thrown) {
    return { step: next.step, thrown };
  }
}

async function doStep(context: RunContext, step: Step): Promise<void> {
  const { phase } = context.stepState(step.id);
  if (phase === 'doubt' || phase === 'failed' || phase === 'applied') await settleStep(context, step);
  else await performStep(context, step);
}

/**
 * Puts a step's failure on record and tells it; a gate nobody has answered is no failure. A step that was begun and is out of
 * sight is in doubt as before: resume settles it by what it left on its hosts.
 */
function recordFailure(context: RunContext, step: Step, thrown: unknown): ErrorReport {
  const state = context.stepState(step.id);
  const begun = state.phase === 'doubt' || state.phase === 'applied' || state.phase === 'failed';
  const outcome = begun && isOutOfSight(thrown) ? 'unknown' : 'failed';
  const host = context.hostOfRole(step.role).name;
  const doneCount = doneSteps(context).length;
  const left = begun
    ? `Step ${step.id} may be half done on ${state.hosts.join(' and ')}; what undoes it is on record. ${doneCount} of ${context.state.steps.size} steps are done and stay so.`
    : `Step ${step.id} changed nothing on ${host}. ${doneCount} of ${context.state.steps.size} steps are done and stay so.`;
  const error = context.report(thrown, left);
  // The journal itself may be what failed; then nothing more can be recorded, and the step is in doubt until resume.
  if (isFerryError(thrown, 'JOURNAL_UNWRITABLE')) return error;
  if (begun) context.record('step.failed', { step: step.id, host, body: { error, attempt: state.attempt, outcome } });
  if (!isGate(thrown))
    context.emit({
      type: 'step.ended',
      step: step.id,
      host,
      outcome,
      summary: state.summary,
      ms: 0,
      outputs: {},
      error,
    });
  return error;
}

/** @throws JOURNAL_FENCED when the run was taken over meanwhile */
function pause(context: RunContext, { step, thrown }: Failure, rollBackAfterMs?: number | null): Ending {
  if (isFerryError(thrown, 'JOURNAL_FENCED')) throw thrown;
  const error = recordFailure(context, step, thrown);
  if (isFerryError(thrown, 'JOURNAL_UNWRITABLE')) return { outcome: 'failed', error, exit: 1 };
  const gate = isGate(thrown);
  const cancelled = isFerryError(thrown, 'STEP_CANCELLED');
  const drift = isFerryError(thrown, 'FACT_DRIFTED') || isFerryError(thrown, 'PLAN_CHANGED');
  const reason = gate ? 'gate' : drift ? 'drift' : cancelled ? 'interrupt' : 'failure';
  const isFailure = !gate && !cancelled;
  const rollbackAt = isFailure ? rollbackDue(context, rollBackAfterMs) : null;
  context.record('run.paused', { body: { reason, step: step.id, error, rollbackAt } });
  context.emit({ type: 'run.paused', reason, step: step.id, error });
  if (rollbackAt) context.emit({ type: 'rollback.due', rollbackAt });
  else if (rollBackAfterMs && isFailure)
    context.emit({ type: 'note', text: 'Not rolled back by itself: the write line is crossed.' });
  return { outcome: isFailure ? 'failed' : 'paused', error, exit: isFerryError(thrown) ? thrown.exit : 1 };
}

/** Whether it is a person that a step stopped for. */
function isGate(thrown: unknown): boolean {
  return isFerryError(thrown, 'GATE_WAITS') || isFerryError(thrown, 'GATE_REJECTED');
}

function refuse(context: RunContext, thrown: unknown, resumed: boolean): Ending {
  const error = context.report(thrown, 'Nothing was changed.');
  if (resumed) context.record('run.paused', { body: { reason: 'failure', step: null, error } });
  else context.record('run.refused', { body: { error } });
  return { outcome: 'refused', error, exit: thrown instanceof FerryError ? thrown.exit : 1 };
}

function doneSteps(context: RunContext): string[] {
  return [...context.state.steps.values()].filter(({ phase }) => phase === 'done' || phase === 'skipped').map(({ step }) => step);
}
