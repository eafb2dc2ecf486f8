import type { Facts, FactTree, Prediction } from '../facts/fact.ts';
import type { Json } from '../lib/json.ts';
import type { DiffLine, KeptOnPurpose } from './action.ts';

/** Where and for what an undo is looked at. */
export interface UndoSite {
  readonly host: string;
  readonly run: string;
  /** True when the rollback crosses the write line. */
  readonly crossedWriteLine: boolean;
  /** The path of bytes kept by the step under `name`. */
  kept(name: string): string;
}

/** What undoing a step would do to what is there. */
export interface UndoView {
  /** Empty when all is as undo would have it. */
  readonly diff: readonly DiffLine[];
  readonly predicts?: readonly Prediction[];
  /** What it would leave different on purpose, as far as that is known beforehand. */
  readonly kept?: readonly KeptOnPurpose[];
  /** Why it would stop here, when it would. */
  readonly stops?: string;
}

/** How an undo is looked at: which facts it stands on, and, from these alone, what it would do. Pure, as `plan` is. */
export interface UndoPreview<U> {
  facts(undo: U, site: UndoSite): FactTree;
  look(undo: U, facts: unknown, site: UndoSite): UndoView;
}

/** Declares how the undo of an action is looked at. */
export function undoPreview<U extends Json, T extends FactTree>(source: {
  facts(undo: U, site: UndoSite): T;
  look(undo: U, facts: Facts<T>, site: UndoSite): UndoView;
}): UndoPreview<U> {
  return source;
}
