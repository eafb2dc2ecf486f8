import type { ErrorReport, Event } from '../engine/events.ts';
import type { DoubtSeen } from '../engine/evidence.ts';
import type { FailureAnswer, FailureQuestion } from '../engine/failure-question.ts';
import type { GateView } from '../engine/gate-view.ts';
import type { RollbackPreview } from '../engine/preview-rollback.ts';
import type { RunState } from '../engine/state.ts';
import type { Places } from '../errors/carry-places.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import type { FerryError } from '../errors/ferry-error.ts';
import type { Leftover, RunTraces } from '../hosts/clean-scripts.ts';
import type { JournalRecord, RunSummary } from '../journal/journal.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { Plan } from '../plan/plan.ts';
import type { AuditReport } from '../renderers/audit.ts';
import type { Taken } from '../renderers/taken.ts';
import type { RunbookChange } from '../runbook/diff-runbooks.ts';
import type { Runbook } from '../runbook/runbook.ts';

/** What the words of a command line mean, whatever the verb. Paths are as typed. */
export interface CommonOptions {
  readonly inventory?: string;
  readonly stateDir?: string;
  /** `--input name=value`; a name that turns out to be a secret is refused when the runbook is known. */
  readonly inputs: Map<string, string>;
  readonly inputsFile?: string;
  /** `--secret name=source`, the source unread: `env:VAR`, `file:PATH` or `cmd:...`. */
  readonly secrets: Map<string, string>;
  /** `--role role=host`. */
  /** Hosts, or a group of the inventory, for each role that is given some. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** Answers the plan's question and gates with yes; never stands for giving up what was written. */
  readonly yes: boolean;
  readonly json: boolean;
  /** Who is told what becomes of a run: `cmd:PATH`, a webhook's address, or `env:VAR` and `file:PATH` where one of them stands. */
  readonly notify?: readonly string[];
  /** What the commands carry that are told; the inventory goes in when it is known. */
  readonly places?: Places;
}

export interface RunOptions extends CommonOptions {
  /** The checkpoint at which the run pauses. */
  readonly until?: string;
  /** In the words of a runbook's `onFailure`, which it overrides; or `ask`: a person in a terminal decides. */
  readonly onFailure?: string;
  /** How long the question before a step waits for an answer from elsewhere, before the run pauses. */
  readonly waitMs?: number;
  /** How long the downtime may be, from the start of this command; for the forecast. */
  readonly windowMs?: number;
  /** Where other hands have moved facts: plan anew on what is there, instead of refusing. */
  readonly replan?: boolean;
  /** A step at which the run stands: go on without it. */
  readonly skip?: { readonly step: string; readonly reason: string };
  /** A step at which the run stands that somebody has done by hand. */
  readonly markDone?: string;
  /** When the runbook was edited since the run began: go on with the old text, or with the edited one. Else a person is asked. */
  readonly runbook?: 'keep' | 'redo';
}

/** A runbook that was edited while a run of it was under way. */
export interface EditQuestion {
  readonly path: string;
  readonly changes: readonly RunbookChange[];
  /** Steps for which the edit comes too late; none when it can be taken as it is. */
  readonly begun: readonly { readonly step: string; readonly why: string }[];
  /** The last checkpoint before all of those; null for before the first step. */
  readonly back: string | null;
}

export interface PlanOptions extends CommonOptions {
  /** The file the plan is saved to. */
  readonly out?: string;
}

export interface RollbackOptions extends CommonOptions {
  /** The checkpoint to go back to; to before the first step when absent. */
  readonly to?: string;
  /** Permits going back across the write line, which gives up what was written since. */
  readonly discardWrites: boolean;
  /** Permits going back over what newer runs did on the same hosts. */
  readonly overNewer?: boolean;
}

export type GateVerdict = 'approved' | 'rejected';

export type { Taken };

export interface TakeoverOptions extends CommonOptions {
  /** The host from whose records the run is rebuilt. */
  readonly from?: string;
  /** Hosts that are lost for good. */
  readonly without: readonly string[];
}

export interface AuditOptions extends CommonOptions {
  /** Asks no host. */
  readonly offline: boolean;
}

export interface CleanOptions extends CommonOptions {
  /** Runs that ended less long ago stay. */
  readonly olderThanMs?: number;
  readonly plan: boolean;
  /** Hosts that are lost for good: what the named run has there counts as gone. */
  readonly without?: readonly string[];
}

