import type { Change } from '../actions/action.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { nowMs, poll } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reading } from '../plan/plan.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyChange, attemptOf } from './act.ts';
import { conclude, doChange, handedOn, mergeOutputs } from './change.ts';
import { proveWayIn, settleDeadMan } from './dead-man.ts';
import { factsSeen, hostsSeen, isInDoubt } from './evidence.ts';
import { planAgreed } from './gates.ts';
import { type Evidence, type HostSeen, judgeDoubt, type Verdict } from './judge-doubt.ts';
import { actionOf, type FreshPlan, planFresh } from './plan-fresh.ts';
import { publishReadings, type RunContext } from './run-context.ts';
import { ended, started } from './tell.ts';

// A short command holds a host for minutes at most; what runs longer was started detached.
const SHORT_LIMIT_MS = 600_000;

/**
 * Goes on with a step that was begun and not finished. The attempt folders on its hosts tell what ran: what still runs is
 * waited for or re-attached to, what ended is not run again, and where a command died the facts decide whether the step
 * is done or a new attempt is needed.
 */
export async function settleStep(context: RunContext, step: Step): Promise<void> {
  const startedMs = nowMs();
  const before = { ...context.stepState(step.id) };
  const { phase } = before;
  if (!isInDoubt(phase)) throw new FerryError('INTERNAL', { what: `step ${step.id} is ${phase}, which needs no settling` });
  const converges = actionOf(context, step).converges !== false;
  const isPutBack = await settleDeadMan(context, step, false);
  const rested = await restingEffects(context, step.id, before.attempt, before.hosts, false);
  recordLost(context, step, before.attempt, rested);
  const plan = await planAgain(context, step);
  const journaled = journaledChange(before.change, before.undo?.undo ?? null, before.promised);
  const first = { hosts: rested, facts: factsSeen(context, before, plan.found) };
  const judged = judgeDoubt({ ...first, phase, converges, now: plan.planned.kind });
  // What the host has put back by itself is not there any more, whatever its commands ended with.
  if (!isPutBack && ['verify', 'join', 'gather'].includes(judged.settling)) {
    tellSettled(context, step, before.attempt, judged.verdict, first);
    if (judged.settling === 'verify') return conclude(context, step, plan, journaled, { ...before.outputs }, startedMs);
    if (await replay(context, step, plan, journaled, before.attempt, startedMs)) return;
  }

  // Before facts are asked, and perhaps changed again, nothing of this attempt may be at work any more.
  const hosts = await endEffects(context, step.id, before.attempt, before.hosts);
  let fresh: FreshPlan | null = await planAgain(context, step);
  const seen = { hosts, facts: factsSeen(context, before, fresh.found) };
  const { verdict } = judgeDoubt({ ...seen, phase: 'failed', converges, now: fresh.planned.kind });
  tellSettled(context, step, before.attempt, verdict, seen);
  const again = await planAgreed(context, step, async () => {
    const now = fresh ?? (await planAgain(context, step));
    // After a question all is read again: whoever was asked may have thought for hours.
    fresh = null;
    return now;
  });
  const { planned } = again;
  if (planned.kind === 'change') return doChange(context, step, again, planned, startedMs);
  if (planned.kind === 'blocked') {
    throw new FerryError('STEP_BLOCKED', { step: step.id, host: again.site.host.name, why: planned.summary, todo: planned.hint });
  }
  await proveWayIn(context, step, before.attempt);
  context.record('step.applied', {
    step: step.id,
    host: again.site.host.name,
    body: { outputs: mergeOutputs(before.promised, context.keepOutputs(step.id, planned.outputs)) },
  });
  context.record('step.verified', {
    step: step.id,
    host: again.site.host.name,
    body: { ...publishReadings(again.found), opaque: false, settled: true },
  });
  ended(context, step, again.site.host.name, 'ok', `${before.summary} (was done before the interruption)`, startedMs);
}

async function planAgain(context: RunContext, step: Step): Promise<FreshPlan> {
  const plan = await planFresh(context, step);
  if (!plan) throw new FerryError('INTERNAL', { what: `the condition of ${step.id} does not hold any more` });
  return plan;
}

