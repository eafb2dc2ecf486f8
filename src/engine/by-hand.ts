import { FerryError } from '../errors/ferry-error.ts';
import { nearest, plural } from '../lib/text.ts';
import type { Step } from '../runbook/runbook.ts';
import { decide } from './decide.ts';
import { isInDoubt } from './evidence.ts';
import { actionOf, planFresh } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import type { OutputUse } from './users-of.ts';

/**
 * The step a person decides about: one at which the run stands, so that everything before it is done.
 * @throws RUN_STEP_UNKNOWN, STEP_NOT_AT_TURN
 */
export function stepAtTurn(context: RunContext, id: string): Step {
  const { runbook } = context.ports;
  const { run } = context.state;
  const step = runbook.steps.find((one) => one.id === id);
  if (!step) {
    const near = nearest(id, new Set(runbook.steps.map((one) => one.id))) ?? '';
    throw new FerryError('RUN_STEP_UNKNOWN', { step: id, run, near }, { left: 'Nothing was changed.' });
  }
  if (decide(context.state, runbook, undefined).ready.some((one) => one.id === id)) return step;
  const open = step.needs.filter((need) => !['done', 'skipped'].includes(context.stepState(need).phase));
  const { phase } = context.stepState(id);
  const isOver = phase === 'done' || phase === 'skipped';
  const first = `${open.join(' and ')} ${open.length === 1 ? 'comes' : 'come'} first`;
  const why = isOver ? `it is ${phase} already` : open.length > 0 ? first : 'other parts of the same step come first';
  throw new FerryError('STEP_NOT_AT_TURN', { step: id, run, why }, { left: 'Nothing was changed.' });
}

/** Why a step may not be skipped, and what to do instead; null when it may. */
export async function whyNotSkipped(context: RunContext, step: Step): Promise<{ why: string; todo: string } | null> {
  const { run } = context.state;
  if (actionOf(context, step).written)
    return {
      why: 'it draws the write line: without it nobody could tell what a rollback gives up',
      todo: `ferry resume ${run}   or   ferry rollback ${run} --plan`,
    };
  if ((await kindOf(context, step)) !== 'gate') return null;
  return { why: 'it is a question, and only an answer lets the run past it', todo: `ferry approve ${run} ${step.id}` };
}

/** What kind of step it is, by the plan; one that was not planned yet is planned now, where that can be done. */
async function kindOf(context: RunContext, step: Step): Promise<string> {
  const planned = context.state.plan.lines.find((line) => line.step === step.id)?.kind;
  if (planned !== undefined && planned !== 'later') return planned;
  return planFresh(context, step).then(
    (plan) => plan?.planned.kind ?? 'skipped',
    () => 'later',
  );
}

/** Steps that were planned on what this one was to make, and are planned anew when it does not make it. */
export function plannedOn({ state }: RunContext, step: string): string[] {
  const affected = new Set([step]);
  for (const line of state.plan.lines) if (line.after.some((before) => affected.has(before))) affected.add(line.step);
  return [...affected].filter((one) => one !== step);
}

/** What a person should know before a step is left out. */
export function warningsOfSkip(context: RunContext, step: Step, lacking: readonly OutputUse[]): string[] {
  const state = context.stepState(step.id);
  const begun = isInDoubt(state.phase) || state.undo !== null;
  const ends = `What it half did stays on ${state.hosts.join(' and ')}; what of it still runs is ended, and a rollback undoes it.`;
  const outputs = lacking.map(({ step: user, output }) => `${user} (${output})`);
  const missing = `${plural(lacking.length, 'output')} will be missing, and what needs one is refused: ${outputs.join(', ')}.`;
  return [...(begun ? [ends] : []), ...(lacking.length > 0 ? [missing] : [])];
}
