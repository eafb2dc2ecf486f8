import type { Planned } from '../actions/action.ts';
import type { Step } from '../runbook/runbook.ts';

/** What a person is asked before a step is done, as far as it is known what the step does; undefined when nobody is asked. */
export function questionBefore(step: Step, planned: Planned | null): string | undefined {
  if (planned === null) return step.confirm;
  if (planned.kind === 'gate') return planned.question;
  if (planned.kind !== 'change') return undefined;
  return (
    step.confirm ??
    (planned.irreversible ? `${step.title ?? step.id} cannot be taken back: ${planned.irreversible}. Go on?` : undefined)
  );
}
