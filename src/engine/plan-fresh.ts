import type { Action } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import { planStep, type StepPlan } from '../plan/plan-step.ts';
import type { Step } from '../runbook/runbook.ts';
import type { RunContext } from './run-context.ts';

export type FreshPlan = Extract<StepPlan, { kind: 'planned' }> & {
  readonly found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>;
};

export function actionOf(context: RunContext, step: Step): Action {
  const action = context.ports.actions.get(step.uses);
  if (!action) throw new FerryError('INTERNAL', { what: `no action ${step.uses}` });
  return action;
}

/** Plans a step on facts read just now; null when its condition does not hold. */
export async function planFresh(context: RunContext, step: Step): Promise<FreshPlan | null> {
  const action = actionOf(context, step);
  const found = new Map<FactRef<unknown>, Observed<unknown>>();
  const byId = new Map<string, Observed<unknown>>();
  const begun = context.stepState(step.id).undo;
  const plan = (): StepPlan =>
    planStep(step, action, {
      names: context.names,
      hostOfRole: (role) => context.hostOfRole(role),
      earlier: begun ? { undo: begun.undo } : null,
      look(ref) {
        const observed = byId.get(`${ref.host} ${ref.key}`);
        return observed ? { observed, madeBy: null } : 'missing';
      },
    });
  let result = plan();
  if (result.kind === 'missing') {
    for (const [ref, observed] of await context.observe(result.refs)) {
      found.set(ref, observed);
      byId.set(`${ref.host} ${ref.key}`, observed);
    }
    result = plan();
  }
  if (result.kind === 'skipped') return null;
  if (result.kind !== 'planned')
    throw new FerryError('INTERNAL', { what: `step ${step.id} still waits for what was done before it` });
  return { ...result, found };
}
