import type { Action } from '../actions/action.ts';
import type { OutputValue } from '../actions/outputs.ts';
import type { FactKind, FactRef, Observed } from '../facts/fact.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { LogPiece } from '../hosts/log-follower.ts';
import type { Journal } from '../journal/journal.ts';
import type { Runbook } from '../runbook/runbook.ts';
import type { Event } from './events.ts';
import type { FailureAnswer, FailureQuestion } from './failure-question.ts';

/** A named place at which tests end the process: around every durable record and every effect on a host. */
export type CrashPoint =
  | 'before-record'
  | 'after-record'
  | 'before-keep'
  | 'before-apply'
  | 'after-apply'
  | 'before-undo'
  | 'after-undo';

/** All the engine sees of the world. */
export interface Ports {
  readonly journal: Journal;
  readonly fleet: Fleet;
  readonly runbook: Runbook;
  readonly actions: ReadonlyMap<string, Action>;
  readonly inputs: ReadonlyMap<string, OutputValue>;
  /** Reads facts of one host in one round trip, in order. */
  read(host: string, refs: readonly FactRef<unknown>[]): Promise<Observed<unknown>[]>;
  /** The kind of fact that has a name; how a stored reading is read again. */
  factKind(kind: string): Promise<FactKind<unknown>>;
  emit(event: Event): void;
  /** Takes every known secret out of the free texts of a record, event or report. */
  redact<T>(value: T): T;
  /** Does so for the logs of an attempt, which come in pieces: gives the lines of each that can be shown by now, null for none. */
  redactedLog(): (piece: LogPiece) => string | null;
  /** Makes a secret known to the redactor. */
  learn(value: unknown): void;
  readonly secrets: {
    hash(value: string): string;
    matches(value: string, hashed: string): boolean;
    /** Not after a takeover from a host: the key of those hashes was in the state folder that is lost. */
    canCompare(hashed: string): boolean;
  };
  /** What the questions before steps are met with: whether `--yes` answers them, whether somebody sits there, and how long else to wait. */
  readonly gates: { readonly yes: boolean; readonly canAsk: boolean; readonly waitMs: number | null };
  /** A yes or no to the question before a step; the signal takes the question back. Null when nobody can be asked. */
  ask(question: string, signal: AbortSignal): Promise<boolean | null>;
  /** A person's own yes or no, which `--yes` does not stand for; null when nobody can be asked. */
  askPerson(question: string): Promise<boolean | null>;
  /** What becomes of a step that failed; null where nobody can be asked, or answers, and the run pauses. */
  readonly askFailure: ((question: FailureQuestion) => Promise<FailureAnswer | null>) | null;
  /** `user@machine`, for leases and records. */
  readonly holder: string;
  /** Aborted when no new step may start. */
  readonly signal: AbortSignal;
  /** Aborted, after `signal`, when a person wants the steps under way to be ended and not waited for. */
  readonly cancel: AbortSignal;
  crash(point: CrashPoint, about: string): void;
}
