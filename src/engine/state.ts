import type { JournalRecord } from '../journal/journal.ts';
import type { Json } from '../lib/json.ts';
import type { Plan, Reading, Readings } from '../plan/plan.ts';
import type { ErrorReport, ProofLine } from './events.ts';
import { type StepState, waitingStep } from './step-state.ts';

export type RunPhase = 'running' | 'paused' | 'finished' | 'rolling-back' | 'rolled-back' | 'abandoned' | 'refused';

/** How a stored fact is read again: its kind's name and arguments. */
export interface StoredRef {
  readonly kind: string;
  readonly args: readonly Json[];
}

/** Everything known of a run: a fold of its records. */
export interface RunState {
  readonly run: string;
  readonly plan: Plan;
  /** Where the runbook was, as given. */
  readonly path: string;
  /** Frozen files of the runbook, root first. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  readonly inventory: string;
  /** The machine behind each host's name when the run began, as `user@address:port`; none in journals of older releases. */
  readonly machines: { readonly [host: string]: string };
  /** For each secret input: where it came from, and a keyed hash to refuse another value. */
  readonly secrets: { readonly [name: string]: { readonly source: string; readonly hash: string } };
  phase: RunPhase;
  epoch: number;
  startedAt: string;
  endedAt: string | null;
  steps: Map<string, StepState>;
  checkpoints: string[];
  /** Hosts on which this run holds a lease. */
  leases: string[];
  /** Hosts on which it ever held one: there, and on no other machine, it has left its folder. */
  workedOn: string[];
  /** Latest readings made by the run itself, over the plan's. */
  readings: Record<string, Record<string, Reading>>;
  /** When each of them was read, as ISO time; the plan's own at `plan.madeAt`. */
  readAt: Record<string, Record<string, string>>;
  /** Steps that a person lets be planned anew, because a fact they were planned on was moved by other hands. */
  replanned: Set<string>;
  /** Baseline for the proof: the first reading of each state fact, and how to read it again. */
  baseline: Readings;
  refs: Record<string, Record<string, StoredRef>>;
  /** What the readings were when each checkpoint was reached: what a rollback to it is proven against. */
  readingsAt: Record<string, Readings>;
  /** The first step done that writers came after; `isCrossed` once a change after it was begun, also when that was taken back. */
  writeLine: { readonly step: string; readonly at: string; readonly isCrossed: boolean } | null;
  pause: { readonly reason: string; readonly step: string | null; readonly error: ErrorReport | null } | null;
  rollbackTo: string | null;
  /** Whether the rollback under way goes across the write line, which somebody then agreed to. */
  crossing: boolean;
  /** Whether any rollback of this run went across it: from then on, what was written is kept by every undo. */
  crossed: boolean;
  proof: readonly ProofLine[] | null;
  kept: { readonly step: string; readonly host: string; readonly key: string | null; readonly what: string }[];
}

/** The state a run is in after its records. Pure; the first record must be `run.started`. */
export function foldRun(run: string, records: readonly JournalRecord[]): RunState {
  const first = records[0];
  if (first?.type !== 'run.started') throw new TypeError(`the records of ${run} do not begin with run.started`);
  const state = beginState(run, first);
  for (const record of records.slice(1)) applyRecord(state, record);
  return state;
}

/** Whether nothing is left to do or undo for a run but to give its hosts back. */
export function isOver({ phase }: Pick<RunState, 'phase'>): boolean {
  return ['finished', 'rolled-back', 'abandoned', 'refused'].includes(phase);
}

