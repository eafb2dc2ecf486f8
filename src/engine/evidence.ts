import type { FactRef, Observed } from '../facts/fact.ts';
import type { Effect } from '../hosts/fleet.ts';
import type { AttemptId } from '../hosts/layout.ts';
import type { Reading } from '../plan/plan.ts';
import { sameReading, showMove, showReading } from '../plan/publish.ts';
import type { Step } from '../runbook/runbook.ts';
import { attemptOf } from './act.ts';
import { type Evidence, type FactSeen, type HostSeen, judgeDoubt, type Verdict } from './judge-doubt.ts';
import { actionOf } from './plan-fresh.ts';
import type { RunContext } from './run-context.ts';
import type { StepState } from './step-state.ts';

/** A step that was begun and not finished, as somebody sees it who looks at its hosts and changes nothing. */
export interface DoubtSeen extends Evidence {
  readonly step: string;
  readonly host: string;
  readonly attempt: number;
  readonly verdict: Verdict;
}

/** Whether a step was begun, and no record says how it ended. */
export function isInDoubt(phase: StepState['phase']): phase is 'doubt' | 'applied' | 'failed' {
  return phase === 'doubt' || phase === 'applied' || phase === 'failed';
}

/** What an attempt of a step left on each of its hosts. */
export async function hostsSeen(context: RunContext, id: AttemptId, hosts: readonly string[]): Promise<HostSeen[]> {
  return Promise.all(
    hosts.map(async (host) => {
      const effects = await context.ports.fleet.effects(host, id);
      return { host, commands: effects?.map(commandSeen) ?? null };
    }),
  );
}

function commandSeen({ name, detached, state, code, why = 'it left no exit code and does not run' }: Effect) {
  return { name, detached, state, code: code ?? null, why: state === 'lost' ? why : null };
}

/** The state facts of a step that it changes or that have moved: before its first attempt, as it was to make them, and now. */
export function factsSeen(
  context: RunContext,
  { before, change }: Pick<StepState, 'before' | 'change'>,
  found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>,
): FactSeen[] {
  const predicts = (change?.predicts ?? {}) as unknown as { [host: string]: { [key: string]: Reading | null } };
  return [...found].flatMap(([{ kind, host, key }, observed]): FactSeen[] => {
    if (kind.class !== 'state') return [];
    const now = context.published(kind, observed);
    const was = before[host]?.[key] ?? now;
    const planned = predicts[host]?.[key] ?? null;
    const isBefore = sameReading(kind, was, now);
    if (!planned && isBefore) return [];
    const stands = planned && sameReading(kind, planned, now) ? 'as-planned' : isBefore ? 'as-before' : 'otherwise';
    const moved = planned ? showMove(kind, was, planned) : { before: showReading(kind, was), now: null };
    return [{ host, key, before: moved.before, planned: moved.now, now: nowShown(kind, was, planned, now, stands), stands }];
  });
}

/** What a fact is now, told apart from what it was and what it was to be. */
function nowShown(
  kind: FactRef<unknown>['kind'],
  was: Reading,
  planned: Reading | null,
  now: Reading,
  stands: FactSeen['stands'],
): string {
  if (stands === 'as-before') return planned ? showMove(kind, now, planned).before : showReading(kind, now);
  return showMove(kind, stands === 'as-planned' ? was : (planned ?? was), now).now;
}

/** Looks at every step that was begun and not finished, waiting for nothing. */
export async function seeDoubts(context: RunContext): Promise<DoubtSeen[]> {
  const steps = context.ports.runbook.steps.filter((step) => isInDoubt(context.stepState(step.id).phase));
  return Promise.all(steps.map((step) => seeDoubt(context, step)));
}

async function seeDoubt(context: RunContext, step: Step): Promise<DoubtSeen> {
  const state = context.stepState(step.id);
  const { host, attempt, phase } = state;
  const hosts = await hostsSeen(context, attemptOf(context, step.id, attempt), state.hosts);
  const facts = factsSeen(context, state, await context.observe(await recordedRefs(context, state)));
  const converges = actionOf(context, step).converges !== false;
  const { verdict } = judgeDoubt({ hosts, facts, phase: isInDoubt(phase) ? phase : 'doubt', converges, now: null });
  return context.ports.redact({ step: step.id, host, attempt, verdict, hosts, facts });
}

/** The state facts that a step was begun on, as its record names them. */
export async function recordedRefs(context: RunContext, state: StepState): Promise<FactRef<unknown>[]> {
  const named = Object.entries(state.before).flatMap(([host, byKey]) => Object.keys(byKey).map((key) => ({ host, key })));
  const refs = await Promise.all(
    named.map(async ({ host, key }) => {
      const stored = context.state.refs[host]?.[key];
      return stored ? [{ kind: await context.ports.factKind(stored.kind), args: stored.args, key, host }] : [];
    }),
  );
  return refs.flat();
}
