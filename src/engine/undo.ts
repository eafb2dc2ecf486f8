import type { KeptOnPurpose } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { ActingHost } from '../hosts/host.ts';
import { nowMs } from '../lib/clock.ts';
import { siteOf } from '../plan/plan-step.ts';
import type { Step } from '../runbook/runbook.ts';
import { actContext, attemptOf } from './act.ts';
import { settleDeadMan } from './dead-man.ts';
import { actionOf } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import { endEffects, restingEffects } from './settle.ts';

/**
 * Takes one step back, on record before and after. What of it still runs is ended first, and an undo of it that was cut off
 * is waited for.
 */
export async function undoStep(context: RunContext, step: Step): Promise<void> {
  const startedMs = nowMs();
  const before = context.stepState(step.id);
  const action = actionOf(context, step);
  const host = context.hostOfRole(step.role).name;
  if (!action.rollback || before.undo === null) throw new FerryError('INTERNAL', { what: `${step.uses} has no rollback` });
  const { undo, summary } = before.undo;
  await settleDeadMan(context, step, true);
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
  const ctx = { ...actContext(context, id, host), crossedWriteLine: before.mayHoldWrites };
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
    waitsFor: [],
  });
}
