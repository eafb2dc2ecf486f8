import type { Action, Touches } from '../../actions/action.ts';
import type { Effect } from '../../actions/effects.ts';
import { isOpen, partialParams } from '../../actions/partial-params.ts';
import type { Model } from '../model.ts';
import type { Runbook, Step, Template } from '../runbook.ts';
import { StepOrder } from '../step-order.ts';
import { maySame, symbolic } from './symbols.ts';

type Does = Effect['does'];
const OPEN = '${{';
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
  readonly #index = new Map<string, number>();
  readonly #order = new StepOrder();
  #makers: Map<string, Deed<'make-file'>[]> | undefined;
  readonly #deeds = new Map<string, Deed<Does>[]>();

  constructor(runbook: Runbook, actions: ReadonlyMap<string, Action>, models: readonly Model[]) {
    this.runbook = runbook;
    this.models = models;
    this.steps = runbook.steps.map((step) => lintStep(step, actions.get(step.uses) as Action));
    for (const [index, { id, needs }] of runbook.steps.entries()) {
      this.#index.set(id, index);
      this.#order.add(id, needs, '');
    }
  }

  /** Everything the steps do of one kind, in file order. */
  all<D extends Does>(...kinds: readonly D[]): readonly Deed<D>[] {
    const name = kinds.join();
    let found = this.#deeds.get(name);
    if (!found) {
      found = this.steps.flatMap((by) =>
        by.effects.flatMap((what) => ((kinds as readonly string[]).includes(what.does) ? [{ by, what }] : [])),
      );
      this.#deeds.set(name, found);
    }
    return found as unknown as Deed<D>[];
  }

  /** Everything the steps make that may be the file at `path`, on whatever host. */
  makersOf(path: string): readonly Deed<'make-file'>[] {
    this.#makers ??= Map.groupBy(this.all('make-file'), ({ what }) => (isOpen(what.path) ? OPEN : what.path));
    if (isOpen(path)) return this.all('make-file').filter(({ what }) => maySame(what.path, path));
    const open = (this.#makers.get(OPEN) ?? []).filter(({ what }) => maySame(what.path, path));
    return [...(this.#makers.get(path) ?? []), ...open];
  }

  /** Whether `a` is certainly over when `b` begins. */
  isBefore(a: LintStep, b: LintStep): boolean {
    return this.#order.isBefore(a.step.id, b.step.id);
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
    return isOpen(a) || isOpen(b) || this.homeOf(a) === this.homeOf(b);
  }

  /** The role whose host a role takes unless the inventory says otherwise, over any number of defaults; its own when none. */
  homeOf(role: string): string {
    const next = this.runbook.roles.find(({ name }) => name === role)?.default;
    return next === undefined ? role : this.homeOf(next);
  }

  /** Whether a runbook makes sense only with two hosts for these roles: it moves or compares one database of both. */
  needsTwoHosts(a: string, b: string): boolean {
    const pairs = [
      ...this.all('compare').map(({ what }) => [what, what.with] as const),
      ...this.all('dump').flatMap((dump) => this.all('restore').map((restore) => [dump.what, restore.what] as const)),
    ];
    return pairs.some(
      ([one, other]) =>
        ((one.role === a && other.role === b) || (one.role === b && other.role === a)) &&
        String(one.port) === String(other.port) &&
        one.database === other.database,
    );
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
