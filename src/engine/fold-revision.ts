import type { Json } from '../lib/json.ts';
import type { Plan } from '../plan/plan.ts';
import { learnReadings } from './fold-step.ts';
import type { RunState } from './state.ts';
import { type StepState, waitingStep } from './step-state.ts';

/**
 * Takes an edited runbook and the plan made of it for those of the run. Steps that were begun are the same in both, and stay as
 * they are; what was not begun is as the new plan has it. A yes to the old plan is none to the new one: a gate that nothing was
 * begun after is asked again. A checkpoint stands when the same steps come before it: what its readings tell of is those.
 */
export function applyRevision(state: RunState, at: string, body: { readonly [name: string]: Json }): void {
  const revised = body as unknown as Pick<RunState, 'plan' | 'sources' | 'machines' | 'secrets'>;
  const { lines, readings, stateRefs } = revised.plan;
  const before = state.steps;
  const isBegun = (step: string): boolean => (before.get(step)?.phase ?? 'waiting') !== 'waiting';
  const isOpen = (step: string): boolean => lines.every(({ step: later, needs }) => !needs.includes(step) || !isBegun(later));
  const old = state.plan;
  state.plan = revised.plan;
  state.sources = revised.sources;
  state.machines = { ...state.machines, ...revised.machines };
  state.secrets = revised.secrets;
  state.replanned = new Set();
  for (const { step, attempt, undoAttempt } of before.values())
    if (attempt > 0 && !lines.some((line) => line.step === step)) state.retired.set(step, { attempt, undoAttempt });
  state.steps = new Map(
    lines.map(({ step, host, hosts, summary, kind }): [string, StepState] => {
      const known = before.get(step);
      if (known && isBegun(step) && !(kind === 'gate' && isOpen(step))) return [step, known];
      // Attempts go on counting: their folders are there.
      const { attempt = 0, undoAttempt = 0 } = known ?? state.retired.get(step) ?? {};
      return [step, { ...waitingStep(step, host, hosts, summary), attempt, undoAttempt }];
    }),
  );
  const isDone = (step: string): boolean => ['done', 'skipped'].includes(state.steps.get(step)?.phase ?? 'waiting');
  state.checkpoints = state.checkpoints.filter((name) => {
    const [was, is] = [stepsBefore(old, name), stepsBefore(revised.plan, name)];
    return is !== null && was?.length === is.length && is.every((step) => isDone(step) && was.includes(step));
  });
  learnReadings(state, at, readings, stateRefs as unknown as RunState['refs']);
}

/** The steps before a checkpoint; null when there is none of that name. */
function stepsBefore({ lines, checkpoints }: Plan, name: string): string[] | null {
  const checkpoint = checkpoints.find((one) => one.name === name);
  return checkpoint ? lines.slice(0, checkpoint.afterStep).map(({ step }) => step) : null;
}
