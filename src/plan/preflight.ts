import type { Action, Ask, Preflight } from '../actions/action.ts';
import type { FactRef, FactTree } from '../facts/fact.ts';
import type { HostInfo } from '../hosts/host.ts';
import { evaluate, evaluateWhen } from '../runbook/evaluate.ts';
import type { Step } from '../runbook/runbook.ts';
import { factsOf, type Look, refsOf } from './fact-view.ts';
import { parseParams, type StepView, siteOf } from './plan-step.ts';

/** Thrown through a preflight that asked for what was not read yet. */
class NotRead extends Error {}

/** Makes `ask` over a view; what is not there yet goes into `wanted`. */
export function askOver(look: (ref: FactRef<unknown>) => Look, wanted: (ref: FactRef<unknown>) => void): Ask {
  return (tree) => {
    const missing = refsOf(tree as FactTree).filter((ref) => look(ref) === 'missing');
    for (const ref of missing) wanted(ref);
    if (missing.length > 0) throw new NotRead();
    return factsOf(tree, look);
  };
}

/** What `work` finds; null while something it asked for was not read. */
export function whenRead<T>(work: () => T): T | null {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof NotRead) return null;
    throw thrown;
  }
}

/** What a step's own preflight finds; null when there is none, or it cannot be told yet. */
export function preflightStep(
  step: Step,
  action: Action,
  view: Pick<StepView, 'names' | 'hostOfRole'> & { readonly ask: Ask; readonly hosts: readonly HostInfo[] },
): Preflight | null {
  if (!action.preflight) return null;
  if (step.when) {
    const when = evaluateWhen(step.when, view.names);
    if (!when.known || !when.value) return null;
  }
  const evaluated = evaluate(step.with, step.scope, view.names);
  if (!evaluated.known) return null;
  const params = parseParams(step, action, evaluated.value);
  const hostAt = (address: string) => view.hosts.find((host) => host.address.toLowerCase() === address.toLowerCase());
  return whenRead(() => action.preflight?.(params, view.ask, { ...siteOf(step, view), hostAt }) ?? null);
}