/** Puts on record how a step in doubt stands and by what evidence, before anything is done about it; and tells it. */
function tellSettled(context: RunContext, step: Step, attempt: number, verdict: Verdict, { hosts, facts }: Evidence): void {
  const host = context.hostOfRole(step.role).name;
  context.record('step.settled', { step: step.id, host, body: { attempt, verdict, hosts, facts } });
  context.emit({ type: 'step.settled', step: step.id, host, attempt, verdict, hosts, facts });
}

/** Puts on record which commands died without a result: the reason why facts must decide. */
function recordLost(context: RunContext, step: Step, attempt: number, hosts: readonly HostSeen[]): void {
  for (const { host, commands } of hosts)
    for (const { name, state, why } of commands ?? [])
      if (state === 'lost') context.record('step.lost', { step: step.id, host, body: { attempt, effect: name, why } });
}

/** Nothing of an attempt runs any more when this returns: detached commands are ended, short ones come to their end. */
export async function endEffects(
  context: RunContext,
  step: string,
  attempt: number,
  hosts: readonly string[],
): Promise<HostSeen[]> {
  const id = attemptOf(context, step, attempt);
  await Promise.all(hosts.map((host) => context.ports.fleet.endDetached(host, id)));
  return restingEffects(context, step, attempt, hosts, true);
}

/**
 * What an attempt did, after its short commands came to rest; with `all`, its detached ones too.
 * @throws COMMAND_TIMEOUT when one does not
 */
export async function restingEffects(
  context: RunContext,
  step: string,
  attempt: number,
  hosts: readonly string[],
  all: boolean,
  undo = false,
): Promise<HostSeen[]> {
  const id = attemptOf(context, step, attempt, undo);
  let told = false;
  const resting = await poll(
    async () => {
      const found = await hostsSeen(context, id, hosts);
      const commands = found.flatMap(({ host, commands: left }) => (left ?? []).map((command) => ({ ...command, host })));
      const busy = commands.find((command) => command.state === 'running' && (all || !command.detached));
      if (!busy) return found;
      if (!told)
        context.emit({
          type: 'note',
          text: `${step}: what was begun before (${busy.name}) still runs on ${busy.host}; waiting for its end`,
        });
      told = true;
      return undefined;
    },
    { timeoutMs: SHORT_LIMIT_MS, intervalMs: 1000 },
  );
  if (resting) return resting;
  throw new FerryError('COMMAND_TIMEOUT', {
    host: hosts.join(', '),
    what: `A command of ${step} that still runs`,
    limit: '10 min',
  });
}

/** False when a command turned out to have died, so that facts must decide. */
async function replay(
  context: RunContext,
  step: Step,
  plan: FreshPlan,
  change: JournaledChange,
  attempt: number,
  startedMs: number,
): Promise<boolean> {
  started(context, step, plan.site.host.name, attempt, change.summary, true);
  try {
    const outputs = await applyChange(context, step, plan, { ...change, predicts: [] }, attempt);
    await conclude(context, step, plan, change, handedOn(context, step, attempt, outputs), startedMs);
    return true;
  } catch (thrown) {
    if (!isFerryError(thrown, 'COMMAND_LOST')) throw thrown;
    context.record('step.lost', { step: step.id, host: thrown.args.host, body: { attempt, why: thrown.args.why } });
    return false;
  }
}

type JournaledChange = Omit<Change<Json>, 'predicts'> & {
  readonly predicts: { readonly [host: string]: { readonly [key: string]: Reading | null } };
};

function journaledChange(
  change: { readonly [name: string]: Json } | null,
  undo: Json,
  promised: { readonly [name: string]: Json },
): JournaledChange {
  return {
    kind: 'change',
    summary: String(change?.summary ?? ''),
    data: change?.data ?? null,
    predicts: (change?.predicts ?? {}) as unknown as JournaledChange['predicts'],
    opaque: change?.opaque === true,
    outputs: promised,
    undo,
    undoSummary: '',
    keep: [],
  };
}
