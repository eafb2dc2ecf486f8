import { FerryError } from '../errors/ferry-error.ts';
import type { FactRef, Observed, Prediction } from '../facts/fact.ts';
import { poll } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Reading } from '../plan/plan.ts';
import { publishReading, sameReading, showReading } from '../plan/publish.ts';
import type { RunContext } from './run-context.ts';

const DEFAULT_LIMIT_MS = 60_000;

type Found = ReadonlyMap<FactRef<unknown>, Observed<unknown>>;

/**
 * Waits until what was predicted holds and returns the readings that show it. `predicts` compares full values in memory;
 * after a crash only the published forms of the journal are left, in `published`.
 * @throws VERIFY_FAILED when it does not hold within the limit
 */
export async function verify(
  context: RunContext,
  about: {
    step: string;
    host: string;
    limitMs: number | undefined /** When it would be put back anyway. */;
    withinMs?: number | undefined;
  },
  refs: readonly FactRef<unknown>[],
  predicted: readonly Prediction[] | { readonly [host: string]: { readonly [key: string]: Reading | null } },
): Promise<Found> {
  const wanted = Array.isArray(predicted)
    ? inMemory(predicted)
    : fromJournal(predicted as { [host: string]: { [key: string]: Reading | null } });
  const state = refs.filter((ref) => ref.kind.class === 'state');
  const limitMs = Math.min(about.limitMs ?? DEFAULT_LIMIT_MS, about.withinMs ?? Number.POSITIVE_INFINITY);
  let last: Found = new Map();
  const held = await poll(
    async () => {
      last = await context.observe(state);
      return state.every((ref) => wanted(ref, last.get(ref))) ? last : undefined;
    },
    { timeoutMs: limitMs, intervalMs: 1000 },
  );
  if (held) return held;
  const wrong = state.find((ref) => !wanted(ref, last.get(ref)));
  const now = wrong && last.get(wrong);
  throw new FerryError('VERIFY_FAILED', {
    step: about.step,
    host: wrong?.host ?? about.host,
    fact: wrong?.key ?? 'a fact',
    wanted: wrong ? describeWanted(wrong, predicted) : 'as planned',
    now: wrong && now ? showReading(wrong.kind, publishReading(wrong.kind, now)) : 'unknown',
    limit: formatDuration(limitMs),
  });
}

type Wanted = (ref: FactRef<unknown>, found: Observed<unknown> | undefined) => boolean;

function inMemory(predicts: readonly Prediction[]): Wanted {
  const byId = new Map(predicts.map((prediction) => [`${prediction.host} ${prediction.key}`, prediction]));
  return (ref, found) => {
    const to = byId.get(`${ref.host} ${ref.key}`)?.to;
    if (!to) return true;
    if (to.state === 'value' && found?.state === 'value') return ref.kind.meets(found.value, to.value);
    return to.state === found?.state;
  };
}

function fromJournal(published: { readonly [host: string]: { readonly [key: string]: Reading | null } }): Wanted {
  return (ref, found) => {
    const to = published[ref.host]?.[ref.key];
    return !to || (found !== undefined && sameReading(ref.kind, to, publishReading(ref.kind, found)));
  };
}

function describeWanted(
  ref: FactRef<unknown>,
  predicted: readonly Prediction[] | { readonly [host: string]: { readonly [key: string]: Reading | null } },
): string {
  if (!Array.isArray(predicted)) {
    const to = (predicted as { [host: string]: { [key: string]: Reading | null } })[ref.host]?.[ref.key];
    return to ? showReading(ref.kind, to) : 'as planned';
  }
  const to = (predicted as readonly Prediction[]).find((one) => one.host === ref.host && one.key === ref.key)?.to;
  return to ? showReading(ref.kind, publishReading(ref.kind, to)) : 'as planned';
}