/** The state right after `run.started`. */
export function beginState(run: string, record: JournalRecord): RunState {
  const body = record.body as unknown as Pick<RunState, 'plan' | 'path' | 'sources' | 'inventory' | 'secrets'> & {
    readonly machines?: RunState['machines'];
  };
  return {
    run,
    plan: body.plan,
    path: body.path,
    sources: body.sources,
    inventory: body.inventory,
    machines: body.machines ?? {},
    secrets: body.secrets,
    phase: 'running',
    epoch: record.epoch,
    startedAt: record.at,
    endedAt: null,
    steps: new Map(body.plan.lines.map((line) => [line.step, waitingStep(line.step, line.host, line.hosts, line.summary)])),
    checkpoints: [],
    leases: [],
    workedOn: [],
    readings: structuredClone(body.plan.readings) as RunState['readings'],
    readAt: {},
    replanned: new Set(),
    baseline: structuredClone(body.plan.readings),
    refs: structuredClone(body.plan.stateRefs) as RunState['refs'],
    readingsAt: {},
    writeLine: null,
    pause: null,
    rollbackTo: null,
    crossing: false,
    crossed: false,
    proof: null,
    kept: [],
  };
}

/** Brings the state on by one record. Unknown types change nothing, so that a newer release's journal still reads. */
export function applyRecord(state: RunState, record: JournalRecord): void {
  const step = record.step === null ? undefined : state.steps.get(record.step);
  if (step) applyStepRecord(state, step, record);
  else applyRunRecord(state, record);
}

function applyRunRecord(state: RunState, { type, at, epoch, host, body }: JournalRecord): void {
  state.epoch = epoch;
  switch (type) {
    case 'lease.taken':
      if (host && !state.leases.includes(host)) state.leases.push(host);
      if (host && !state.workedOn.includes(host)) state.workedOn.push(host);
      break;
    case 'lease.released':
      state.leases = state.leases.filter((held) => held !== host);
      break;
    case 'checkpoint.reached':
      state.checkpoints.push(String(body.checkpoint));
      state.readingsAt[String(body.checkpoint)] = structuredClone(state.readings);
      break;
    case 'run.resumed':
      state.phase = 'running';
      state.pause = null;
      // What was proven held before the run went on.
      state.proof = null;
      break;
    case 'run.paused':
      if (state.phase === 'running') state.phase = 'paused';
      state.pause = body as unknown as RunState['pause'];
      break;
    case 'facts.accepted':
      learnReadings(state, at, body.readings as unknown as Readings, undefined);
      for (const step of body.steps as string[]) state.replanned.add(step);
      break;
    case 'run.finished':
      state.phase = 'finished';
      state.endedAt = at;
      break;
    case 'run.abandoned':
    case 'run.refused':
      state.phase = type === 'run.refused' ? 'refused' : 'abandoned';
      state.endedAt = at;
      break;
    case 'rollback.started':
      // One that goes on with another goes where that one went.
      state.crossing = body.crosses === true || (state.phase === 'rolling-back' && state.crossing);
      state.crossed ||= state.crossing;
      state.phase = 'rolling-back';
      state.rollbackTo = (body.to as string | null) ?? null;
      state.pause = null;
      break;
    case 'rollback.finished':
      state.proof = body.proof as unknown as readonly ProofLine[];
      state.phase = state.rollbackTo === null ? 'rolled-back' : 'paused';
      // What was undone is measured from here when it is done again.
      for (const [on, byKey] of Object.entries(body.readings as unknown as Readings))
        Object.assign((state.readings[on] ??= {}), byKey);
      state.checkpoints = state.checkpoints.slice(0, state.checkpoints.indexOf(state.rollbackTo ?? '') + 1);
      if (state.rollbackTo === null) state.endedAt = at;
      else reopen(state);
      break;
  }
}

/** After a rollback to a checkpoint, what was undone waits to be done again. Attempts go on counting: their folders are there. */
function reopen(state: RunState): void {
  const upTo = state.plan.checkpoints.find((checkpoint) => checkpoint.name === state.rollbackTo)?.afterStep ?? 0;
  for (const { step } of state.plan.lines.slice(upTo)) {
    const one = state.steps.get(step);
    if (one)
      state.steps.set(step, {
        ...waitingStep(step, one.host, one.hosts, one.summary),
        attempt: one.attempt,
        undoAttempt: one.undoAttempt,
      });
  }
  state.writeLine = state.writeLine && state.steps.get(state.writeLine.step)?.phase === 'done' ? state.writeLine : null;
}

