import type { KeptOnPurpose } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { ActingHost } from '../hosts/host.ts';
import { nowMs } from '../lib/clock.ts';
import { siteOf } from '../plan/plan-step.ts';
import type { Step } from '../runbook/runbook.ts';
import { actContext, attemptOf, readOnly } from './act.ts';
import { releaseLeases, takeLeases } from './leases.ts';
import { actionOf } from './perform.ts';
import { proveRollback } from './proof.ts';
import type { Ending } from './run.ts';
import type { RunContext } from './run-context.ts';
import { endEffects, restingEffects } from './settle.ts';

/** What a rollback would undo, the last step first. */
export interface WayBack {
  readonly steps: readonly { readonly step: Step; readonly host: string; readonly summary: string }[];
  /** Steps in the range that changed something for good, the last first. */
  readonly irreversible: readonly { readonly step: string; readonly host: string; readonly why: string }[];
  /** The write line in the range, whether or not anybody wrote. */
  readonly drawn: { readonly step: Step; readonly at: string } | null;
  /** Set when writers may have run on the new side since this step. */
  readonly writeLine: { readonly step: Step; readonly at: string } | null;
}

/** The way back to a checkpoint, or to before the first step. @throws CHECKPOINT_UNKNOWN */
export function wayBack(context: RunContext, to: string | undefined): WayBack {
  const { runbook } = context.ports;
  const { state } = context;
  // One that was not reached has nothing behind it, and going "back" to it would unsay those that were.
  const checkpoint = runbook.checkpoints.find(({ name }) => name === to && context.state.checkpoints.includes(name));
  if (to !== undefined && !checkpoint) {
    throw new FerryError('CHECKPOINT_UNKNOWN', { checkpoint: to, known: context.state.checkpoints.join(', ') });
  }
  const range = runbook.steps.slice(checkpoint?.afterStep ?? 0);
  const begun = (step: Step): boolean =>
    ['doubt', 'applied', 'done', 'failed', 'undoing'].includes(context.stepState(step.id).phase);
  const changed = range.filter((step) => begun(step) && context.stepState(step.id).undo !== null);
  const lasting = changed.filter((step) => context.stepState(step.id).irreversible !== null).reverse();
  const line = state.writeLine && range.findIndex((step) => step.id === state.writeLine?.step);
  const drawn = line !== null && line >= 0 ? range[line] : undefined;
  const steps = changed
    .filter((step) => actionOf(context, step).rollback)
    .reverse()
    .map((step) => ({ step, host: context.hostOfRole(step.role).name, summary: context.stepState(step.id).undo?.summary ?? '' }));
  const at = drawn && state.writeLine ? { step: drawn, at: state.writeLine.at } : null;
  return {
    steps,
    irreversible: lasting.map((step) => ({
      step: step.id,
      host: context.hostOfRole(step.role).name,
      why: context.stepState(step.id).irreversible ?? '',
    })),
    drawn: at,
    // A change that was begun after the line may have let writers in, also when it was taken back since.
    writeLine: state.writeLine?.isCrossed ? at : null,
  };
}

/**
 * The same way, with what the counters say: a write line nothing of the run has crossed is crossed all the same when somebody
 * started writers by hand.
 */
export async function withWrites(context: RunContext, way: WayBack): Promise<WayBack> {
  // One that is gone on with has the answer on record, and may have taken away already what is counted.
  if (way.writeLine || !way.drawn || context.state.phase === 'rolling-back') return way;
  return (await writtenSince(context, way.drawn)).length === 0 ? way : { ...way, writeLine: way.drawn };
}

/** What writers wrote since the write line, a line each; empty when nothing. */
export async function writtenSince(context: RunContext, line: NonNullable<WayBack['writeLine']>): Promise<string[]> {
  const action = actionOf(context, line.step);
  if (!action.written) return ['what was written is not counted'];
  const on = readOnly(context.ports.fleet.host(context.hostOfRole(line.step.role).name), line.step.id);
  return await action.written({ on, outputs: context.stepState(line.step.id).outputs });
}

/**
 * Takes a run back: undo in reverse, each on record before and after, then the proof. It stops at the first undo that fails,
 * because what comes before a step is what that step stands on; called again, it goes on there.
 * @throws WRITE_LINE_CROSSED unless `discardWrites`
 */
