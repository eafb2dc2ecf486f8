import { isFerryError } from '../errors/ferry-error.ts';
import type { Step } from '../runbook/runbook.ts';
import type { Silent } from './leases.ts';
import { isOutOfReach } from './out-of-sight.ts';
import type { RunContext } from './run-context.ts';
import { undoStep } from './undo.ts';
import { type UndoProgress, undoOrder } from './undo-order.ts';
import type { WayBack } from './way-back.ts';

/** More at a time would open more channels to one host than its sshd grants. */
const AT_ONCE = 6;

/** What a rollback could not take back; each is on record with its step. */
export interface Debts {
  readonly failed: readonly Step[];
  readonly owed: readonly Step[];
  readonly blocked: readonly Step[];
  /** A person stopped it: what was not begun is left. */
  readonly isStopped: boolean;
}

/**
 * Undoes all of a way back that can be undone, steps that do not stand on one another side by side. Hosts that cannot be
 * reached are put into `silent`.
 * @throws JOURNAL_UNWRITABLE, after what is under way came to its end
 */
export async function undoAll(context: RunContext, way: WayBack, silent: Silent): Promise<Debts> {
  const progress = new Map<string, UndoProgress>();
  const underWay = new Map<string, Promise<void>>();
  const order = () => undoOrder(context.ports.runbook.steps, way, progress);
  let fatal: { readonly thrown: unknown } | null = null;
  /** The step at which it was seen that another controller has taken the run. */
  let takenAt: string | null = null;

  const end = (step: Step, thrown: unknown): void => {
    if (isOutOfReach(thrown)) {
      silent.set(thrown.args.host, thrown);
      progress.set(step.id, 'owed');
      owe(context, step, thrown);
    } else {
      progress.set(step.id, 'failed');
      if (isFerryError(thrown, 'EPOCH_STALE')) takenAt = step.id;
      fail(context, step, thrown);
    }
  };
  const work = async (step: Step): Promise<void> => {
    try {
      await undoStep(context, step);
      progress.set(step.id, 'undone');
    } catch (thrown) {
      try {
        end(step, thrown);
      } catch (last) {
        fatal ??= { thrown: last };
      }
    } finally {
      underWay.delete(step.id);
    }
  };
  const away = (step: Step) => silent.get(context.stepState(step.id).hosts.find((host) => silent.has(host)) ?? '');

  for (;;) {
    if (!fatal && takenAt === null && !context.ports.signal.aborted) {
      const unreached = order().ready.find(away);
      if (unreached) {
        // One that is owed may let others begin: they are asked for anew.
        end(unreached, away(unreached));
        continue;
      }
      for (const step of order().ready.slice(0, AT_ONCE - underWay.size)) {
        progress.set(step.id, 'running');
        underWay.set(step.id, work(step));
      }
    }
    if (underWay.size === 0) break;
    await Promise.race(underWay.values());
  }
  if (fatal) throw (fatal as { thrown: unknown }).thrown;
  const { blocked: behind, ready } = order();
  const blocked = takenAt === null ? behind : [...behind, ...ready.map((step) => ({ step, by: [String(takenAt)] }))];
  for (const { step, by } of blocked) block(context, step, by);
  const at = (which: UndoProgress) => way.steps.map(({ step }) => step).filter(({ id }) => progress.get(id) === which);
  return {
    failed: at('failed'),
    owed: at('owed'),
    blocked: blocked.map(({ step }) => step),
    isStopped: context.ports.signal.aborted && way.steps.some(({ step }) => !progress.has(step.id)),
  };
}

function fail(context: RunContext, step: Step, thrown: unknown): void {
  const host = context.hostOfRole(step.role).name;
  const error = context.report(thrown, `${step.id} on ${host} is not undone.`);
  // The journal itself may be what failed.
  if (isFerryError(thrown, 'JOURNAL_UNWRITABLE')) throw thrown;
  context.record('step.undo-failed', { step: step.id, host, body: { error } });
  tell(context, step, 'failed', error);
}

/** Puts on record that a step is still to be undone, because a host of it cannot be reached. */
function owe(context: RunContext, step: Step, thrown: unknown): void {
  const error = context.report(thrown, `${step.id} is not undone.`);
  context.record('step.undo-owed', { step: step.id, host: context.hostOfRole(step.role).name, body: { error } });
  tell(context, step, 'owed', error);
}

function block(context: RunContext, step: Step, by: readonly string[]): void {
  context.record('step.undo-blocked', { step: step.id, host: context.hostOfRole(step.role).name, body: { by } });
  tell(context, step, 'blocked', null, by);
}

function tell(
  context: RunContext,
  step: Step,
  outcome: 'failed' | 'owed' | 'blocked',
  error: ReturnType<RunContext['report']> | null,
  waitsFor: readonly string[] = [],
): void {
  const host = context.hostOfRole(step.role).name;
  // Its own hint may be to resume, which is for runs that go forward.
  const told = error && { ...error, hint: null };
  context.emit({ type: 'undo.ended', step: step.id, host, outcome, ms: 0, kept: [], error: told, waitsFor });
}
