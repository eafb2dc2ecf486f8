import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { DeadManState } from '../hosts/dead-man.ts';
import { keepPath } from '../hosts/layout.ts';
import { isoTime, nowMs, poll } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Step } from '../runbook/runbook.ts';
import { attemptOf } from './act.ts';
import { isOutOfReach, isOutOfSight } from './out-of-sight.ts';
import { actionOf } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import { endEffects } from './settle.ts';

// How long a host may take to come back once it has put back what had shut Ferry out.
const BACK_MS = 60_000;

/**
 * Before a step is applied: lets its host put back by itself what the step is about to change. The host does so also when
 * Ferry dies in the meantime. Nothing when the step has no dead-man switch. @throws DEAD_MAN_UNARMED
 */
export async function armDeadMan(context: RunContext, step: Step, attempt: number): Promise<void> {
  if (!step.deadMan) return;
  const { afterMs, reload } = step.deadMan;
  const host = context.hostOfRole(step.role).name;
  const { undo, generation } = context.stepState(step.id);
  const kept = (name: string) => keepPath(context.state.run, step.id, name, generation);
  const putBack = undo && actionOf(context, step).putBack?.(undo.undo, kept);
  if (!putBack) throw new FerryError('INTERNAL', { what: `${step.uses} keeps nothing that could be put back` });
  await context.ports.fleet.armDeadMan(host, attemptOf(context, step.id, attempt), { afterMs, putBack, reload });
  context.record('dead-man.armed', { step: step.id, host, body: { attempt, until: isoTime(nowMs() + afterMs) } });
  context.emit({
    type: 'note',
    text: `${step.id}: ${host} puts back by itself what is changed now, in ${formatDuration(afterMs)}, unless Ferry can log in anew`,
  });
}

/**
 * Once a step shows its effect: proves that the way in is still open by a login of its own, and only then lets what was applied
 * stay. Whoever comes first, the host or Ferry, the other one finds it so.
 * @throws DEAD_MAN_REVERTED
 */
export async function confirmDeadMan(context: RunContext, step: Step, attempt: number): Promise<void> {
  if (!step.deadMan) return;
  const host = context.hostOfRole(step.role).name;
  const id = attemptOf(context, step.id, attempt);
  if ((await context.ports.fleet.deadMan(host, id, 'look')) === 'none') return;
  await logInAnew(context, step, attempt);
  let state = await context.ports.fleet.deadMan(host, id, 'confirm');
  // Begun on its host, and not brought to its end: what is there may be the one or the other.
  if (state === 'armed') state = await context.ports.fleet.deadMan(host, id, 'revert');
  if (state !== 'confirmed') throw reverted(context, step, attempt);
  context.record('dead-man.confirmed', { step: step.id, host, body: { attempt } });
  context.emit({ type: 'note', text: `${step.id}: a new login to ${host} works; nothing is put back` });
}

/**
 * Before a guarded step counts as done that shows its effect by other hands than its last attempt's: proves by a login that the way in
 * is open, whatever became of the switch. Where it is not, the old state is put back, and once more where that was done before.
 * @throws DEAD_MAN_REVERTED; HOST_UNREACHABLE and what else a login may end with, where there is nothing to put back
 */
export async function proveWayIn(context: RunContext, step: Step, attempt: number): Promise<void> {
  if (step.deadMan) await logInAnew(context, step, attempt);
}

/** Whether a host still waits to put back what the latest attempt of a step changed. */
export async function isArmed(context: RunContext, step: Step): Promise<boolean> {
  const { attempt } = context.stepState(step.id);
  if (!step.deadMan || attempt === 0) return false;
  const host = context.hostOfRole(step.role).name;
  return (await context.ports.fleet.deadMan(host, attemptOf(context, step.id, attempt), 'look')) === 'armed';
}

/** A login that fails is answered by putting back at once, over a connection that is still open or as soon as there is one. */
async function logInAnew(context: RunContext, step: Step, attempt: number): Promise<void> {
  const host = context.hostOfRole(step.role).name;
  try {
    await context.ports.fleet.logIn(host);
  } catch (thrown) {
    if (!isFerryError(thrown)) throw thrown;
    const revert = () => context.ports.fleet.deadMan(host, attemptOf(context, step.id, attempt), 'revert');
    const seen = await whenBack(revert, (step.deadMan?.afterMs ?? 0) + BACK_MS);
    throw seen === 'reverted' ? reverted(context, step, attempt, thrown) : thrown;
  }
}

