import { FerryError } from '../errors/ferry-error.ts';
import { isoTime, nowMs, poll } from '../lib/clock.ts';
import { digestOf } from '../lib/json.ts';
import { questionBefore } from '../plan/question.ts';
import type { Step } from '../runbook/runbook.ts';
import type { AskedGate, GateAnswer } from './gate-state.ts';
import type { FreshPlan } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';

const LOOK_EVERY_MS = 1000;
// A person who answers at once finds the connections open.
const REST_AFTER_MS = 5000;

/**
 * Plans a step until what it would do is agreed to by a person, where it asks for that. People may think for hours: what was
 * read before an answer is read again after it, and a step that would then do something else is asked about again.
 * @throws GATE_WAITS, GATE_REJECTED
 */
export async function planAgreed<P extends FreshPlan | null>(
  context: RunContext,
  step: Step,
  plan: () => Promise<P>,
): Promise<P> {
  for (;;) {
    const fresh = await plan();
    const asked = fresh && whatIsAsked(context, step, fresh);
    if (!asked) return fresh;
    context.catchUp();
    const answer = answerTo(context, step, asked);
    if (answer?.verdict === 'rejected') throw rejected(context, step, answer);
    if (answer) {
      if (answer.isFromElsewhere) tell(context, step, answer);
      return fresh;
    }
    await askFor(context, step, asked);
  }
}

function whatIsAsked(context: RunContext, step: Step, { planned }: FreshPlan): AskedGate | null {
  const question = questionBefore(step, planned);
  if (question === undefined) return null;
  const changing = planned.kind === 'change' ? planned : null;
  const asked = context.ports.redact({
    question,
    summary: planned.summary,
    diff: changing?.diff ?? [],
    undo: changing?.undoSummary ?? null,
  });
  return { ...asked, digest: digestOf({ plan: context.state.plan.digest, ...asked }) };
}

/** The answer that holds for what is asked, when there is one. One given beforehand holds for a step that was not planned anew. */
function answerTo({ state }: RunContext, step: Step, asked: AskedGate): GateAnswer | null {
  const { answer, used } = state.gates[step.id] ?? {};
  if (!answer || used || answer.plan !== state.plan.digest) return null;
  const isMeant =
    answer.digest === null ? answer.question === asked.question && !state.replanned.has(step.id) : answer.digest === asked.digest;
  return isMeant ? answer : null;
}

function rejected({ state }: RunContext, step: Step, { question, by, at, comment }: GateAnswer): FerryError {
  return new FerryError('GATE_REJECTED', { step: step.id, question, by, at, why: comment ?? '', run: state.run });
}

function tell(context: RunContext, step: Step, { verdict, by, at, comment }: GateAnswer): void {
  const host = context.hostOfRole(step.role).name;
  context.emit({ type: 'gate.answered', step: step.id, host, verdict, by, answeredAt: at, comment });
}

/**
 * Returns when an answer is on record, from this terminal, from `--yes`, or from a command elsewhere. Where nobody sits, it
 * waits as long as it was told to.
 * @throws GATE_WAITS when the answer is no, or nobody gave one
 */
async function askFor(context: RunContext, step: Step, asked: AskedGate): Promise<void> {
  const { ports, state } = context;
  const about = { step: step.id, body: { question: asked.question, plan: state.plan.digest, digest: asked.digest } };
  const confirm = (how: string) => context.record('gate.confirmed', { ...about, body: { ...about.body, by: ports.holder, how } });
  if (ports.gates.yes) return void confirm('--yes');
  const host = context.hostOfRole(step.role).name;
  context.record('gate.asked', { ...about, host, body: { ...asked, plan: state.plan.digest } });
  const { canAsk, waitMs } = ports.gates;
  const limitMs = waitMs ?? (canAsk ? Number.POSITIVE_INFINITY : 0);
  const until = Number.isFinite(limitMs) && limitMs > 0 ? isoTime(nowMs() + limitMs) : null;
  const { question, summary, diff, digest } = asked;
  context.emit({ type: 'gate.waiting', step: step.id, host, question, summary, diff, digest, isHeld: limitMs > 0, until });
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, ports.signal, context.floor.gatesOff.signal]);
  context.floor.waiting += 1;
  try {
    const elsewhere = answeredElsewhere(context, step, limitMs, signal);
    const typed = canAsk ? await Promise.race([ports.ask(question, signal), elsewhere]) : await elsewhere;
    if (typed === 'answered') return;
    if (typed === true) return void confirm('in the terminal');
    // A no at the terminal ends what the person looks at; a gate that nobody answered holds up no other step.
    if (typed === false) context.floor.gatesOff.abort();
    throw new FerryError('GATE_WAITS', { step: step.id, question, run: state.run });
  } finally {
    over.abort();
    context.floor.waiting -= 1;
  }
}

/** Looks for an answer that another process puts on record; null when none came in time. No connection is held meanwhile. */
async function answeredElsewhere(
  context: RunContext,
  step: Step,
  limitMs: number,
  signal: AbortSignal,
): Promise<'answered' | null> {
  const restAt = nowMs() + REST_AFTER_MS;
  const look = async () => {
    context.catchUp();
    if (context.state.gates[step.id]?.answer) return 'answered' as const;
    // Steps side by side need theirs.
    if (nowMs() >= restAt && context.floor.waiting === context.floor.underWay) context.ports.fleet.rest();
    return undefined;
  };
  try {
    return (await poll(look, { timeoutMs: limitMs, intervalMs: LOOK_EVERY_MS, signal })) ?? null;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    return null;
  }
}
