import type { Json } from '../lib/json.ts';
import type { Plan, Reading, Readings } from '../plan/plan.ts';
import type { ErrorReport, ProofLine } from './events.ts';
import type { GateState } from './gate-state.ts';
import type { StepState } from './step-state.ts';

export type RunPhase = 'running' | 'paused' | 'finished' | 'rolling-back' | 'rolled-back' | 'abandoned' | 'refused';

/** How a stored fact is read again: its kind's name and arguments. */
export interface StoredRef {
  readonly kind: string;
  readonly args: readonly Json[];
}

/** Everything known of a run: a fold of its records. */
export interface RunState {
  readonly run: string;
  /** The plan in force: that of the latest revision of the runbook. */
  plan: Plan;
  /** Where the runbook was, as given. */
  readonly path: string;
  /** Frozen files of the runbook, root first. */
  sources: readonly { readonly path: string; readonly text: string }[];
  /** The inventory file; another one after a takeover from a host. */
  inventory: string;
  /** The machine behind each host's name when the run began, as `user@address:port`; none in journals of older releases. */
  machines: { readonly [host: string]: string };
  /** For each secret input: where it came from, and a keyed hash to refuse another value. */
  secrets: { readonly [name: string]: { readonly source: string; readonly hash: string } };
  phase: RunPhase;
  /** Number of the last record that is folded in. */
  seq: number;
  epoch: number;
  startedAt: string;
  endedAt: string | null;
  /** Until when it is to be over or taken back, as it was typed last; null when never. */
  windowEndsAt: string | null;
  steps: Map<string, StepState>;
  /** Steps that an edit took away after they were begun and taken back: one of that name goes on counting, as its folders are there. */
  retired: Map<string, Pick<StepState, 'attempt' | 'undoAttempt'>>;
  /** The questions before steps, by step, as far as they were asked or answered. */
  gates: { [step: string]: GateState };
  checkpoints: string[];
  /** Hosts on which this run holds a lease. */
  leases: string[];
  /** Hosts on which it ever held one: there, and on no other machine, it has left its folder. */
  workedOn: string[];
  /** Hosts that a takeover has told of its epoch: one that the run never had bears a mark of that. */
  markedOn: string[];
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
  /** Hosts from which what it had there was removed, and since when that goes on; null before. */
  cleaned: string[] | null;
  cleanedAt: string | null;
  pause: {
    readonly reason: string;
    readonly step: string | null;
    readonly error: ErrorReport | null;
    readonly rollbackAt?: string | null;
    /** Why it is not rolled back by itself, which was announced. */
    readonly calledOff?: string;
  } | null;
  rollbackTo: string | null;
  /** Whether the rollback under way goes across the write line, which somebody then agreed to. */
  crossing: boolean;
  proof: readonly ProofLine[] | null;
  kept: { readonly step: string; readonly host: string; readonly key: string | null; readonly what: string }[];
}

/** Whether nothing is left to do or undo for a run but to give its hosts back. */
export function isOver({ phase }: Pick<RunState, 'phase'>): boolean {
  return ['finished', 'rolled-back', 'abandoned', 'refused'].includes(phase);
}

/** Hosts that still hold something of a run that was cleaned; none of one that was not. */
export function leftOn(state: Pick<RunState, 'cleaned' | 'workedOn' | 'markedOn'>): string[] {
  const { cleaned } = state;
  return cleaned === null ? [] : tracesOn(state).filter((host) => !cleaned.includes(host));
}

/** Hosts on which a run may have left something that is to go with it. */
export function tracesOn({ workedOn, markedOn }: Pick<RunState, 'workedOn' | 'markedOn'>): string[] {
  return [...new Set([...workedOn, ...markedOn])];
}

/** How many facts the proof of a rollback found otherwise than before the run; 0 where there was none. */
export function differing({ proof }: Pick<RunState, 'proof'>): number {
  return proof?.filter(({ verdict }) => verdict === 'differs').length ?? 0;
}

/** Whether a step comes after another in the order of the plan. */
export function isAfter({ lines }: Plan, step: string, other: string): boolean {
  const at = (id: string) => lines.findIndex((line) => line.step === id);
  return at(step) > at(other);
}
