import type { z } from 'zod';
import type { Diagnostic } from '../errors/diagnostic.ts';
import type { DiskFree } from '../facts/disk-free.ts';
import type { Facts, FactTree, Prediction } from '../facts/fact.ts';
import type { ActingHost, HostInfo, Progress } from '../hosts/host.ts';
import type { Sh } from '../hosts/sh.ts';
import type { Json } from '../lib/json.ts';
import type { Effect } from './effects.ts';
import type { Outputs } from './outputs.ts';
import type { UndoPreview } from './undo-preview.ts';

/** Where a step acts: its own host, and the hosts behind the role names in its params. */
export interface Site {
  readonly host: HostInfo;
  /** The host a role name stands for. */
  hostOf(role: string): HostInfo;
}

/** Bytes that undo will need, kept on the host they belong to before the first attempt. */
export type Keep =
  | { readonly name: string; readonly host: string; readonly path: string }
  | { readonly name: string; readonly host: string; readonly print: Sh; readonly as?: string };

/**
 * One line of a diff: `-` taken out, `+` put in, ` ` context or a remark, `@` the head of a hunk; or `~`, a named value and
 * what it becomes, where the name brings what stands between it and the value (`mode `, `KEY=`). Secrets are already masked.
 */
export type DiffLine = readonly ['-' | '+' | ' ' | '@', string] | readonly ['~', name: string, before: string, after: string];

export interface Change<U extends Json, D extends Json = Json> {
  readonly kind: 'change';
  readonly summary: string;
  readonly diff?: readonly DiffLine[];
  readonly predicts: readonly Prediction[];
  readonly outputs: Outputs;
  /** A target state: right whether apply ran not at all, half, or fully. Journaled before the first attempt. */
  readonly undo: U;
  readonly undoSummary: string;
  /** What undo does, where that is not `diff` the other way round. */
  readonly undoDiff?: readonly DiffLine[];
  /** What apply needs beside params; journaled, so no secrets: those stay in `memory`. */
  readonly data: D;
  /** What apply needs and nobody may write down; gone after a crash, then made anew by `plan` on fresh facts. */
  readonly memory?: unknown;
  readonly keep: readonly Keep[];
  /** True when Ferry cannot tell what the change does to facts (a bare command). */
  readonly opaque: boolean;
  /** Why it cannot be taken back, when it cannot. */
  readonly irreversible?: string;
  readonly bytes?: number;
}
export interface NoChange {
  readonly kind: 'no-change';
  readonly summary: string;
  readonly outputs: Outputs;
}
/** Runs every time and changes nothing. `outputs` holds what is known from facts already. */
export interface Check {
  readonly kind: 'check';
  readonly summary: string;
  readonly outputs: Outputs;
}
/** Waits for a person's yes. */
export interface Gate {
  readonly kind: 'gate';
  readonly summary: string;
  readonly question: string;
  readonly outputs: Outputs;
}
/** Cannot be done on this state; the plan shows it as a blocker. */
export interface Blocked {
  readonly kind: 'blocked';
  readonly summary: string;
  /** What to type or do to get past it. */
  readonly hint: string;
  readonly outputs: Outputs;
}
export type Planned<U extends Json = Json, D extends Json = Json> = Change<U, D> | NoChange | Check | Gate | Blocked;

export function change<U extends Json, D extends Json = null>(parts: {
  summary: string;
  diff?: readonly DiffLine[];
  predicts: readonly Prediction[];
  outputs?: Outputs;
  undo: U;
  undoSummary: string;
  undoDiff?: readonly DiffLine[];
  data?: D;
  memory?: unknown;
  keep?: readonly Keep[];
  opaque?: boolean;
  irreversible?: string;
  bytes?: number;
}): Change<U, D> {
  return { kind: 'change', outputs: {}, keep: [], opaque: false, ...parts, data: (parts.data ?? null) as D };
}
export function noChange(summary: string, parts: { outputs?: Outputs } = {}): NoChange {
  return { kind: 'no-change', summary, outputs: parts.outputs ?? {} };
}
export function check(summary: string, parts: { outputs?: Outputs } = {}): Check {
  return { kind: 'check', summary, outputs: parts.outputs ?? {} };
}
export function gate(summary: string, question: string): Gate {
  return { kind: 'gate', summary, question, outputs: {} };
}
export function blocked(summary: string, hint: string): Blocked {
  return { kind: 'blocked', summary, hint, outputs: {} };
}

/**
 * Gives facts while a plan is made: what was read, as the earlier steps of the plan will have changed it. It does not come
 * back while one of them was not read yet; the preflight is then called again. So ask for all that is needed at once.
 */
export type Ask = <T extends FactTree>(tree: T) => Facts<T>;

/** Bytes a step will take of a file system, and what is free there now. */
export interface Room {
  readonly host: string;
  readonly path: string;
  readonly free: DiskFree | undefined;
  /** Less it cannot be. */
  readonly least: number;
  /** More it will hardly be. */
  readonly likely: number;
  /** What for, in a few words: `engine.dump`. */
  readonly what: string;
}

/** What can be told about a step before anything is done, beside what it would do. */
export interface Preflight {
  /** Errors block the plan, warnings do not; each from the catalogue, with what to type. */
  readonly findings?: readonly Diagnostic[];
  /** Checked together with that of all other steps on the same file system. */
  readonly room?: readonly Room[];
  /** Bytes that will be kept for undo, with what they are. */
  readonly keeps?: readonly { readonly host: string; readonly bytes: number; readonly what: string }[];
  /** What cannot be told yet, and when it will be; shown beside the step. */
  readonly notes?: readonly string[];
}

