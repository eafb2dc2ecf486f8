import type { JournalRecord } from '../journal/journal.ts';
import type { Readings } from '../plan/plan.ts';
import type { ProofLine } from './events.ts';
import { applyGateRecord, forgetRejections, voidAnswers } from './fold-gate.ts';
import { applyRevision } from './fold-revision.ts';
import { applyStepRecord, learnReadings } from './fold-step.ts';
import type { RunState } from './state.ts';
import { waitingStep } from './step-state.ts';

/** The state a run is in after its records. Pure; the first record must be `run.started`. */
export function foldRun(run: string, records: readonly JournalRecord[]): RunState {
  const first = records[0];
  if (first?.type !== 'run.started') throw new TypeError(`the records of ${run} do not begin with run.started`);
  const state = beginState(run, first);
  for (const record of records.slice(1)) applyRecord(state, record);
  return state;
}

/** The state right after `run.started`. */
export function beginState(run: string, record: JournalRecord): RunState {
  const body = record.body as unknown as Pick<RunState, 'plan' | 'path' | 'sources' | 'inventory' | 'secrets'> & {
    readonly machines?: RunState['machines'];
    readonly windowEndsAt?: string | null;
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
    seq: record.seq,
    epoch: record.epoch,
    startedAt: record.at,
    endedAt: null,
    windowEndsAt: body.windowEndsAt ?? null,
    steps: new Map(body.plan.lines.map((line) => [line.step, waitingStep(line.step, line.host, line.hosts, line.summary)])),
    retired: new Map(),
    gates: {},
    checkpoints: [],
    leases: [],
    workedOn: [],
    markedOn: [],
    readings: structuredClone(body.plan.readings) as RunState['readings'],
    readAt: {},
    replanned: new Set(),
    baseline: structuredClone(body.plan.readings),
    refs: structuredClone(body.plan.stateRefs) as RunState['refs'],
    readingsAt: {},
    writeLine: null,
    cleaned: null,
    cleanedAt: null,
    pause: null,
    rollbackTo: null,
    crossing: false,
    proof: null,
    kept: [],
  };
}

/** Brings the state on by one record. Unknown types change nothing, so that a newer release's journal still reads. */
export function applyRecord(state: RunState, record: JournalRecord): void {
  state.seq = record.seq;
  const step = record.step === null ? undefined : state.steps.get(record.step);
  if (step) applyGateRecord(state, step.step, record);
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
      if (typeof body.windowEndsAt === 'string') state.windowEndsAt = body.windowEndsAt;
      forgetRejections(state);
      // What was proven held before the run went on.
      state.proof = null;
      break;
    case 'run.paused':
      if (state.phase === 'running') state.phase = 'paused';
      state.pause = body as unknown as RunState['pause'];
      break;
    case 'run.taken-over':
      // A rollback goes on as one; what went forward waits for `resume`.
      if (state.phase === 'running') state.phase = 'paused';
      state.pause = { reason: 'taken over', step: null, error: null };
      if (typeof body.inventory === 'string') state.inventory = body.inventory;
      if (Array.isArray(body.hosts)) state.markedOn = [...new Set([...state.markedOn, ...(body.hosts as string[])])];
      break;
    case 'secrets.rekeyed':
      state.secrets = { ...state.secrets, ...(body.secrets as RunState['secrets']) };
      break;
    case 'facts.accepted':
      learnReadings(state, at, body.readings as unknown as Readings, undefined);
      for (const step of body.steps as string[]) state.replanned.add(step);
      voidAnswers(state);
      break;
    case 'run.revised':
      applyRevision(state, at, body);
      voidAnswers(state);
      break;
    case 'run.finished':
      state.phase = 'finished';
      state.endedAt = at;
      break;
    case 'run.taken-back':
      // Known from its hosts, after a takeover from one of them.
      state.phase = 'rolled-back';
      state.pause = null;
      state.endedAt = at;
      for (const step of state.steps.values()) if (step.undo !== null) step.phase = 'undone';
      break;
    case 'run.abandoned':
    case 'run.refused':
      state.phase = type === 'run.refused' ? 'refused' : 'abandoned';
      state.endedAt = at;
      break;
    case 'run.cleaned':
      state.cleaned ??= [];
      state.cleanedAt ??= at;
      break;
    case 'host.cleaned':
      if (host) state.cleaned = [...(state.cleaned ?? []), host];
      break;
    case 'rollback.started':
      // One that goes on with another goes where that one went.
      state.crossing = body.crosses === true || (state.phase === 'rolling-back' && state.crossing);
      for (const step of state.steps.values()) {
        step.blockedBy = [];
        // Also what stays standing before a checkpoint: writers wrote into that too.
        if (state.crossing && step.undo !== null) step.mayHoldWrites = true;
      }
      state.phase = 'rolling-back';
      state.rollbackTo = (body.to as string | null) ?? null;
      state.pause = null;
      voidAnswers(state);
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
