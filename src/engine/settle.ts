import type { Change } from '../actions/action.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Effect } from '../hosts/fleet.ts';
import { nowMs, poll } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Reading } from '../plan/plan.ts';
import type { Step } from '../runbook/runbook.ts';
import { applyChange, attemptOf } from './act.ts';
import { conclude, doChange, mergeOutputs } from './change.ts';
import { settleDeadMan } from './dead-man.ts';
import { planAgreed } from './gates.ts';
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
  const before = context.stepState(step.id);
  const crashed = before.phase !== 'failed';
  const isPutBack = await settleDeadMan(context, step, false);
  const effects = await restingEffects(context, step.id, before.attempt, before.hosts, false);
  recordLost(context, step, before.attempt, effects);
  const plan = await planAgain(context, step);
  const journaled = journaledChange(before.change, before.undo?.undo ?? null, before.promised);
  if (before.phase === 'applied' && !isPutBack) return conclude(context, step, plan, journaled, { ...before.outputs }, startedMs);
  if (
    !isPutBack &&
    canReplay(context, step, effects, crashed) &&
    (await replay(context, step, plan, journaled, before.attempt, startedMs))
  )
    return;

  // Before facts are asked, and perhaps changed again, nothing of this attempt may be at work any more.
  await endEffects(context, step.id, before.attempt, before.hosts);
  const again = await planAgreed(context, step, () => planAgain(context, step));
  const { planned } = again;
  if (planned.kind === 'change') return doChange(context, step, again, planned, startedMs);
  if (planned.kind === 'blocked') {
    throw new FerryError('STEP_BLOCKED', { step: step.id, host: again.site.host.name, why: planned.summary, todo: planned.hint });
  }
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

type Found = Effect & { readonly host: string };

/** Puts on record which commands died without a result: the reason why facts must decide. */
function recordLost(context: RunContext, step: Step, attempt: number, effects: readonly Found[]): void {
  for (const { name, host, state, why = 'it left no exit code and does not run' } of effects) {
    if (state !== 'lost') continue;
    context.record('step.lost', {
      step: step.id,
      host,
      body: { attempt, effect: name, why },
    });
    context.emit({
      type: 'note',
      text: `${step.id}: what was begun before (${name}) left no exit code on ${host}: ${why}; what is there now decides what is left to do`,
    });
  }
}

/** Nothing of an attempt runs any more when this returns: detached commands are ended, short ones come to their end. */
export async function endEffects(context: RunContext, step: string, attempt: number, hosts: readonly string[]): Promise<void> {
  const id = attemptOf(context, step, attempt);
  await Promise.all(hosts.map((host) => context.ports.fleet.endDetached(host, id)));
  await restingEffects(context, step, attempt, hosts, true);
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
): Promise<Found[]> {
  const id = attemptOf(context, step, attempt, undo);
  let told = false;
  const resting = await poll(
    async () => {
      const byHost = hosts.map(async (host) =>
        ((await context.ports.fleet.effects(host, id)) ?? []).map((effect) => ({ ...effect, host })),
      );
      const found = (await Promise.all(byHost)).flat();
      const busy = found.find((effect) => effect.state === 'running' && (all || !effect.detached));
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

/** Apply is called again only where every command it gave is accounted for, so that each returns what it left. */
function canReplay(context: RunContext, step: Step, effects: readonly Effect[], crashed: boolean): boolean {
  if (effects.length === 0 || effects.some((effect) => effect.state === 'lost')) return false;
  if (effects.some((effect) => effect.detached && effect.state === 'running')) return true;
  return crashed && (effects.some((effect) => effect.detached) || actionOf(context, step).converges === false);
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
    await conclude(context, step, plan, change, context.keepOutputs(step.id, outputs), startedMs);
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