/** What apply and rollback have beside their hosts. */
export interface ActContext {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** The path on `host` of bytes kept by this step under `name`. */
  kept(host: string, name: string): string;
  /**
   * What a command of the step has ended with on the step's host, one exit code for each attempt in which it came to its end.
   * Attempts that were taken back already do not count.
   */
  exitCodes(effect: string): Promise<readonly number[]>;
}
export interface UndoContext extends ActContext {
  /** True when writers have run on the new side: data made by the run is then renamed and kept, not dropped. */
  readonly crossedWriteLine: boolean;
}

/** Something a rollback left different on purpose, shown in the proof. `key` is the fact that differs, when there is one. */
export interface KeptOnPurpose {
  readonly host: string;
  readonly key?: string;
  readonly what: string;
}

export interface Acting<P> extends Site {
  readonly on: ActingHost;
  /** The machine behind a role name in the params. */
  onRole(role: string): ActingHost;
  readonly params: P;
  readonly ctx: ActContext;
}

/** What a step changes, known without touching any host; for the linter and for conflicts between parallel steps. */
export interface Touches {
  /** Fact keys, each with its role: `[role, key]`. */
  readonly changes?: readonly (readonly [role: string, key: string])[];
  readonly reads?: readonly (readonly [role: string, key: string])[];
  /** What it does in the linter's words. Params may then hold expressions where values will be: see `partialParams`. */
  readonly effects?: readonly Effect[];
  /** Outputs that are secret. */
  readonly secrets?: readonly string[];
}

export interface ActionSource<S extends z.ZodType, T extends FactTree, U extends Json, D extends Json> {
  /** One sentence, imperative. */
  readonly summary: string;
  /** What a reader of the reference needs beyond the summary. */
  readonly description?: string;
  readonly params: S;
  /** Output names with one line each; expressions are checked against them when a runbook is loaded. '*' allows any name. */
  readonly outputs?: Readonly<Record<string, string>>;
  /** False for actions that act each time they run (restart, dump): the contract test does not expect a second plan of no change. */
  readonly converges?: false;
  /** Commands the host of the step must have, where no earlier step of the plan may bring them. */
  readonly tools?: readonly string[];
  /** The role names in the params, so that leases and attempt folders cover every host. */
  roles?(params: z.output<S>): string[];
  facts(site: Site, params: z.output<S>): T;
  touches?(params: z.output<S>, role: string): Touches;
  /**
   * Pure and synchronous: what would be done, from params and facts alone. `earlier` holds the first attempt's undo when there
   * was one. What the params alone forbid is told before any fact is looked at: a plan may have to wait for facts.
   */
  plan(params: z.output<S>, facts: Facts<T>, site: Site & { readonly earlier: { readonly undo: U } | null }): Planned<U, D>;
  /**
   * Pure and synchronous: what stands in the way of the step, or may come to, that its own facts do not tell. Called for a
   * plan alone, as soon as the params are known; what it asks for is read with the facts and is no part of drift or proof.
   */
  preflight?(
    params: z.output<S>,
    ask: Ask,
    site: Site & { /** The host of this plan that others reach by an address. */ hostAt(address: string): HostInfo | undefined },
  ): Preflight;
  /** The only method that may change a machine. For a check: asks, and throws when the check does not hold. */
  apply?(acting: Acting<z.output<S>> & { readonly change: Change<U, D> }): Promise<Outputs | undefined> | Promise<void>;
  /** Brings the machine to the undo's target state. */
  rollback?(
    acting: Site & { on: ActingHost; onHost(name: string): ActingHost; undo: U; ctx: UndoContext },
  ): Promise<readonly KeptOnPurpose[]> | Promise<void>;
  /**
   * Brings the files of a step on its own host back to the kept bytes, in force as far as the step type knows how: what a
   * dead-man switch does. Null when this step has none. Right whether apply ran not at all, half, or fully.
   */
  putBack?(undo: U, kept: (name: string) => string): Sh | null;
  /** What there is after a rollback, in a sentence; every action with a rollback says it. */
  readonly undone?: string;
  /** What `rollback` would do to what is there, so that a person can see it first. */
  readonly preview?: UndoPreview<U>;
  /** Why there is no rollback. One of the two is required of an action that changes anything. */
  readonly irreversible?: string;
  /**
   * Makes every step of this type a write line: from there on going back loses what is written. What was written on `on` since
   * `outputs` was recorded, a line each; empty when nothing.
   */
  written?(acting: { on: ActingHost; outputs: Outputs }): Promise<string[]>;
  /** How long verification waits for the predicted facts; 60 s unless given. */
  readonly verifyTimeoutMs?: number;
  readonly examples: readonly { readonly title: string; readonly with: Json }[];
}

/** An action with its types taken away: what plan and engine work with. */
export type Action = ActionSource<z.ZodType, FactTree, Json, Json> & { readonly name?: string };

/** Declares one step type. The file's path is its name: `actions/service/stop.ts` is `service.stop`. */
export function defineAction<S extends z.ZodType, T extends FactTree, U extends Json = null, D extends Json = null>(
  source: ActionSource<S, T, U, D>,
): ActionSource<S, T, U, D> {
  return source;
}
