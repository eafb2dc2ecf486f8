import type { ActContext, Acting, Change } from '../actions/action.ts';
import type { Outputs } from '../actions/outputs.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { ActingHost, Host, Progress } from '../hosts/host.ts';
import { type AttemptId, keepPath } from '../hosts/layout.ts';
import { timerMs } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import type { StepPlan } from '../plan/plan-step.ts';
import type { Step } from '../runbook/runbook.ts';
import type { RunContext } from './run-context.ts';

type Planned = Extract<StepPlan, { kind: 'planned' }>;

/** The identity of an attempt: its folder on each host. */
export function attemptOf(context: RunContext, step: string, attempt: number, undo = false): AttemptId {
  return { run: context.state.run, step, attempt, epoch: context.state.epoch, undo };
}

/** What actions are given beside their hosts. */
export function actContext(context: RunContext, id: AttemptId, host: string, timeoutMs?: number): ActContext {
  const { generation, firstAttempt, attempt: last } = context.stepState(id.step);
  const attempts = Array.from({ length: last - firstAttempt + 1 }, (_, index) => firstAttempt + index);
  return {
    run: id.run,
    step: id.step,
    attempt: id.attempt,
    // Not the signal that stops new steps: a person who stops the run leaves the running command alone, unless they cancel it.
    // An undo is not cancelled: half a way back is no place to stop at.
    signal: AbortSignal.any([
      ...(id.undo ? [] : [context.ports.cancel]),
      ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timerMs(timeoutMs))]),
    ]),
    progress: progressOf(context, id.step, host),
    kept: (_host, name) => keepPath(id.run, id.step, name, generation),
    exitCodes: (effect) => context.ports.fleet.exitCodes(host, { run: id.run, step: id.step, attempts }, effect),
  };
}

/** Tells renderers how far a step has come. */
export function progressOf(context: RunContext, step: string, host: string): (progress: Progress) => void {
  const shownOf = context.ports.redactedLog();
  return ({ note = null, bytes = null, totalBytes = null, log: piece, stall }) => {
    const log = piece ? shownOf(piece) : null;
    if (stall?.why) context.emit({ type: 'step.stalled', step, host, ms: stall.ms, why: stall.why });
    else if (stall) context.emit({ type: 'step.moved', step, host, ms: stall.ms });
    else context.emit({ type: 'step.progressed', step, host, note, bytes, totalBytes, log });
  };
}

/** Runs an action's apply on machines bound to one attempt, and returns the outputs: what apply says over what the plan promised. */
export async function applyChange(
  context: RunContext,
  step: Step,
  plan: Planned,
  change: Change<Json>,
  attempt: number,
): Promise<Outputs> {
  const action = context.ports.actions.get(step.uses);
  if (!action?.apply) throw new FerryError('INTERNAL', { what: `${step.uses} plans a change and has no apply` });
  const id = attemptOf(context, step.id, attempt);
  const ctx = actContext(context, id, plan.site.host.name, step.timeoutMs);
  const on = (host: string): ActingHost => context.ports.fleet.acting(host, id, ctx.signal, ctx.progress, step.terms);
  const acting: Acting<unknown> & { change: Change<Json> } = {
    ...plan.site,
    on: on(plan.site.host.name),
    onRole: (role) => on(plan.site.hostOf(role).name),
    params: plan.params,
    ctx,
    change,
  };
  return { ...change.outputs, ...(await withinTime(context, step, ctx, action.apply(acting))) };
}

/** Runs a check's apply on machines that refuse to change anything. */
export async function applyCheck(context: RunContext, step: Step, plan: Planned): Promise<Outputs> {
  const action = context.ports.actions.get(step.uses);
  if (!action?.apply) return {};
  const ctx = actContext(context, attemptOf(context, step.id, 1), plan.site.host.name, step.timeoutMs);
  const on = (host: string): ActingHost => readOnly(context.ports.fleet.host(host), step.id);
  const none = {
    kind: 'change',
    summary: '',
    predicts: [],
    outputs: {},
    undo: null,
    undoSummary: '',
    data: null,
    keep: [],
    opaque: false,
  } as const;
  const asked = action.apply({
    ...plan.site,
    on: on(plan.site.host.name),
    onRole: (role) => on(plan.site.hostOf(role).name),
    params: plan.params,
    ctx,
    change: none,
  });
  return withinTime(context, step, ctx, asked);
}

/** @throws STEP_TIMEOUT when the step's own timeout ended the wait; what runs on the host goes on, and nothing more is begun */
async function withinTime(
  { ports: { cancel } }: RunContext,
  step: Step,
  ctx: ActContext,
  work: Promise<Outputs | undefined> | Promise<void>,
): Promise<Outputs> {
  // A short command hears no signal; the wait for it ends all the same, unless it is cancelled: then it is waited for.
  const late = Promise.withResolvers<never>();
  const end = () => cancel.aborted || late.reject(ctx.signal.reason);
  ctx.signal.addEventListener('abort', end);
  try {
    return (await Promise.race([work, late.promise])) ?? {};
  } catch (thrown) {
    if (!ctx.signal.aborted || cancel.aborted || step.timeoutMs === undefined) throw thrown;
    throw new FerryError('STEP_TIMEOUT', { step: step.id, limit: formatDuration(step.timeoutMs) }, { cause: thrown });
  } finally {
    // As long as someone listens, the signal and all the run that it can reach stay in memory, ended or not.
    ctx.signal.removeEventListener('abort', end);
  }
}

/** A machine for checks and counters: asked as any other, never changed. */
export function readOnly(host: Host, step: string): ActingHost {
  const refuse = () => Promise.reject(new FerryError('INTERNAL', { what: `the check ${step} tried to change ${host.name}` }));
  return {
    name: host.name,
    address: host.address,
    user: host.user,
    port: host.port,
    run: (script, options) => host.run(script, options),
    connect: (address, port, timeoutMs) => host.connect(address, port, timeoutMs),
    hostKey: () => host.hostKey(),
    change: refuse,
    detached: refuse,
    converse: refuse,
  };
}
