import type { Planned } from '../actions/action.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { nowMs } from '../lib/clock.ts';
import type { PlanLine } from '../plan/plan.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyCheck } from './act.ts';
import { doChange } from './change.ts';
import { refuseDrift } from './drift.ts';
import { planAgreed } from './gates.ts';
import { actionOf, type FreshPlan, planFresh } from './plan-fresh.ts';
import { publishReadings, type RunContext } from './run-context.ts';
import { ended, started } from './tell.ts';

/** Does a step that was not begun before, or only taken back: fresh facts, drift, plan, and what the plan says. */
export async function performStep(context: RunContext, step: Step): Promise<void> {
  const startedMs = nowMs();
  const plan = await planAgreed(context, step, () => planHeld(context, step));
  const host = context.hostOfRole(step.role).name;
  if (!plan) {
    context.record('step.skipped', { step: step.id, host });
    return ended(context, step, host, 'skipped', 'left out: its condition does not hold', startedMs);
  }
  const { planned } = plan;
  if (planned.kind === 'change') await doChange(context, step, plan, planned, startedMs);
  else if (planned.kind === 'check') await doCheck(context, step, plan, planned, startedMs);
  else if (planned.kind === 'gate') doGate(context, step, plan, planned.question, startedMs);
  else {
    context.record('step.unchanged', { step: step.id, host, body: done(context, step, planned, plan) });
    ended(context, step, host, 'no-change', planned.summary, startedMs);
  }
}

/** Plans a step on facts read just now, held to the run's plan. @throws FACT_DRIFTED, STEP_BLOCKED, PLAN_CHANGED */
async function planHeld(context: RunContext, step: Step): Promise<FreshPlan | null> {
  const plan = await planFresh(context, step);
  if (!plan) return null;
  await refuseDrift(context, step.id, plan.found);
  const { planned } = plan;
  const host = plan.site.host.name;
  if (planned.kind === 'blocked')
    throw new FerryError('STEP_BLOCKED', { step: step.id, host, why: planned.summary, todo: planned.hint });
  const line = context.state.plan.lines.find((one) => one.step === step.id);
  if (line && !context.state.replanned.has(step.id) && !refines(line, planned.kind)) {
    throw new FerryError('PLAN_CHANGED', { step: step.id, host, planned: line.summary, now: planned.summary });
  }
  return plan;
}

/**
 * Whether what a step would do now is the plan's line filled in. A predicted change may turn out to be done already: what it
 * was planned on did more than it said, as a package that starts its own service.
 */
function refines(line: PlanLine, now: Planned['kind']): boolean {
  return line.kind === 'later' || line.kind === now || (line.kind === 'change' && now === 'no-change' && line.stamp !== 'exact');
}

async function doCheck(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  planned: Planned & { kind: 'check' },
  startedMs: number,
): Promise<void> {
  const host = plan.site.host.name;
  started(context, step, host, 1, planned.summary, false);
  const outputs = { ...planned.outputs, ...(await applyCheck(context, step, plan)) };
  context.record('step.checked', {
    step: step.id,
    host,
    body: { ...done(context, step, { ...planned, outputs }, plan), writeLine: actionOf(context, step).written !== undefined },
  });
  ended(context, step, host, 'ok', planned.summary, startedMs);
}

function doGate(context: RunContext, step: Step, plan: FreshPlan, question: string, startedMs: number): void {
  const host = plan.site.host.name;
  const by = context.state.gates[step.id]?.answer?.by ?? context.ports.holder;
  context.record('step.confirmed', { step: step.id, host, body: { question, by, plan: context.state.plan.digest } });
  ended(context, step, host, 'ok', 'confirmed', startedMs);
}

function done(
  context: RunContext,
  step: Step,
  planned: Pick<Planned, 'outputs' | 'summary'>,
  plan: FreshPlan,
): { [name: string]: unknown } {
  return { summary: planned.summary, outputs: context.keepOutputs(step.id, planned.outputs), ...publishReadings(plan.found) };
}