/** What one run has, or had, on one host. */
export interface CleanRow extends Omit<RunTraces, 'state'> {
  readonly run: string;
  readonly runbook: string;
  readonly stands: RunState['phase'];
  readonly endedAt: string | null;
  readonly host: string;
  /** `lost` where somebody has said that the host is gone for good. */
  readonly state: RunTraces['state'] | 'away' | 'lost';
  /** Why the host gave no answer, in a sentence. */
  readonly why: string | null;
}

export interface CleanReport {
  /** False while it only tells what would go. */
  readonly isDone: boolean;
  readonly rows: readonly CleanRow[];
  readonly leftovers: readonly (Leftover & { readonly host: string })[];
}

/** How a run talks to the person in front of it. */
export interface RunIo {
  emit(event: Event): void;
  /** Asks a yes-or-no question, which the signal takes back; absent where nobody can answer. */
  ask?(question: string, signal?: AbortSignal): Promise<boolean>;
  /** Asks what becomes of a step that failed; absent where nobody can answer, or a policy was given. */
  askFailure?(question: FailureQuestion): Promise<FailureAnswer>;
  /** Asks what becomes of an edited runbook; absent where nobody can answer. */
  askEdit?(question: EditQuestion): Promise<'keep' | 'redo' | 'back'>;
  /** Asks for a secret that is not shown while it is typed; absent where nobody can answer. Null when it was taken back. */
  askHidden?(question: string): Promise<string | null>;
  /** Aborted when no new step may start; the running command stays. */
  readonly signal: AbortSignal;
  /** Aborted when what runs is to be ended on its hosts; absent where nobody can say so. */
  readonly cancel?: AbortSignal;
  /** Shows the plan and asks whether to run it; absent where it needs no answer. */
  confirmPlan?(plan: Plan, estimate: Estimate): Promise<boolean>;
}

export interface RunEnd {
  readonly outcome: 'finished' | 'already-done' | 'paused' | 'failed' | 'rolled-back' | 'refused';
  readonly run: string | null;
  readonly error: ErrorReport | null;
  readonly exit: number;
}

export interface Validation {
  readonly diagnostics: Diagnostic[];
  readonly sources: { readonly path: string; readonly text: string }[];
  readonly runbook?: Runbook;
}

/** Everything a verb can ask for: `wire.ts` is the real one. */
export interface Wire {
  validateRunbook(path: string): Promise<Validation>;
  planRunbook(path: string, options: PlanOptions): Promise<{ plan: Plan; estimate: Estimate }>;
  runRunbook(path: string, options: RunOptions, io: RunIo): Promise<RunEnd>;
  resumeRun(run: string | undefined, options: RunOptions, io: RunIo): Promise<RunEnd>;
  rollbackRun(run: string | undefined, options: RollbackOptions, io: RunIo): Promise<RunEnd>;
  previewRollback(run: string | undefined, options: RollbackOptions): Promise<RollbackPreview>;
  readState(run: string | undefined, options: CommonOptions): Promise<RunState>;
  /** How each step stands that was begun and not finished, by what its hosts tell; changes nothing. */
  readDoubts(run: string | undefined, options: CommonOptions): Promise<DoubtSeen[]>;
  /** Whether a Ferry on this machine works on the run right now. */
  isWorkedOn(run: string, options: CommonOptions): boolean;
  readRuns(options: CommonOptions): RunSummary[];
  readLog(run: string | undefined, options: CommonOptions): JournalRecord[];
  /** Whether the records of a run are intact, and what they tell. */
  auditRun(run: string | undefined, options: AuditOptions): Promise<AuditReport>;
  /** Makes a run this controller's own; null when the answer to `ask` was no. */
  takeOverRun(
    run: string | undefined,
    options: TakeoverOptions,
    ask?: (question: string) => Promise<boolean>,
  ): Promise<Taken | null>;
  /** Removes what runs that are over have on their hosts; `left` says what could not be. */
  cleanRuns(
    run: string | undefined,
    options: CleanOptions,
    confirm: (found: CleanReport) => Promise<boolean>,
  ): Promise<{ report: CleanReport; left: FerryError | null }>;
  /** What an answer would be an answer to; with `digest`, only when that is what is asked. */
  readGate(
    run: string | undefined,
    step: string | undefined,
    verdict: GateVerdict,
    options: CommonOptions & { readonly digest?: string | undefined },
  ): GateView;
  /** Puts the answer on record. Tells whether a Ferry on this machine waits for it. */
  answerGate(
    gate: GateView,
    verdict: GateVerdict,
    comment: string | undefined,
    options: CommonOptions,
  ): { readonly isWaitedFor: boolean };
  /** Gives the host free and answers with a sentence that says what was done. */
  unlockHost(host: string, options: CommonOptions & { readonly abandon: boolean }): Promise<string>;
}
