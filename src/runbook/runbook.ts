import type { Diagnostic, Position } from '../errors/diagnostic.ts';
import type { Terms } from '../hosts/host.ts';
import type { Json } from '../lib/json.ts';
import type { Allow } from './model.ts';

export type InputType = 'string' | 'integer' | 'boolean' | 'duration' | 'path' | 'list' | 'secret';

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
  /** True when the inventory may name any number of hosts for it; a step on it is done on each. */
  readonly many?: boolean;
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
  /** In a part of a step on many hosts: the role of that one host, which `host` stands for in expressions. */
  readonly host?: string;
}

/** One `when`: on the step itself or on an include around it, each in the scope of its own file. */
export interface Condition {
  readonly source: string;
  readonly at: Position;
  readonly scope: Scope;
}

/** How a step on a role of many hosts is done. */
export interface FanOut {
  /** On how many of the hosts at once; null for all. */
  readonly concurrency: number | null;
  /** `all`: what comes before it is undone on any host only when it is undone on all. `host`: each host goes back by itself. */
  readonly undo: 'all' | 'host';
}

/** Lets the host put back by itself what a step changed, unless Ferry can still log in. */
export interface DeadManSpec {
  readonly afterMs: number;
  /** Shell text that brings the old file in force, beside what the step type does. */
  readonly reload: string | null;
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
  /** On what terms its long commands run. */
  readonly terms?: Terms;
  /** A question to be answered yes before the step, as `gate.confirm` asks it. */
  readonly confirm?: string;
  readonly deadMan?: DeadManSpec;
  /** Rules of the linter that are silenced for it, by itself or by an include around it. */
  readonly allow?: readonly Allow[];
  /** Ids of steps that must be done before; includes are already resolved to ids. */
  readonly needs: readonly string[];
  /** Of a step on a role of many, until `spreadRunbook` makes a part of it for each host. */
  readonly fanOut?: FanOut;
  /** The step this is one host's part of, and how many of its parts may be under way at once. */
  readonly part?: { readonly of: string; readonly concurrency: number | null };
  /** Those steps that are undone only after this one, where they are not those in `needs`. */
  readonly undoNeeds?: readonly string[];
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

/** The hosts of roles of many, and of the steps on them, by inventory name. */
export interface Spread {
  /** Root role -> hosts. */
  readonly roles: ReadonlyMap<string, readonly string[]>;
  /** Id of a step, with prefixes, as it was before it was spread -> hosts. */
  readonly steps: ReadonlyMap<string, readonly string[]>;
}

export interface Runbook {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  /** What becomes of a run when a step fails, as written: see `parseOnFailure`. Of the runbook that is run, not of those it includes. */
  readonly onFailure?: string;
  readonly inputs: readonly InputSpec[];
  readonly roles: readonly RoleSpec[];
  /** Checks that, when all hold, mean there is nothing left to do. */
  readonly done: readonly Step[];
  /** In file order, which is a topological order. */
  readonly steps: readonly Step[];
  readonly checkpoints: readonly Checkpoint[];
  readonly root: Scope;
  /** Set when steps on roles of many have been spread over their hosts. */
  readonly spread?: Spread;
  /** Every file read, root first, for freezing: path as given or resolved, and its text. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  /** What the linter says of it; all warnings, because an error refuses it. */
  readonly warnings: readonly Diagnostic[];
  /** SHA-256 of the sources. */
  readonly digest: string;
}
