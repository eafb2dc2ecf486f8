import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { nowMs } from '../lib/clock.ts';
import type { Step } from '../runbook/runbook.ts';
import { rollbackDue } from './after-failure.ts';
import { answerFailure } from './answer-failure.ts';
import { stepAtTurn } from './by-hand.ts';
import { cancelledStep } from './cancel-step.ts';
import { type Decision, decide } from './decide.ts';
import { acceptMoved } from './drift.ts';
import type { ErrorReport } from './events.ts';
import { refuseOtherMachines, releaseLeases, takeLeases } from './leases.ts';
import { markDone } from './mark-done.ts';
import { isOutOfSight } from './out-of-sight.ts';
import { refuseOvertaken } from './overtaken.ts';
import { performStep } from './perform.ts';
import { recallSecrets } from './recall.ts';
import type { RunContext } from './run-context.ts';
import { settleStep } from './settle.ts';
import { skipStep } from './skip-step.ts';

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
    /** A new end of the time it has. */
    readonly windowEndsAt?: string | null | undefined;
    /** A step at which the run stands and goes on without, or that somebody has done by hand. */
    skip?: { readonly step: string; readonly reason: string } | undefined;
    markDone?: string | undefined;
  },
): Promise<Ending> {
  const startedMs = nowMs();
  if (context.state.phase === 'finished') return giveBack(context, options.skip?.step ?? options.markDone, startedMs);
  try {
    if (options.resumed)
      context.record('run.resumed', { body: { by: context.ports.holder, windowEndsAt: options.windowEndsAt ?? null } });
    const there = options.resumed ? await refuseOtherMachines(context) : null;
    if (there) refuseOvertaken(context, there, { verb: 'resume', overNewer: false });
    await takeLeases(context);
    if (options.resumed) await recallSecrets(context);
    if (options.replan) await acceptMoved(context);
    // A Ferry that died before this has left them; once a step behind them is decided about it is too late.
    if (options.markDone !== undefined || options.skip)
      recordReached(context, decide(context.state, context.ports.runbook, undefined));
    if (options.markDone !== undefined) await markDone(context, stepAtTurn(context, options.markDone));
    if (options.skip) await skipStep(context, stepAtTurn(context, options.skip.step), options.skip.reason);
  } catch (thrown) {
    return refuse(context, thrown, options.resumed);
  }
  tellStarted(context, options.resumed);
  const stopped = await workThrough(context, options.until, options.rollBackAfterMs);
  if (stopped) return stopped;
  const decision = decide(context.state, context.ports.runbook, options.until);
  if (!decision.finished) {
    const reason = decision.atUntil ? 'until' : 'interrupt';
    context.record('run.paused', { body: { reason, step: null, error: null } });
    context.emit({ type: 'run.paused', reason, step: null, error: null });
    return { outcome: 'paused', error: null, exit: reason === 'until' ? 0 : 3 };
  }
  for (const { step, byHand } of context.state.steps.values())
    if (byHand)
      context.emit({
        type: 'note',
        text: `${step} was ${byHand.what} by ${byHand.by}${byHand.reason === null ? '' : `: ${byHand.reason}`}`,
      });
  context.record('run.finished');
  return endFinished(context, startedMs);
}

/**
 * Gives the hosts back that a finished run still holds, and does nothing else: others may have come onto those it gave back
 * before, and on record it stays finished, whatever comes of this.
 */
async function giveBack(context: RunContext, byHand: string | undefined, startedMs: number): Promise<Ending> {
  try {
    // Nothing of it is at turn any more.
    if (byHand !== undefined) stepAtTurn(context, byHand);
  } catch (thrown) {
    return { outcome: 'refused', error: context.report(thrown, ''), exit: thrown instanceof FerryError ? thrown.exit : 1 };
  }
  tellStarted(context, true);
  return endFinished(context, startedMs);
}

async function endFinished(context: RunContext, startedMs: number): Promise<Ending> {
  await releaseLeases(context);
  context.emit({ type: 'run.finished', ms: nowMs() - startedMs, steps: context.state.steps.size });
  return { outcome: 'finished', error: null, exit: 0 };
}

function tellStarted(context: RunContext, resumed: boolean): void {
  const { plan } = context.state;
  context.emit({ type: 'run.started', plan, resumed, done: doneSteps(context), skipped: skippedSteps(context) });
}

function recordReached(context: RunContext, { reached }: Pick<Decision, 'reached'>): void {
  for (const checkpoint of reached) {
    context.record('checkpoint.reached', { body: { checkpoint } });
    context.emit({ type: 'checkpoint.reached', checkpoint });
  }
}

interface Failure {
  readonly step: Step;
  readonly thrown: unknown;
  readonly error: ErrorReport;
}

async function workThrough(
  context: RunContext,
  until: string | undefined,
  rollBackAfterMs: number | null | undefined,
): Promise<Ending | null> {
  const { floor, ports } = context;
  const underWay = new Map<string, Promise<void>>();
  const waits = new Map<string, Failure>();
  let failures: Failure[] = [];
  floor.gatesOff = new AbortController();
  for (;;) {
    const decision = decide(context.state, ports.runbook, until);
    recordReached(context, decision);
    if (failures.length === 0 && !ports.signal.aborted && !floor.gatesOff.signal.aborted) {
      for (const step of decision.ready.filter(({ id }) => !underWay.has(id) && !waits.has(id))) {
        floor.underWay += 1;
        const work = doStep(context, step)
          .catch((thrown: unknown) => cancelledStep(context, step, thrown).then((found) => Promise.reject(found)))
          .catch((thrown: unknown) => {
            const failure = failed(context, step, thrown);
            // What nobody has answered yet holds up only what comes after it.
            if (isFerryError(failure.thrown, 'GATE_WAITS')) return void waits.set(step.id, failure);
            // Nobody is to answer for hours what a failure has stopped.
            floor.gatesOff.abort();
            failures.push(failure);
          })
          .finally(() => {
            floor.underWay -= 1;
            underWay.delete(step.id);
          });
        underWay.set(step.id, work);
      }
    }
    if (underWay.size > 0) await Promise.race(underWay.values());
    else if (failures.length === 0) {
      const [waiting] = waits.values();
      return waiting ? pause(context, waiting, rollBackAfterMs) : null;
    } else {
      const stopped = await decideOn(context, failures, rollBackAfterMs);
      if (stopped) return stopped;
      failures = [];
      // The questions that the failure took back are asked again.
      waits.clear();
      floor.gatesOff = new AbortController();
    }
  }
}

