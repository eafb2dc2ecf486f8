import type { DiffLine } from '../actions/action.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import type { Json } from '../lib/json.ts';

/** How sure a line is: from facts that were read, from facts an earlier step will make, or not known. */
export type Stamp = 'exact' | 'predicted' | 'opaque';

/** One reading or prediction of a fact in its published form: no secrets. */
export type Reading =
  | { readonly state: 'value'; readonly value: Json }
  | { readonly state: 'absent' }
  | { readonly state: 'unreadable'; readonly why: string };

/** Readings by host, then by fact key. */
export type Readings = { readonly [host: string]: { readonly [key: string]: Reading } };

export interface PlanLine {
  readonly step: string;
  readonly title: string;
  readonly host: string;
  readonly uses: string;
  /** `later`: a param or fact is known only after the steps in `after`. `skipped`: `when` is false. */
  readonly kind: 'change' | 'no-change' | 'check' | 'gate' | 'later' | 'skipped' | 'blocked';
  readonly stamp: Stamp;
  readonly summary: string;
  /** What cannot be told before the run, and when it will be. */
  readonly notes: readonly string[];
  readonly diff: readonly DiffLine[];
  readonly undo: string | null;
  /** What undo does, where that is not `diff` the other way round; null where it is. */
  readonly undoDiff: readonly DiffLine[] | null;
  readonly irreversible: string | null;
  /** What a person is asked before the step is done. */
  readonly question?: string;
  /** Step ids whose outputs or effects this line waits for or is predicted on. */
  readonly after: readonly string[];
  readonly needs: readonly string[];
  /** Of a step on many hosts, which has a line for each: what the whole is called, and how many of them are done at once. */
  readonly part?: { readonly of: string; readonly concurrency: number | null };
  readonly writeLine: boolean;
  /** Bytes the step moves, when known. */
  readonly bytes: number | null;
  /** Every host the step acts on. */
  readonly hosts: readonly string[];
  /** State facts the step looks at, as `[host, key]`: what drift is judged by. */
  readonly facts: readonly (readonly [host: string, key: string])[];
  /** Published predictions by host and key; null where only apply will tell. */
  readonly predicts: { readonly [host: string]: { readonly [key: string]: Reading | null } };
}

/** A rollback from the end of the run, before anything is done. Steps are named last first. */
export interface WayBackView {
  /** A checkpoint; null is before the first step. */
  readonly to: string | null;
  readonly undoes: readonly string[];
  /** Steps that may turn out to change something, and are undone then. */
  readonly unsure: readonly string[];
  /** Steps of which something cannot be taken back. */
  readonly stays: readonly string[];
  /** From this step on going back there loses what is written; null when it loses nothing. */
  readonly losesFrom: string | null;
}

/** Pure data, JSON. The digest is over everything but itself. */
export interface Plan {
  readonly version: 1;
  readonly runbook: { readonly name: string; readonly title: string; readonly digest: string };
  /** Role -> host name. */
  readonly roles: { readonly [role: string]: string };
  /** Inputs in published form; a secret is `{ "$secret": "input:name" }`. */
  readonly inputs: { readonly [name: string]: Json };
  readonly madeAt: string;
  readonly alreadyDone: boolean;
  readonly lines: readonly PlanLine[];
  readonly checkpoints: readonly { readonly name: string; readonly afterStep: number }[];
  /** The way back to before the run, then to each checkpoint. */
  readonly waysBack: readonly WayBackView[];
  /** What was read, before anything was done. */
  readonly readings: Readings;
  /** How to read each state fact among the readings again: its kind and arguments by host and key. Measures are left out. */
  readonly stateRefs: {
    readonly [host: string]: { readonly [key: string]: { readonly kind: string; readonly args: readonly Json[] } };
  };
  readonly blockers: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
  readonly digest: string;
}
