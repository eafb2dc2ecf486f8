import type { Json } from '../lib/json.ts';
import type { Readings } from '../plan/plan.ts';
import type { ErrorReport } from './events.ts';

/** How far one step has come, as the journal tells it. */
export interface StepState {
  readonly step: string;
  readonly host: string;
  /**
   * `doubt`: intended, and nothing tells how it ended. `applied`: done but not yet verified. `owed`: to be undone, on a host out
   * of reach. `undo-failed`: to be undone, and what was tried failed.
   */
  phase: 'waiting' | 'doubt' | 'applied' | 'done' | 'failed' | 'skipped' | 'undoing' | 'undone' | 'owed' | 'undo-failed';
  /** Steps whose undo failed or is owed, for which its own undo waits; nothing of it was taken back then. */
  blockedBy: readonly string[];
  /** Writers have run on the new side since it was begun: what it made may hold what they wrote. */
  mayHoldWrites: boolean;
  attempt: number;
  /** How often an undo of it was begun. */
  undoAttempt: number;
  /** How often it had been taken back when it was begun: which of its kept bytes are the ones to put back. */
  generation: number;
  /** The first attempt of this generation: what those before it did was taken back. */
  firstAttempt: number;
  /** From the first attempt, whatever came later. Null for checks, gates and no-change. */
  undo: { readonly undo: Json; readonly summary: string } | null;
  /** Why not all it changed can be undone; what can be, is in `undo` all the same. */
  irreversible: string | null;
  /** The intent named bytes to keep and no record says they are: then nothing was applied, and an undo that needs them must not run. */
  keepOwed: boolean;
  hosts: readonly string[];
  /** What the first intent promised to hand on; attempts after it may only fill in what it did not know. */
  promised: { readonly [name: string]: Json };
  outputs: { readonly [name: string]: Json };
  /** When its host puts back by itself what the latest attempt changed, as ISO time; null once that is settled. */
  putBackAt: string | null;
  /** Its state facts right before the first attempt. */
  before: Readings;
  /** The change of the latest attempt, as journaled. */
  change: { readonly [name: string]: Json } | null;
  summary: string;
  error: ErrorReport | null;
  /** What a person decided about it instead of the engine. */
  byHand: { readonly what: 'skipped' | 'marked done'; readonly by: string; readonly reason: string | null } | null;
  startedAt: string | null;
  endedAt: string | null;
}

/** A step nothing was done of. */
export function waitingStep(step: string, host: string, hosts: readonly string[], summary: string): StepState {
  return {
    step,
    host,
    phase: 'waiting',
    blockedBy: [],
    mayHoldWrites: false,
    attempt: 0,
    undoAttempt: 0,
    generation: 0,
    firstAttempt: 0,
    undo: null,
    irreversible: null,
    keepOwed: false,
    hosts,
    promised: {},
    outputs: {},
    putBackAt: null,
    before: {},
    change: null,
    summary,
    error: null,
    byHand: null,
    startedAt: null,
    endedAt: null,
  };
}