/**
 * What a failure of a guarded step is in truth. A host out of reach is waited for, because it will put back what shut Ferry out.
 * A step that failed otherwise is put back at once: nothing may come back later behind the journal's back. What is merely
 * out of sight is left to the host, since its command may still be at work.
 */
export async function afterGuardedFailure(context: RunContext, step: Step, attempt: number, thrown: unknown): Promise<unknown> {
  // A command that its host refused because it puts back: how far that came is seen below. Else it is on record already.
  const isRefused = isFerryError(thrown, 'DEAD_MAN_REVERTED') && context.stepState(step.id).putBackAt !== null;
  const isOurs =
    isRefused ||
    !isFerryError(thrown) ||
    !['JOURNAL_UNWRITABLE', 'JOURNAL_FENCED', 'EPOCH_STALE', 'DEAD_MAN_REVERTED'].includes(thrown.code);
  // A step that a person cancels is put back once its commands are ended.
  const isCancelled = context.ports.cancel.aborted && !isFerryError(thrown);
  if (!step.deadMan || !isOurs || isCancelled) return thrown;
  const host = context.hostOfRole(step.role).name;
  const id = attemptOf(context, step.id, attempt);
  const ask = (what: 'look' | 'revert') => context.ports.fleet.deadMan(host, id, what);
  try {
    const seen = isOutOfReach(thrown) ? await whenBack(() => ask('look'), step.deadMan.afterMs + BACK_MS) : await ask('look');
    if (seen === 'reverted') return reverted(context, step, attempt, thrown);
    if (seen !== 'armed' || isOutOfSight(thrown)) return thrown;
    if ((await ask('revert')) !== 'reverted') return thrown;
  } catch (last) {
    // What the step failed with says more; the host goes on by itself. Not so where it could not put back.
    if (!isFerryError(last)) throw last;
    return isRefused ? last : thrown;
  }
  recordReverted(context, step, attempt);
  const left = `${host} has put back what step ${step.id} changed: the old file is there.`;
  if (isFerryError(thrown)) thrown.left = left;
  else context.emit({ type: 'note', text: `${step.id}: ${left}` });
  return thrown;
}

/**
 * Before a step that was begun goes on, or is let go (taken back, skipped, cancelled): nothing of its last attempt may wait to be
 * put back. Where the host has done so, or does so now, what was applied is not there any more, and true is returned. A crash that
 * nobody was told about yet is told first to whoever goes on. @throws DEAD_MAN_REVERTED
 */
export async function settleDeadMan(context: RunContext, step: Step, isLetGo: boolean): Promise<boolean> {
  const { attempt, phase, hosts, putBackAt } = context.stepState(step.id);
  if (!step.deadMan || attempt === 0) return false;
  const host = context.hostOfRole(step.role).name;
  const id = attemptOf(context, step.id, attempt);
  const found = await context.ports.fleet.deadMan(host, id, 'look');
  if (found !== 'armed' && found !== 'reverted') return false;
  if (found === 'armed') {
    await endEffects(context, step.id, attempt, hosts);
    if ((await context.ports.fleet.deadMan(host, id, 'revert')) !== 'reverted') return false;
    recordReverted(context, step, attempt);
    context.emit({
      type: 'note',
      text: `${step.id}: nobody had confirmed what was begun before; ${host} has put back the old file`,
    });
  } else if (!isLetGo && phase !== 'failed') throw reverted(context, step, attempt);
  else if (putBackAt !== null) recordReverted(context, step, attempt);
  return true;
}

async function whenBack(look: () => Promise<DeadManState>, timeoutMs: number): Promise<DeadManState> {
  const seen = await poll(
    async () => {
      try {
        return await look();
      } catch (thrown) {
        if (isOutOfReach(thrown)) return undefined;
        throw thrown;
      }
    },
    { timeoutMs, intervalMs: 1000 },
  );
  return seen ?? 'none';
}

function reverted(context: RunContext, step: Step, attempt: number, cause?: unknown): FerryError<'DEAD_MAN_REVERTED'> {
  recordReverted(context, step, attempt);
  const host = context.hostOfRole(step.role).name;
  return new FerryError(
    'DEAD_MAN_REVERTED',
    { host, step: step.id, run: context.state.run },
    { left: `What step ${step.id} changes on ${host} is as it was before.`, ...(cause === undefined ? {} : { cause }) },
  );
}

function recordReverted(context: RunContext, step: Step, attempt: number): void {
  context.record('dead-man.reverted', { step: step.id, host: context.hostOfRole(step.role).name, body: { attempt } });
}