/**
 * A failure, put on record. Where that cannot be done, because another controller has taken the run over or the disk is full, this
 * is what ends the work.
 */
function failed(context: RunContext, step: Step, thrown: unknown): Failure {
  try {
    return { step, thrown, error: recordFailure(context, step, thrown) };
  } catch (worse) {
    return { step, thrown: worse, error: context.report(worse, '') };
  }
}

/**
 * What becomes of steps that failed, one after the other: null when the run goes on with all of them.
 * @throws JOURNAL_FENCED when the run was taken over meanwhile
 */
async function decideOn(
  context: RunContext,
  failures: readonly Failure[],
  rollBackAfterMs: number | null | undefined,
): Promise<Ending | null> {
  for (const { thrown } of failures) if (isFerryError(thrown, 'JOURNAL_FENCED')) throw thrown;
  for (const failure of failures) {
    const isTold = ['JOURNAL_UNWRITABLE', 'GATE_REJECTED', 'FACT_DRIFTED', 'STEP_CANCELLED', 'EPOCH_STALE'].includes(
      failure.error.code,
    );
    if (isTold || context.ports.signal.aborted) return pause(context, failure, rollBackAfterMs);
    const answered = await answerFailure(context, failure.step, failure.error);
    if (answered === 'pause') return pause(context, failure, rollBackAfterMs);
    if (answered) return answered;
  }
  return null;
}

async function doStep(context: RunContext, step: Step): Promise<void> {
  const { phase } = context.stepState(step.id);
  if (phase === 'doubt' || phase === 'failed' || phase === 'applied') await settleStep(context, step);
  else await performStep(context, step);
}

/**
 * Puts a step's failure on record and tells it; a gate nobody has answered is no failure. A step that was begun and is out of
 * sight is in doubt as before: resume settles it by what it left on its hosts. A question before a new attempt is no failure of the
 * one before, whose own stays on record.
 */
function recordFailure(context: RunContext, step: Step, thrown: unknown): ErrorReport {
  const state = context.stepState(step.id);
  const begun = state.phase === 'doubt' || state.phase === 'applied' || state.phase === 'failed';
  const outcome = begun && isOutOfSight(thrown) ? 'unknown' : 'failed';
  const host = context.hostOfRole(step.role).name;
  const doneCount = doneSteps(context).length;
  const isTheirs = isFerryError(thrown, 'EPOCH_STALE') && thrown.args.theirs !== 'gone';
  const left = isTheirs
    ? 'What was begun here is settled there.'
    : begun
      ? `Step ${step.id} may be half done on ${state.hosts.join(' and ')}; what undoes it is on record. ${doneCount} of ${context.state.steps.size} steps are done and stay so.`
      : `Step ${step.id} changed nothing on ${host}. ${doneCount} of ${context.state.steps.size} steps are done and stay so.`;
  const error = context.report(thrown, left);
  // The journal itself may be what failed; then nothing more can be recorded, and the step is in doubt until resume.
  if (isFerryError(thrown, 'JOURNAL_UNWRITABLE')) return error;
  // Of what its host has put back meanwhile it is on record that it failed, so that nobody is told so once more.
  const isAskedOnly = isGate(thrown) && (state.phase === 'failed' || !step.deadMan);
  if (begun && !isAskedOnly)
    context.record('step.failed', { step: step.id, host, body: { error, attempt: state.attempt, outcome } });
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

function pause(context: RunContext, { step, thrown, error }: Failure, rollBackAfterMs?: number | null): Ending {
  if (isFerryError(thrown, 'JOURNAL_UNWRITABLE')) return { outcome: 'failed', error, exit: 1 };
  const gate = isGate(thrown);
  const cancelled = isFerryError(thrown, 'STEP_CANCELLED');
  const drift = isFerryError(thrown, 'FACT_DRIFTED') || isFerryError(thrown, 'PLAN_CHANGED');
  const reason = gate ? 'gate' : drift ? 'drift' : cancelled ? 'interrupt' : 'failure';
  const isFailure = !gate && !cancelled;
  const { rollbackAt, whyNot } = rollbackDue(context, isFailure && !isFerryError(thrown, 'EPOCH_STALE') ? rollBackAfterMs : null);
  context.record('run.paused', { body: { reason, step: step.id, error, rollbackAt } });
  context.emit({ type: 'run.paused', reason, step: step.id, error });
  if (rollbackAt) context.emit({ type: 'rollback.due', rollbackAt });
  else if (whyNot !== null) context.emit({ type: 'note', text: `Not rolled back by itself: ${whyNot}.` });
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

function skippedSteps({ state }: RunContext): string[] {
  return [...state.steps.values()].filter(({ phase }) => phase === 'skipped').map(({ step }) => step);
}

function doneSteps(context: RunContext): string[] {
  return [...context.state.steps.values()].filter(({ phase }) => phase === 'done' || phase === 'skipped').map(({ step }) => step);
}
