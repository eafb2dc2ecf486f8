import type { Action, Touches } from '../../actions/action.ts';
import type { Effect } from '../../actions/effects.ts';
import { isOpen, partialParams } from '../../actions/partial-params.ts';
import type { Model } from '../model.ts';
import type { Runbook, Step, Template } from '../runbook.ts';
import { maySame, symbolic } from './symbols.ts';

type Does = Effect['does'];
/** An effect with the role names of the root runbook. */
export type EffectOf<D extends Does> = Effect & { readonly does: D };

/** A step as rules see it. */
export interface LintStep {
  readonly step: Step;
  readonly action: Action;
  readonly touches: Touches;
  readonly effects: readonly Effect[];
}

/** One effect and the step that has it. */
export interface Deed<D extends Does> {
  readonly by: LintStep;
  readonly what: EffectOf<D>;
}

/** A whole runbook as rules look at it: what each step does, and which step certainly comes before which. */
export class LintBook {
  readonly runbook: Runbook;
  readonly models: readonly Model[];
  readonly steps: readonly LintStep[];
  readonly #before = new Map<string, ReadonlySet<string>>();
  readonly #index = new Map<string, number>();

  constructor(runbook: Runbook, actions: ReadonlyMap<string, Action>, models: readonly Model[]) {
    this.runbook = runbook;
    this.models = models;
    this.steps = runbook.steps.map((step) => lintStep(step, actions.get(step.uses) as Action));
    for (const [index, { id, needs }] of runbook.steps.entries()) {
      this.#index.set(id, index);
      const before = new Set(needs);
      for (const need of needs) for (const earlier of this.#before.get(need) ?? []) before.add(earlier);
      this.#before.set(id, before);
    }
  }

  /** Everything the steps do of one kind, in file order. */
  all<D extends Does>(...kinds: readonly D[]): Deed<D>[] {
    return this.steps.flatMap((by) =>
      by.effects.flatMap((what) => ((kinds as readonly string[]).includes(what.does) ? [{ by, what: what as EffectOf<D> }] : [])),
    );
  }

  /** Whether `a` is certainly over when `b` begins. */
  isBefore(a: LintStep, b: LintStep): boolean {
    return this.#before.get(b.step.id)?.has(a.step.id) ?? false;
  }

  /** Whether neither waits for the other. */
  areSideBySide(a: LintStep, b: LintStep): boolean {
    return a !== b && !this.isBefore(a, b) && !this.isBefore(b, a);
  }

  indexOf(step: LintStep): number {
    return this.#index.get(step.step.id) ?? -1;
  }

  /** Whether two roles may turn out to be one host: they have the same name, or one takes the other's host by default. */
  maySameHost(a: string, b: string): boolean {
    if (a === b || isOpen(a) || isOpen(b)) return true;
    const defaults = (role: string | undefined): string[] =>
      role === undefined ? [] : [role, ...defaults(this.runbook.roles.find((each) => each.name === role)?.default)];
    return defaults(a).some((role) => defaults(b).includes(role));
  }

  /** Whether two databases may be one. */
  maySameDatabase(a: { role: string; port: unknown; database: string }, b: { role: string; port: unknown; database: string }) {
    return this.maySameHost(a.role, b.role) && maySame(a.port, b.port) && maySame(a.database, b.database);
  }
}

function lintStep(step: Step, action: Action): LintStep {
  const params = partialParams(action.params, symbolic(step.with, step.scope));
  // No role has an empty name, so it can stand for the step's own.
  const touches = action.touches?.(params, '') ?? {};
  const role = (name: string) => (name === '' ? step.role : (step.scope.roles.get(name) ?? name));
  const keys = (pairs: Touches['changes'] = []) => pairs.map(([name, key]) => [role(name), key] as const);
  const effects = (touches.effects ?? []).map((effect) => ({
    ...effect,
    role: role(effect.role),
    ...('with' in effect ? { with: { ...effect.with, role: role(effect.with.role) } } : {}),
  }));
  return { step, action, touches: { ...touches, changes: keys(touches.changes), reads: keys(touches.reads) }, effects };
}

/** The template of one param of a step, by its path in `with`. */
export function paramOf(step: Step, ...path: readonly string[]): Template | undefined {
  let found: Template | undefined = step.with;
  for (const name of path) found = found?.kind === 'map' ? found.entries.find(([key]) => key === name)?.[1] : undefined;
  return found;
}
