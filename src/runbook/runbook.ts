import type { Diagnostic, Position } from '../errors/diagnostic.ts';
import type { Json } from '../lib/json.ts';
import type { Allow } from './model.ts';

export type InputType = 'string' | 'integer' | 'boolean' | 'duration' | 'path' | 'secret';

export interface InputSpec {
  readonly name: string;
  readonly type: InputType;
  readonly description?: string;
  /** May hold expressions over inputs declared before it. Never given for a secret. */
  readonly default?: Template;
  /** True when the runbook works without it: its value is then null. */
  readonly optional: boolean;
  readonly at: Position;
}

export interface RoleSpec {
  readonly name: string;
  readonly description?: string;
  /** The role whose host it takes when the inventory names none for it. */
  readonly default?: string;
  readonly at: Position;
}

/** A param value as written: JSON in which any string may hold `${{ }}`. Evaluated by `evaluate`. */
export type Template =
  | { readonly kind: 'literal'; readonly value: Json; readonly at: Position }
  | { readonly kind: 'expression'; readonly source: string; readonly at: Position }
  | {
      readonly kind: 'text';
      readonly parts: readonly (string | { readonly source: string; readonly at: Position })[];
      readonly at: Position;
    }
  | { readonly kind: 'list'; readonly items: readonly Template[]; readonly at: Position }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [key: string, value: Template])[]; readonly at: Position };

/**
 * What names mean at a step. The root scope's inputs come from outside; an included runbook's from the `with` of the
 * item that includes it, evaluated in that item's scope.
 */
export interface Scope {
  /** `''` at the root, `prepare.` inside an include with id `prepare`. Step ids of this file carry it. */
  readonly prefix: string;
  readonly inputs: ReadonlyMap<
    string,
    { readonly spec: InputSpec; readonly given?: { readonly template: Template; readonly scope: Scope } }
  >;
  /** Role name in this file -> role name of the root runbook. */
  readonly roles: ReadonlyMap<string, string>;
}

/** One `when`: on the step itself or on an include around it, each in the scope of its own file. */
export interface Condition {
  readonly source: string;
  readonly at: Position;
  readonly scope: Scope;
}

/** One step, flattened out of includes. */
export interface Step {
  /** Unique in the whole runbook, with the prefix of its include: `prepare.role`. */
  readonly id: string;
  readonly title?: string;
  /** Root role name. */
  readonly role: string;
  readonly uses: string;
  readonly with: Template;
  /** All must hold for the step to be done. Evaluated by `evaluateWhen`. */
  readonly when?: readonly Condition[];
  readonly timeoutMs?: number;
  /** A question to be answered yes before the step, as `gate.confirm` asks it. */
  readonly confirm?: string;
  /** Rules of the linter that are silenced for it, by itself or by an include around it. */
  readonly allow?: readonly Allow[];
  /** Ids of steps that must be done before; includes are already resolved to ids. */
  readonly needs: readonly string[];
  readonly scope: Scope;
  readonly at: Position;
}

/** A named point in the order of steps: everything before it is done when it is reached. */
export interface Checkpoint {
  readonly name: string;
  /** Steps before it, in file order: the count of `Runbook.steps` that precede it. */
  readonly afterStep: number;
  readonly at: Position;
}

export interface Runbook {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputs: readonly InputSpec[];
  readonly roles: readonly RoleSpec[];
  /** Checks that, when all hold, mean there is nothing left to do. */
  readonly done: readonly Step[];
  /** In file order, which is a topological order. */
  readonly steps: readonly Step[];
  readonly checkpoints: readonly Checkpoint[];
  readonly root: Scope;
  /** Every file read, root first, for freezing: path as given or resolved, and its text. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  /** What the linter says of it; all warnings, because an error refuses it. */
  readonly warnings: readonly Diagnostic[];
  /** SHA-256 of the sources. */
  readonly digest: string;
}
