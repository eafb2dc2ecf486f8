import type { DiffLine } from '../actions/action.ts';
import type { Json } from '../lib/json.ts';
import type { Plan } from '../plan/plan.ts';
import type { RunbookChange } from '../runbook/diff-runbooks.ts';
import type { FactSeen, HostSeen, Verdict } from './judge-doubt.ts';

/** An error as it goes into records and events: already redacted. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  /** What state was left. */
  readonly left: string | null;
}

export type Outcome = 'ok' | 'no-change' | 'failed' | 'skipped' | 'unknown';

/** One line of the proof after a rollback: a state fact before the run and now. */
export interface ProofLine {
  readonly host: string;
  readonly key: string;
  /** `unknown`: nobody read it in time, so there is nothing to compare with. */
  readonly verdict: 'equal' | 'kept' | 'differs' | 'unknown';
  readonly before: string;
  readonly now: string;
  /** For `kept`: what was kept and why. For `unknown`: why nobody did. */
  readonly why: string | null;
}

/** What the engine tells renderers, after it told the journal. `at` is ISO time, `ms` a duration. */
export type Event = { readonly at: string; readonly run: string } & (
  | {
      readonly type: 'run.started';
      readonly plan: Plan;
      readonly resumed: boolean;
      /** Steps that need not be done any more: those that are done, and those that were skipped. */
      readonly done: readonly string[];
      readonly skipped?: readonly string[];
    }
  | {
      /** How long it will take, as far as earlier runs tell; before the first step. */
      readonly type: 'run.estimated';
      readonly steps: readonly { readonly step: string; readonly ms: number; readonly undoMs: number }[];
      readonly criticalPath: readonly string[];
      readonly downtimeMs: number | null;
      readonly isGuess: boolean;
      /** The end of the window a person gave, by which all must be done or taken back. */
      readonly windowEndsAt: string | null;
    }
  | {
      readonly type: 'step.started';
      readonly step: string;
      readonly host: string;
      readonly attempt: number;
      readonly title: string;
      readonly summary: string;
      readonly reattached: boolean;
    }
  | {
      readonly type: 'step.progressed';
      readonly step: string;
      readonly host: string;
      readonly note: string | null;
      readonly bytes: number | null;
      readonly totalBytes: number | null;
      /** Lines a long command has printed since the event before. */
      readonly log: string | null;
    }
  | {
      /** A long command has shown no progress for so long; what its host tells of why. */
      readonly type: 'step.stalled';
      readonly step: string;
      readonly host: string;
      readonly ms: number;
      readonly why: readonly string[];
    }
  | {
      /** It moves again, after so long. */
      readonly type: 'step.moved';
      readonly step: string;
      readonly host: string;
      readonly ms: number;
    }
  | {
      readonly type: 'step.ended';
      readonly step: string;
      readonly host: string;
      readonly outcome: Outcome;
      readonly summary: string;
      readonly ms: number;
      readonly outputs: { readonly [name: string]: Json };
      readonly error: ErrorReport | null;
    }
  | {
      /** A person is asked before a step is done. */
      readonly type: 'gate.waiting';
      readonly step: string;
      readonly host: string;
      readonly question: string;
      /** What the step would do. */
      readonly summary: string;
      readonly diff: readonly DiffLine[];
      /** Names what is asked: an answer holds for this alone. */
      readonly digest: string;
      /** Whether this process waits for the answer; else the run pauses, when nothing else can be done. */
      readonly isHeld: boolean;
      /** Until when it waits; null for as long as it takes. */
      readonly until: string | null;
    }
  | {
      /** Somebody answered by a command of its own. */
      readonly type: 'gate.answered';
      readonly step: string;
      readonly host: string;
      readonly verdict: 'approved' | 'rejected';
      readonly by: string;
      readonly answeredAt: string;
      readonly comment: string | null;
    }
  | {
      /** How a step that was begun before stands, by what it left on its hosts and by its facts. */
      readonly type: 'step.settled';
      readonly step: string;
      readonly host: string;
      readonly attempt: number;
      readonly verdict: Verdict;
      readonly hosts: readonly HostSeen[];
      readonly facts: readonly FactSeen[];
    }
  | {
      /** A person is asked, in the terminal that runs it, what becomes of a step that failed; the run waits. */
      readonly type: 'failure.asked';
      readonly step: string;
      readonly host: string;
      readonly error: ErrorReport;
    }
  | {
      /** What a person decided about a step that did not get done by itself. */
      readonly type: 'failure.answered';
      readonly step: string;
      readonly host: string;
      readonly answer: 'retry' | 'mark-done' | 'skip';
      readonly by: string;
      readonly reason: string | null;
      /** What comes of it that a person should know. */
      readonly warnings: readonly string[];
    }
  | {
      /** The run goes on with an edited runbook, and with a new plan made of it. */
      readonly type: 'run.revised';
      readonly plan: string;
      readonly changes: readonly RunbookChange[];
      readonly by: string;
    }
  | { readonly type: 'checkpoint.reached'; readonly checkpoint: string }
  | {
      readonly type: 'run.paused';
      readonly reason: 'failure' | 'gate' | 'until' | 'interrupt' | 'drift';
      readonly step: string | null;
      readonly error: ErrorReport | null;
    }
  | {
      /** A run that failed is rolled back at this moment, unless somebody takes it on before. */
      readonly type: 'rollback.due';
      readonly rollbackAt: string;
    }
  | {
      /** That does not come, nor any other rollback by itself; `error` says why. */
      readonly type: 'rollback.called-off';
      readonly error: ErrorReport;
    }
  | { readonly type: 'run.finished'; readonly ms: number; readonly steps: number }
  | {
      readonly type: 'rollback.started';
      readonly steps: readonly { readonly step: string; readonly host: string; readonly summary: string }[];
      /** What of it stays, because nothing can take it back. */
      readonly irreversible: readonly { readonly step: string; readonly host: string; readonly why: string }[];
      readonly to: string | null;
    }
  | { readonly type: 'undo.started'; readonly step: string; readonly host: string; readonly summary: string }
  | {
      readonly type: 'undo.ended';
      readonly step: string;
      readonly host: string;
      /** `owed`: not undone, because its host cannot be reached. `blocked`: not tried, because of the undos in `waitsFor`. */
      readonly outcome: 'ok' | 'failed' | 'owed' | 'blocked';
      readonly ms: number;
      readonly kept: readonly string[];
      readonly error: ErrorReport | null;
      /** Steps whose undo failed or is owed, and has to come before this one. */
      readonly waitsFor: readonly string[];
    }
  | {
      readonly type: 'run.rolled-back';
      readonly to: string | null;
      readonly proof: readonly ProofLine[];
      /** What stays on purpose, from this rollback and those before it. */
      readonly kept: readonly string[];
      readonly ms: number;
    }
  | { readonly type: 'note'; readonly text: string }
);

/** An event before the engine stamps it with time and run. */
export type EventBody = Event extends infer E ? (E extends unknown ? Omit<E, 'at' | 'run'> : never) : never;
