import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import { publishReading, sameReading, showMove } from '../plan/publish.ts';
import type { RunContext } from './run-context.ts';

/**
 * Compares what a step's facts are now with the plan's readings plus what the run did since.
 * @throws FACT_DRIFTED naming the first fact moved by other hands, and the steps planned on it
 */
export function refuseDrift(context: RunContext, step: string, found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>): void {
  const line = context.state.plan.lines.find((one) => one.step === step);
  for (const [ref, observed] of found) {
    // What the plan could not look at for this step was not promised either.
    const planned = line?.facts.some(([host, key]) => host === ref.host && key === ref.key);
    const before = context.state.readings[ref.host]?.[ref.key];
    if (!planned || !before || ref.kind.class !== 'state') continue;
    const now = publishReading(ref.kind, observed);
    if (sameReading(ref.kind, before, now)) continue;
    const others = context.state.plan.lines.filter(
      (one) =>
        one.step !== step &&
        context.state.steps.get(one.step)?.phase === 'waiting' &&
        one.facts.some(([host, key]) => host === ref.host && key === ref.key),
    );
    throw new FerryError('FACT_DRIFTED', {
      step,
      host: ref.host,
      fact: ref.key,
      ...showMove(ref.kind, before, now),
      others: others.map((one) => one.step).join(', '),
    });
  }
}
