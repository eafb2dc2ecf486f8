import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed } from '../facts/fact.ts';
import { isoTime } from '../lib/clock.ts';
import type { Reading } from '../plan/plan.ts';
import { sameReading, showMove } from '../plan/publish.ts';
import { takeLeases } from './leases.ts';
import type { RunContext } from './run-context.ts';

/** A fact that is neither what the plan read nor what the run made of it since. */
interface Moved {
  readonly ref: FactRef<unknown>;
  readonly before: Reading;
  readonly now: Reading;
  /** Steps to come that were planned on it. */
  readonly steps: readonly string[];
}

/**
 * Compares what a step's facts are now with the plan's readings plus what the run did since. When one moved, a person may let
 * the steps that hang on it be planned anew.
 * @throws FACT_DRIFTED naming the first fact moved by other hands, and the steps planned on it
 */
export async function refuseDrift(
  context: RunContext,
  step: string,
  found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>,
): Promise<void> {
  const moved = movedAmong(context, found, [step]);
  const [first] = moved;
  if (!first) return;
  const error = driftError(context, step, first);
  const steps = [...new Set(moved.flatMap((one) => one.steps))];
  if ((await context.ports.askPerson(`${error.message} Plan ${steps.join(', ')} anew on what is there now?`)) !== true)
    throw error;
  await accept(context, moved);
}

/**
 * Takes what other hands have moved, of all that steps to come were planned on, for what is there now. What moves after this
 * is drift as before.
 */
export async function acceptMoved(context: RunContext): Promise<void> {
  const waiting = context.state.plan.lines.filter(({ step }) => context.stepState(step).phase === 'waiting');
  const refs = new Map<string, FactRef<unknown>>();
  for (const [host, key] of waiting.flatMap(({ facts }) => facts)) {
    const stored = context.state.refs[host]?.[key];
    if (!stored || refs.has(`${host} ${key}`)) continue;
    refs.set(`${host} ${key}`, { kind: await context.ports.factKind(stored.kind), args: stored.args, key, host });
  }
  const found = await context.observe([...refs.values()]);
  await accept(
    context,
    movedAmong(
      context,
      found,
      waiting.map(({ step }) => step),
    ),
  );
}

async function accept(context: RunContext, moved: readonly Moved[]): Promise<void> {
  if (moved.length === 0) return;
  const readings: { [host: string]: { [key: string]: Reading } } = {};
  for (const { ref, now } of moved) (readings[ref.host] ??= {})[ref.key] = now;
  const steps = [...new Set(moved.flatMap((one) => one.steps))];
  context.record('facts.accepted', { body: { readings, steps, by: context.ports.holder } });
  // What was there already, and so was no change, may be one now.
  await takeLeases(context);
  for (const { ref, before, now, steps: planned } of moved) {
    const shown = showMove(ref.kind, before, now);
    context.emit({
      type: 'note',
      text: `${ref.key} on ${ref.host} is ${shown.now} now (it was ${shown.before}); planned anew: ${planned.join(', ')}`,
    });
  }
}

/** The facts that moved, of those at least one of `steps` was planned on. */
function movedAmong(
  context: RunContext,
  found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>,
  steps: readonly string[],
): Moved[] {
  const { state } = context;
  return [...found].flatMap(([ref, observed]): Moved[] => {
    const before = state.readings[ref.host]?.[ref.key];
    if (!before || ref.kind.class !== 'state') return [];
    // What the plan could not look at for a step was not promised to it either.
    const planned = state.plan.lines.filter((line) => line.facts.some(([host, key]) => host === ref.host && key === ref.key));
    if (!planned.some(({ step }) => steps.includes(step))) return [];
    if (isAroundOurs(context, ref)) return [];
    const now = context.published(ref.kind, observed);
    if (sameReading(ref.kind, before, now)) return [];
    const toCome = planned.filter(({ step }) => steps.includes(step) || state.steps.get(step)?.phase === 'waiting');
    return [{ ref, before, now, steps: toCome.map(({ step }) => step) }];
  });
}

/** Whether the run itself has changed something within it: whose hands moved the whole can then not be told. */
function isAroundOurs({ state }: RunContext, { kind, args, key, host }: FactRef<unknown>): boolean {
  const { around } = kind;
  if (!around) return false;
  const changed = [...state.steps.values()].flatMap(({ change }) =>
    Object.keys((change?.predicts as { readonly [on: string]: object } | undefined)?.[host] ?? {}),
  );
  return changed.some((one) => one !== key && around(args, state.refs[host]?.[one]?.args ?? []));
}

function driftError({ state }: RunContext, step: string, { ref, before, now, steps }: Moved): FerryError<'FACT_DRIFTED'> {
  return new FerryError('FACT_DRIFTED', {
    step,
    host: ref.host,
    fact: ref.key,
    ...showMove(ref.kind, before, now),
    beforeAt: state.readAt[ref.host]?.[ref.key] ?? state.plan.madeAt,
    nowAt: isoTime(),
    others: steps.filter((one) => one !== step).join(', '),
    run: state.run,
  });
}
