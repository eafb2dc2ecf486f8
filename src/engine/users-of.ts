import { namesOver } from '../plan/names.ts';
import { evaluate, evaluateWhen } from '../runbook/evaluate.ts';
import type { Step } from '../runbook/runbook.ts';
import type { RunContext } from './run-context.ts';

/** An output that a step uses, and which step. */
export interface OutputUse {
  readonly step: string;
  readonly output: string;
}

/** Which later steps use an output of this one. Pure but for the names of hosts. */
export function usersOf(context: RunContext, of: Step): OutputUse[] {
  const { steps } = context.ports.runbook;
  return steps.slice(steps.indexOf(of) + 1).flatMap((step) => {
    const used = new Set<string>();
    const names = namesOver(
      context.ports.inputs,
      (from, asked) => {
        if (from === of.id) used.add(asked);
        return undefined;
      },
      (role) => context.hostOfRole(role),
      context.ports.runbook.spread,
    );
    // What fails here fails where the step is planned, and is told there.
    for (const look of [() => evaluate(step.with, step.scope, names), () => evaluateWhen(step.when, names)]) {
      try {
        look();
      } catch {}
    }
    return [...used].map((output) => ({ step: step.id, output }));
  });
}
