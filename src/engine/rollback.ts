import type { KeptOnPurpose } from '../actions/action.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { ActingHost } from '../hosts/host.ts';
import { nowMs } from '../lib/clock.ts';
import { plural } from '../lib/text.ts';
import { siteOf } from '../plan/plan-step.ts';
import type { Step } from '../runbook/runbook.ts';
import { actContext, attemptOf } from './act.ts';
import { refuseOtherMachines, releaseLeases, type Silent, takeLeases } from './leases.ts';
import { isOutOfReach } from './out-of-sight.ts';
import { actionOf } from './plan-fresh.ts';
import { proveRollback } from './proof.ts';
import type { Ending } from './run.ts';
import type { RunContext } from './run-context.ts';
import { endEffects, restingEffects } from './settle.ts';
import { isAfter } from './state.ts';
import { rollbackTarget, type WayBack, wayBack, withWrites, writtenSince } from './way-back.ts';

/**
 * Takes a run back: undo in reverse, each on record before and after, then the proof. It stops at the first undo that fails,
 * because what comes before a step is what that step stands on; called again, it goes on there. What is on a host that cannot
 * be reached is owed, and the rest is taken back without it: an undo stands on its own record and on bytes of its own host.
 * @throws WRITE_LINE_CROSSED unless `discardWrites`
 */
export async function rollBack(
  context: RunContext,
  options: { to?: string | undefined; discardWrites: boolean },
): Promise<Ending> {
  const startedMs = nowMs();
  const silent: Silent = new Map();
  // Before what was written since is counted, on a machine where that means nothing.
  await refuseOtherMachines(context, silent);
  const to = rollbackTarget(context.state, options.to);
  const way = await withWrites(context, wayBack(context, to));
  // The steps after the line may be undone already when a rollback is gone on with: its record says that it crosses.
  const isAgreed = options.discardWrites || (context.state.phase === 'rolling-back' && context.state.crossing);
  if (way.writeLine && !isAgreed) await refuseLoss(context, way.writeLine, to);
  try {
    await takeLeases(context, silent);
  } catch (thrown) {
    if (isFerryError(thrown)) thrown.left ??= 'Nothing was taken back.';
    throw thrown;
  }
  context.record('rollback.started', {
    body: {
      by: context.ports.holder,
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
      const away = context.stepState(step.id).hosts.find((host) => silent.has(host));
      if (away === undefined) {
        await undoStep(context, step, context.state.crossed);
        continue;
      }
      if (mayWrite(context, way, step)) return stopAt(context, step, silent.get(away));
      owe(context, step, away, silent);
    } catch (thrown) {
      if (!isOutOfReach(thrown) || mayWrite(context, way, step)) return stopAt(context, step, thrown);
      silent.set(thrown.args.host, thrown);
      owe(context, step, thrown.args.host, silent);
    }
  }
  const owed = way.steps.filter(({ step }) => context.stepState(step.id).phase === 'owed');
  const proven = silent.size > 0 ? null : await proveRollback(context, to).catch(outOfReach(silent));
  if (!proven) return endInDebt(context, way, owed, silent);
  const { proof, readings } = proven;
  context.record('rollback.finished', { body: { proof, readings } });
  if (to === undefined) await releaseLeases(context);
  const kept = context.state.kept.map(({ host: on, what }) => `${on}: ${what}`);
  context.emit({ type: 'run.rolled-back', to: to ?? null, proof, kept, ms: nowMs() - startedMs });
  return { outcome: 'rolled-back', error: null, exit: 4 };
}

/** Whether a step comes after a write line that is crossed: while it is not undone, writers may be at work on what would be taken away. */
function mayWrite({ state }: RunContext, { writeLine }: WayBack, step: Step): boolean {
  return writeLine !== null && isAfter(state.plan, step.id, writeLine.step.id);
}

/** Makes of a host that cannot be reached one that is silent, and of its answer null. */
function outOfReach(silent: Silent): (thrown: unknown) => null {
  return (thrown) => {
    if (!isOutOfReach(thrown)) throw thrown;
    silent.set(thrown.args.host, thrown);
    return null;
  };
}

/** Puts on record that a step is still to be undone, because a host of it cannot be reached. */
function owe(context: RunContext, step: Step, away: string, silent: Silent): void {
  const host = context.hostOfRole(step.role).name;
  const error = context.report(silent.get(away), `${step.id} is not undone.`);
  context.record('step.undo-owed', { step: step.id, host, body: { error } });
  context.emit({ type: 'undo.ended', step: step.id, host, outcome: 'owed', ms: 0, kept: [], error: { ...error, hint: null } });
}

function endInDebt(context: RunContext, way: WayBack, owed: WayBack['steps'], silent: Silent): Ending {
  const steps = owed.map(({ step }) => step.id).join(', ');
  const hosts = [...silent.keys()].join(' and ');
  const undone = `${plural(way.steps.length - owed.length, 'step')} on the other hosts ${way.steps.length - owed.length === 1 ? 'is' : 'are'} undone.`;
  const error = context.report(new FerryError('UNDO_OWED', { steps, hosts, run: context.state.run }), undone);
  context.record('run.paused', { body: { reason: 'failure', step: null, error } });
  return { outcome: 'paused', error, exit: 3 };
}

/**
 * Takes back a run that failed, when it was started so. Never by itself across the write line: then, and where nothing can be
 * taken back, the run stays as its failure left it, and that is told.
 */
export async function rollBackFailed(context: RunContext, failure: Ending): Promise<Ending> {
  try {
    return await rollBack(context, { discardWrites: false });
  } catch (thrown) {
    if (!isFerryError(thrown)) throw thrown;
    context.emit({ type: 'note', text: `Not rolled back: ${context.report(thrown, '').message}` });
    return failure;
  }
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
      { left: 'Nothing was taken back.' },
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
    before.hosts.map((one) =>
      context.ports.fleet.openAttempt(one, id, JSON.stringify(context.ports.redact({ undo })), context.recordsAfter),
    ),
  );
  context.ports.crash('before-undo', step.id);
  const ctx = { ...actContext(context, id, host), crossedWriteLine };
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