function applyStepRecord(state: RunState, step: StepState, { type, at, host, body }: JournalRecord): void {
  if (body.readings)
    learnReadings(state, at, body.readings as unknown as Readings, body.refs as unknown as RunState['refs'] | undefined);
  if (typeof body.summary === 'string') step.summary = body.summary;
  switch (type) {
    case 'step.intended': {
      step.phase = 'doubt';
      step.attempt = Number(body.attempt);
      step.change = body.change as StepState['change'];
      step.hosts = body.hosts as unknown as readonly string[];
      // Only the first attempt's undo counts: a later one was planned on a state this step had already changed.
      if (step.undo === null) {
        step.irreversible = (body.irreversible as string | null) ?? null;
        step.undo = { undo: body.undo ?? null, summary: String(body.undoSummary) };
        step.generation = Number(body.generation ?? 0);
        step.firstAttempt = step.attempt;
        step.promised = body.outputs as StepState['promised'];
        step.keepOwed = Array.isArray(body.keep) && body.keep.length > 0;
      }
      step.startedAt ??= at;
      step.error = null;
      if (state.writeLine && isAfter(state.plan, step.step, state.writeLine.step))
        state.writeLine = { ...state.writeLine, isCrossed: true };
      break;
    }
    case 'step.kept':
      step.keepOwed = false;
      break;
    case 'step.applied':
      step.phase = 'applied';
      step.outputs = body.outputs as StepState['outputs'];
      break;
    case 'step.verified':
    case 'step.unchanged':
    case 'step.checked':
    case 'step.confirmed':
      step.phase = 'done';
      step.attempt = Math.max(step.attempt, 1);
      step.endedAt = at;
      step.error = null;
      if (body.outputs) step.outputs = body.outputs as StepState['outputs'];
      // A bare command may have moved anything on its hosts: what was read there before is no measure of drift any more.
      if (body.opaque === true) for (const touched of step.hosts) delete state.readings[touched];
      if (body.writeLine === true) state.writeLine ??= { step: step.step, at, isCrossed: false };
      break;
    case 'step.skipped':
      step.phase = 'skipped';
      step.endedAt = at;
      break;
    case 'step.failed':
      if (body.outcome !== 'unknown') step.phase = 'failed';
      step.error = body.error as unknown as ErrorReport;
      step.endedAt = at;
      break;
    case 'step.undoing':
      step.phase = 'undoing';
      step.undoAttempt = Number(body.attempt);
      break;
    case 'step.undone':
      step.phase = 'undone';
      step.error = null;
      for (const kept of (body.kept ?? []) as { host: string; key?: string; what: string }[]) {
        state.kept.push({ step: step.step, host: kept.host ?? host ?? step.host, key: kept.key ?? null, what: kept.what });
      }
      break;
    case 'step.undo-owed':
      step.phase = 'owed';
      step.error = body.error as unknown as ErrorReport;
      break;
    case 'step.undo-failed':
      step.error = body.error as unknown as ErrorReport;
      break;
  }
}

/** Whether a step comes after another in the order of the plan. */
export function isAfter({ lines }: Plan, step: string, other: string): boolean {
  const at = (id: string) => lines.findIndex((line) => line.step === id);
  return at(step) > at(other);
}

function learnReadings(state: RunState, at: string, readings: Readings, refs: RunState['refs'] | undefined): void {
  const baseline = state.baseline as Record<string, Record<string, Reading>>;
  for (const [host, byKey] of Object.entries(readings)) {
    for (const [key, reading] of Object.entries(byKey)) {
      (state.readings[host] ??= {})[key] = reading;
      (state.readAt[host] ??= {})[key] = at;
      (baseline[host] ??= {})[key] ??= reading;
    }
  }
  for (const [host, byKey] of Object.entries(refs ?? {})) Object.assign((state.refs[host] ??= {}), byKey);
}
