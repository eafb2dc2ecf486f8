import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Checkpoint, Step } from '../runbook/runbook.ts';
import { readOnly } from './act.ts';
import { actionOf } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import { isAfter, type RunState } from './state.ts';

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

/** Where a rollback goes: what was asked for, else where one that was cut off was going; undefined for before the first step. */
export function rollbackTarget({ phase, rollbackTo }: RunState, asked: string | undefined): string | undefined {
  return asked ?? (phase === 'rolling-back' ? (rollbackTo ?? undefined) : undefined);
}

/** The checkpoints a rollback can go to, in their order. */
export function standingCheckpoints(context: RunContext): Checkpoint[] {
  const { runbook } = context.ports;
  // One that was not reached has nothing behind it, and going "back" to it would unsay those that were; nor is one left when
  // a rollback that was cut off has taken back what came before it.
  const isStanding = (step: Step): boolean =>
    !['undoing', 'undone', 'owed', 'undo-failed'].includes(context.stepState(step.id).phase);
  return runbook.checkpoints.filter(
    ({ name, afterStep }) => context.state.checkpoints.includes(name) && runbook.steps.slice(0, afterStep).every(isStanding),
  );
}

/** The way back to a checkpoint, or to before the first step. @throws CHECKPOINT_UNKNOWN */
export function wayBack(context: RunContext, to: string | undefined): WayBack {
  const { runbook } = context.ports;
  const { state } = context;
  const standing = standingCheckpoints(context);
  const checkpoint = standing.find(({ name }) => name === to);
  if (to !== undefined && !checkpoint) {
    throw new FerryError('CHECKPOINT_UNKNOWN', { checkpoint: to, known: standing.map(({ name }) => name).join(', ') });
  }
  const range = runbook.steps.slice(checkpoint?.afterStep ?? 0);
  const begun = (step: Step): boolean =>
    ['doubt', 'applied', 'done', 'failed', 'skipped', 'undoing', 'owed', 'undo-failed'].includes(
      context.stepState(step.id).phase,
    );
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
  const { drawn } = way;
  if (way.writeLine || !drawn) return way;
  // A rollback that was begun may have taken away already what is counted; before that, writers may have come since.
  const before = way.steps.filter(({ step }) => !isAfter(context.state.plan, step.id, drawn.step.id));
  if (before.some(({ step }) => isUndoBegun(context, step))) return way;
  return (await writtenSince(context, drawn)).length === 0 ? way : { ...way, writeLine: drawn };
}

function isUndoBegun(context: RunContext, step: Step): boolean {
  const { undoAttempt, generation } = context.stepState(step.id);
  return undoAttempt > generation;
}

/** What writers wrote since the write line, a line each; empty when nothing. */
export async function writtenSince(context: RunContext, line: NonNullable<WayBack['writeLine']>): Promise<string[]> {
  const action = actionOf(context, line.step);
  if (!action.written) return ['what was written is not counted'];
  const on = readOnly(context.ports.fleet.host(context.hostOfRole(line.step.role).name), line.step.id);
  try {
    return await action.written({ on, outputs: context.stepState(line.step.id).outputs });
  } catch (thrown) {
    // A server that is gone or stopped is a reason to go back, not one to stay; nor is a database that a rollback took away before
    // it was cut off.
    if (!isFerryError(thrown)) throw thrown;
    return [`what was written cannot be counted: ${thrown.message}`];
  }
}
