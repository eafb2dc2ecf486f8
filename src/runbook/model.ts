import type { Path, SourceDocument } from '../documents/document.ts';
import type { Place } from '../errors/finding.ts';
import type { Terms } from '../hosts/host.ts';
import type { Json } from '../lib/json.ts';
import type { DeadManSpec, FanOut, InputSpec, RoleSpec, Template } from './runbook.ts';

/** One runbook file as it is written, before includes are followed. Names in it are its own. */
export interface Model {
  readonly document: SourceDocument;
  readonly file: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly onFailure?: string;
  readonly inputs: readonly InputSpec[];
  readonly roles: readonly RoleSpec[];
  /** Findings of the linter it silences, in itself and all it includes. */
  readonly allow: readonly Allow[];
  readonly done: readonly StepItem[];
  readonly items: readonly Item[];
  /** What of it has been used so far; for warnings. */
  readonly used: { readonly inputs: Set<string>; readonly roles: Set<string> };
}

/** A rule of the linter that is silenced, with the reason a reader is given. */
export interface Allow extends Place {
  readonly rule: string;
  readonly reason: string;
}

export type Item = StepItem | CheckpointItem | IncludeItem;

/** A name as it stands in the file. */
export interface Named extends Place {
  readonly name: string;
}

export interface StepItem {
  readonly kind: 'step';
  readonly path: Path;
  readonly id: Named;
  readonly title?: string;
  readonly host: Named;
  readonly uses: Named;
  readonly with: Template;
  /** `with` as it is written. */
  readonly params: Json;
  readonly when?: { readonly source: string } & Place;
  readonly timeoutMs?: number;
  readonly terms?: Terms;
  readonly confirm?: string;
  readonly deadMan?: DeadManSpec;
  readonly allow: readonly Allow[];
  readonly fanOut?: FanOut & Place;
  /** Absent: after the item before. */
  readonly needs?: readonly Named[];
}

export interface CheckpointItem {
  readonly kind: 'checkpoint';
  readonly name: Named;
}

export interface IncludeItem {
  readonly kind: 'include';
  readonly path: Path;
  /** As written, and resolved from the folder of this file. */
  readonly runbook: Named;
  readonly target: string;
  /** Absent: the included runbook's name. */
  readonly id?: Named;
  readonly with: readonly (readonly [input: Named, value: Template])[];
  readonly roles: readonly (readonly [theirs: Named, ours: Named])[];
  readonly when?: { readonly source: string } & Place;
  readonly allow: readonly Allow[];
  readonly needs?: readonly Named[];
}
