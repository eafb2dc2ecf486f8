import type { FactKind, FactRef } from '../facts/fact.ts';
import type { Json } from '../lib/json.ts';
import type { Reading, Readings } from '../plan/plan.ts';
import { publishReading, sameReading, showMove, showReading } from '../plan/publish.ts';
import type { ProofLine } from './events.ts';
import { publishReadings, type RunContext } from './run-context.ts';
import type { RunState } from './state.ts';

/**
 * Reads every state fact the run ever looked at and compares it with what it was: before the run, or, for a rollback to a
 * checkpoint, when that was reached. Gives the lines of the proof and the readings they rest on.
 */
export async function proveRollback(
  context: RunContext,
  to: string | undefined,
): Promise<{ proof: ProofLine[]; readings: Readings }> {
  const refs = await storedRefs(context);
  const now = await context.observe(refs);
  const at = to === undefined ? undefined : context.state.readingsAt[to];
  const proof = refs.map((ref) => {
    const before = at?.[ref.host]?.[ref.key] ?? context.state.baseline[ref.host]?.[ref.key] ?? { state: 'absent' };
    const observed = now.get(ref) ?? { state: 'unreadable', why: 'no answer' };
    return judge(context.state, ref, before, publishReading(ref.kind, observed));
  });
  return { proof, readings: publishReadings(now).readings };
}

/** One line of the proof. What a step said it keeps on purpose may differ; anything else must be equal. Pure. */
export function judge(
  state: Pick<RunState, 'kept'>,
  ref: { host: string; key: string; kind: FactKind<unknown> },
  before: Reading,
  now: Reading,
): ProofLine {
  const at = { host: ref.host, key: ref.key };
  if (sameReading(ref.kind, before, now))
    return { ...at, before: showReading(ref.kind, before), now: showReading(ref.kind, now), verdict: 'equal', why: null };
  const line = { ...at, ...showMove(ref.kind, before, now) };
  const kept = state.kept.find((one) => one.host === ref.host && one.key === ref.key);
  return kept ? { ...line, verdict: 'kept', why: kept.what } : { ...line, verdict: 'differs', why: null };
}

async function storedRefs(context: RunContext): Promise<FactRef<unknown>[]> {
  const refs: FactRef<unknown>[] = [];
  for (const [host, byKey] of Object.entries(context.state.refs)) {
    for (const [key, { kind, args }] of Object.entries(byKey)) {
      refs.push({ kind: await context.ports.factKind(kind), args: args as readonly Json[], key, host });
    }
  }
  return refs;
}
