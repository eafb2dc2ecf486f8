import type { FactKind, FactRef } from '../facts/fact.ts';
import type { Json } from '../lib/json.ts';
import type { Reading, Readings } from '../plan/plan.ts';
import { sameReading, showMove, showReading } from '../plan/publish.ts';
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
    const before = (at ?? context.state.baseline)[ref.host]?.[ref.key];
    const observed = now.get(ref) ?? { state: 'unreadable', why: 'no answer' };
    const line = judge(context.state, ref, before, context.published(ref.kind, observed));
    return line.verdict === 'differs' ? { ...line, why: byHandAt(context.state, ref) } : line;
  });
  return { proof, readings: publishReadings(now).readings };
}

/**
 * One line of the proof. What a step said it keeps on purpose may differ; anything else must be equal, and what
 * cannot be read any more is not. Of what nobody could read in time it is not known. Pure.
 */
export function judge(
  state: Pick<RunState, 'kept'>,
  ref: { host: string; key: string; kind: FactKind<unknown> },
  before: Reading | undefined,
  now: Reading,
): ProofLine {
  const at = { host: ref.host, key: ref.key };
  const shown = showReading(ref.kind, now);
  if (!before)
    return {
      ...at,
      before: 'not read',
      now: shown,
      verdict: 'unknown',
      why: `a command had changed ${ref.host} before it was first read`,
    };
  const line = { ...at, ...showMove(ref.kind, before, now) };
  if (before.state === 'unreadable') return { ...line, verdict: 'unknown', why: 'it could not be read before' };
  if (sameReading(ref.kind, before, now))
    return { ...at, before: showReading(ref.kind, before), now: shown, verdict: 'equal', why: null };
  const kept = state.kept.find((one) => one.host === ref.host && one.key === ref.key);
  return kept ? { ...line, verdict: 'kept', why: kept.what } : { ...line, verdict: 'differs', why: null };
}

/** What a person decided about a step that was to change a fact: the reason why it may differ. */
function byHandAt(
  { steps, plan }: Pick<RunState, 'steps' | 'plan'>,
  { host, key }: { host: string; key: string },
): string | null {
  const line = plan.lines.find(({ step, predicts }) => predicts[host]?.[key] !== undefined && steps.get(step)?.byHand);
  const decided = line && steps.get(line.step)?.byHand;
  return decided ? `${line.step} was ${decided.what} by ${decided.by}` : null;
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
