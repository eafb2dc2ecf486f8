import type { Action } from '../actions/action.ts';
import type { Outputs, OutputValue } from '../actions/outputs.ts';
import type { Json } from '../lib/json.ts';
import { makePlan, type PlanRequest } from '../plan/make-plan.ts';
import { SKIPPED } from '../plan/names.ts';
import type { Plan, PlanLine } from '../plan/plan.ts';
import type { RunbookChange } from '../runbook/diff-runbooks.ts';
import type { Runbook } from '../runbook/runbook.ts';
import { recallSecrets } from './recall.ts';
import type { RunContext } from './run-context.ts';
import type { RunState } from './state.ts';

/** An edited runbook with all that is needed to plan it. */
export interface Edited extends Pick<PlanRequest, 'roles' | 'madeAt' | 'read' | 'judgeLeases'> {
  readonly runbook: Runbook;
  readonly actions: ReadonlyMap<string, Action>;
  readonly inputs: ReadonlyMap<string, OutputValue>;
}

/**
 * Plans what is left to do of an edited runbook on what is there now. Steps that are done stay as they were planned and hand on
 * what they have; one that was begun is planned anew with what undoes it.
 */
export async function planEdited(context: RunContext, edited: Edited): Promise<Plan> {
  await recallSecrets(context, true);
  const done = new Map<string, { line: PlanLine; outputs: Outputs | typeof SKIPPED }>();
  const begun = new Map<string, { undo: Json }>();
  for (const line of context.state.plan.lines) {
    const { phase, undo, byHand } = context.stepState(line.step);
    const outputs = phase === 'skipped' && !byHand ? SKIPPED : context.handedOn(line.step);
    if (phase === 'done' || phase === 'skipped') {
      const notes = [phase === 'done' ? 'done already' : 'left out already'];
      done.set(line.step, { line: { ...line, notes }, outputs });
    }
    if (undo) begun.set(line.step, { undo: undo.undo });
  }
  return makePlan({ ...edited, done, begun });
}

/** Takes an edited runbook and its plan for those of the run, on record. */
export function recordRevision(
  context: RunContext,
  revision: Pick<RunState, 'plan' | 'sources' | 'machines' | 'secrets'>,
  changes: readonly RunbookChange[],
): void {
  const by = context.ports.holder;
  context.record('run.revised', { body: { ...revision, changes, by } });
  context.emit({ type: 'run.revised', plan: revision.plan.digest, changes, by });
}
