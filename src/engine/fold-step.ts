import type { JournalRecord } from '../journal/journal.ts';
import type { Reading, Readings } from '../plan/plan.ts';
import type { ErrorReport } from './events.ts';
import { isAfter, type RunState } from './state.ts';
import type { StepState } from './step-state.ts';

/** Brings one step on by one of its records, and what the run knows with it. */
export function applyStepRecord(state: RunState, step: StepState, { type, at, host, body }: JournalRecord): void {
  if (body.readings)
    learnReadings(state, at, body.readings as unknown as Readings, body.refs as unknown as RunState['refs'] | undefined, step);
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
        step.before = (body.readings ?? {}) as unknown as Readings;
        step.promised = body.outputs as StepState['promised'];
        step.keepOwed = Array.isArray(body.keep) && body.keep.length > 0;
      }
      step.startedAt ??= at;
      step.error = null;
      crossWriteLine(state, step.step);
      break;
    }
    case 'step.kept':
      step.keepOwed = false;
      break;
    case 'dead-man.armed':
      step.putBackAt = String(body.until);
      break;
    case 'dead-man.confirmed':
    case 'dead-man.reverted':
      step.putBackAt = null;
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
    case 'secrets.rekeyed':
      step.outputs = { ...step.outputs, ...(body.outputs as StepState['outputs']) };
      break;
    case 'step.marked-done':
      step.phase = 'done';
      step.endedAt = at;
      step.error = null;
      step.outputs = body.outputs as StepState['outputs'];
      step.byHand = { what: 'marked done', by: String(body.by), reason: null };
      // Whoever did it may have let writers in.
      crossWriteLine(state, step.step);
      break;
    case 'step.skipped':
      step.phase = 'skipped';
      step.endedAt = at;
      // Without a name its condition did not hold.
      if (typeof body.by === 'string') {
        step.byHand = { what: 'skipped', by: body.by, reason: String(body.reason) };
        // What it told, applied and never seen to hold, nobody may be given.
        step.outputs = {};
      }
      for (const hanging of (body.replan ?? []) as string[]) state.replanned.add(hanging);
      break;
    case 'step.failed':
      if (body.outcome !== 'unknown') step.phase = 'failed';
      step.error = body.error as unknown as ErrorReport;
      step.endedAt = at;
      break;
    case 'step.undoing':
      step.phase = 'undoing';
      step.blockedBy = [];
      step.undoAttempt = Number(body.attempt);
      break;
    case 'step.undone':
      step.phase = 'undone';
      step.putBackAt = null;
      step.error = null;
      for (const kept of (body.kept ?? []) as { host: string; key?: string; what: string }[]) {
        state.kept.push({ step: step.step, host: kept.host ?? host ?? step.host, key: kept.key ?? null, what: kept.what });
      }
      break;
    case 'step.undo-owed':
      step.phase = 'owed';
      step.error = body.error as unknown as ErrorReport;
      break;
    case 'step.undo-blocked':
      step.blockedBy = body.by as string[];
      break;
    case 'step.undo-failed':
      step.phase = 'undo-failed';
      step.error = body.error as unknown as ErrorReport;
      break;
  }
}

/** A change behind the write line was begun, by the run or by hand. */
function crossWriteLine(state: RunState, step: string): void {
  if (state.writeLine && isAfter(state.plan, step, state.writeLine.step))
    state.writeLine = { ...state.writeLine, isCrossed: true };
}

/**
 * Takes readings for the latest there are, and for those from before the run, or from a checkpoint, where there were none. What
 * a step is the first to read after a bare command on that host is no measure of what was there before the command.
 */
export function learnReadings(
  state: RunState,
  at: string,
  readings: Readings,
  refs: RunState['refs'] | undefined,
  step?: StepState,
): void {
  for (const [host, byKey] of Object.entries(readings)) {
    const commands = [...state.steps.values()].filter(
      (one) => one !== step && one.change?.opaque === true && one.undo !== null && one.hosts.includes(host),
    );
    const standing = state.plan.checkpoints.filter(
      ({ name, afterStep }) =>
        state.checkpoints.includes(name) &&
        commands.every((one) => state.plan.lines.findIndex((line) => line.step === one.step) < afterStep),
    );
    const before = [
      ...(commands.length === 0 ? [state.baseline] : []),
      ...standing.map(({ name }) => (state.readingsAt[name] ??= {})),
    ] as Record<string, Record<string, Reading>>[];
    for (const [key, reading] of Object.entries(byKey)) {
      (state.readings[host] ??= {})[key] = reading;
      (state.readAt[host] ??= {})[key] = at;
      for (const known of before) (known[host] ??= {})[key] ??= reading;
    }
  }
  for (const [host, byKey] of Object.entries(refs ?? {})) Object.assign((state.refs[host] ??= {}), byKey);
}