export async function rollBack(
  context: RunContext,
  options: { to?: string | undefined; discardWrites: boolean },
): Promise<Ending> {
  const startedMs = nowMs();
  const to = options.to ?? (context.state.phase === 'rolling-back' ? (context.state.rollbackTo ?? undefined) : undefined);
  const way = await withWrites(context, wayBack(context, to));
  // The steps after the line may be undone already when a rollback is gone on with: its record says that it crosses.
  const isAgreed = options.discardWrites || (context.state.phase === 'rolling-back' && context.state.crossing);
  if (way.writeLine && !isAgreed) await refuseLoss(context, way.writeLine, to);
  await takeLeases(context);
  context.record('rollback.started', {
    body: {
      to: to ?? null,
      steps: way.steps.map(({ step }) => step.id),
      discardWrites: options.discardWrites,
      crosses: way.writeLine !== null,
    },
  });
  context.emit({
    type: 'rollback.started',
    to: to ?? null,
    steps: way.steps.map(({ step, host, summary }) => ({ step: step.id, host, summary })),
    irreversible: way.irreversible,
  });
  for (const { step } of way.steps) {
    try {
      await undoStep(context, step, context.state.crossed);
    } catch (thrown) {
      return stopAt(context, step, thrown);
    }
  }
  const { proof, readings } = await proveRollback(context, to);
  context.record('rollback.finished', { body: { proof, readings } });
  if (to === undefined) await releaseLeases(context);
  context.emit({ type: 'run.rolled-back', to: to ?? null, proof, ms: nowMs() - startedMs });
  return { outcome: 'rolled-back', error: null, exit: 4 };
}

async function refuseLoss(context: RunContext, line: NonNullable<WayBack['writeLine']>, to: string | undefined): Promise<void> {
  const written = await writtenSince(context, line);
  const lost = written.length === 0 ? 'nothing was counted so far' : written.join('; ');
  const yes = await context.ports.askPerson(
    `Going back loses what was written since ${line.at} (${lost}). Go back all the same?`,
  );
  if (yes !== true)
    throw new FerryError(
      'WRITE_LINE_CROSSED',
      { run: context.state.run, at: line.at, written: lost, to: to ?? '' },
      { left: 'Nothing was changed.' },
    );
}

async function undoStep(context: RunContext, step: Step, crossedWriteLine: boolean): Promise<void> {
  const startedMs = nowMs();
  const before = context.stepState(step.id);
  const action = actionOf(context, step);
  const host = context.hostOfRole(step.role).name;
  if (!action.rollback || before.undo === null) throw new FerryError('INTERNAL', { what: `${step.uses} has no rollback` });
  const { undo, summary } = before.undo;
  await endEffects(context, step.id, before.attempt, before.hosts);
  if (before.undoAttempt > 0) await restingEffects(context, step.id, before.undoAttempt, before.hosts, true, true);
  const attempt = before.undoAttempt + 1;
  const id = attemptOf(context, step.id, attempt, true);
  context.record('step.undoing', { step: step.id, host, body: { attempt } });
  context.emit({ type: 'undo.started', step: step.id, host, summary });
  await Promise.all(
    before.hosts.map((one) => context.ports.fleet.openAttempt(one, id, JSON.stringify(context.ports.redact({ undo })))),
  );
  context.ports.crash('before-undo', step.id);
  const ctx = {
    ...actContext(context, id, host),
    crossedWriteLine,
    exitCodes: (effect: string) => context.ports.fleet.exitCodes(host, id, effect),
  };
  const onHost = (name: string): ActingHost => context.ports.fleet.acting(name, id, ctx.signal, ctx.progress);
  const acting = { ...siteOf(step, context), on: onHost(host), onHost, undo, ctx };
  // Apply never began before its bytes were kept: there is nothing to undo, and nothing to undo it with.
  const kept: readonly KeptOnPurpose[] = before.keepOwed ? [] : ((await action.rollback(acting)) ?? []);
  context.ports.crash('after-undo', step.id);
  context.record('step.undone', { step: step.id, host, body: { kept } });
  context.emit({
    type: 'undo.ended',
    step: step.id,
    host,
    outcome: 'ok',
    ms: nowMs() - startedMs,
    kept: kept.map(({ what }) => what),
    error: null,
  });
}

function stopAt(context: RunContext, step: Step, thrown: unknown): Ending {
  const host = context.hostOfRole(step.role).name;
  // Its own hint may be to resume, which is for runs that go forward.
  const cause = context.report(thrown, `${step.id} on ${host} is not undone, nor is anything before it; what came after it is.`);
  context.record('step.undo-failed', { step: step.id, host, body: { error: cause } });
  context.emit({ type: 'undo.ended', step: step.id, host, outcome: 'failed', ms: 0, kept: [], error: { ...cause, hint: null } });
  const error = context.report(
    new FerryError('UNDO_FAILED', { steps: `${step.id} on ${host}`, why: cause.message, run: context.state.run }),
    cause.left ?? '',
  );
  context.record('run.paused', { body: { reason: 'failure', step: step.id, error } });
  return { outcome: 'paused', error, exit: 3 };
}
