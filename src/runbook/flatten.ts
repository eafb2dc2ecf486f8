import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';
import { isQuestion } from './check-params.ts';
import { includeScope } from './include-scope.ts';
import type { Allow, IncludeItem, Model, Named, StepItem } from './model.ts';
import { optional } from './read-model.ts';
import type { Checkpoint, Condition, Scope, Step, Template } from './runbook.ts';
import { type Earlier, StepOrder } from './step-order.ts';

/** A place where expressions stand, with what may be used there. */
export interface Use {
  readonly model: Model;
  readonly scope: Scope;
  readonly template?: Template;
  readonly condition?: { readonly source: string } & Place;
  /** Ids of all steps that are certain to be done there. */
  readonly done: Earlier;
  /** True on a step that is done on each of many hosts: `host` is then the one at hand. */
  readonly onEach?: boolean;
}

export interface Flat {
  readonly steps: Step[];
  readonly checkpoints: Checkpoint[];
  readonly uses: Use[];
}

/** What the includes around a step say for it. */
export interface Around {
  readonly when: readonly Condition[];
  readonly allow: readonly Allow[];
}

export const NOTHING_AROUND: Around = { when: [], allow: [] };

/** Puts the steps of a runbook and of all it includes into one list, with needs resolved to ids. */
export class Flattener {
  readonly steps: Step[] = [];
  readonly checkpoints: Checkpoint[] = [];
  readonly uses: Use[] = [];
  readonly #order = new StepOrder();
  readonly #models: ReadonlyMap<string, Model>;
  readonly #report: (found: Diagnostic) => void;
  #barrier: readonly string[] = [];

  constructor(models: ReadonlyMap<string, Model>, report: (found: Diagnostic) => void) {
    this.#models = models;
    this.#report = report;
  }

  /** Adds the items of a file. The ids in `entry` come before them all; returned are those after which it is done. */
  add(model: Model, scope: Scope, entry: readonly string[], outer: Around): readonly string[] {
    const known = new Map<string, readonly string[]>();
    const firstStep = this.steps.length;
    let previous = entry;
    for (const item of model.items) {
      if (item.kind === 'checkpoint') {
        this.#addCheckpoint(item.name, scope);
        previous = this.#barrier;
        continue;
      }
      const needs = item.needs
        ? [...entry, ...item.needs.flatMap((need) => this.#resolve(need, item, model, scope, known))]
        : previous;
      previous =
        item.kind === 'step'
          ? this.#addStep(item, model, scope, [...needs, ...this.#barrier], outer)
          : this.#addInclude(item, model, scope, [...needs, ...this.#barrier], outer);
      if (item.kind === 'step' || item.id) this.#remember(item.id as Named, previous, known, scope);
      else known.set(this.#models.get(item.target)?.name ?? '', previous);
    }
    const added = this.steps.slice(firstStep).map((step) => step.id);
    return added.length > 0 ? this.#order.lastOf(added) : entry;
  }

  /** Adds a list of checks that are done one after the other, before and apart from the steps. */
  addChecks(model: Model, scope: Scope): void {
    let previous: readonly string[] = [];
    for (const item of model.done) previous = this.#addStep(item, model, scope, previous, NOTHING_AROUND);
  }

  #addStep(item: StepItem, model: Model, scope: Scope, needs: readonly string[], outer: Around): readonly string[] {
    const id = scope.prefix + item.id.name;
    model.used.roles.add(item.host.name);
    const taken = this.#order.placeOf(id);
    if (taken) this.#report(finding('STEP_DUPLICATE', { id: item.id.name, where: taken }, item.id));
    this.#order.add(id, needs, `${item.id.at.file}:${item.id.at.line}`);
    const when = [...outer.when, ...(item.when ? [{ source: item.when.source, at: item.when.at, scope }] : [])];
    const allow = [...outer.allow, ...item.allow];
    const onEach = !isQuestion(item) && model.roles.some(({ name, many }) => many && name === item.host.name);
    const { concurrency = null, undo = 'all' } = item.fanOut ?? {};
    this.steps.push({
      id,
      role: scope.roles.get(item.host.name) ?? item.host.name,
      uses: item.uses.name,
      with: item.with,
      needs: this.#order.needsOf(id),
      scope,
      at: model.document.startPlace(item.path).at,
      ...optional('title', item.title),
      ...(when.length > 0 ? { when } : {}),
      ...optional('timeoutMs', item.timeoutMs),
      ...optional('terms', item.terms),
      ...optional('confirm', item.confirm),
      ...optional('deadMan', item.deadMan),
      ...(allow.length > 0 ? { allow } : {}),
      ...(onEach ? { fanOut: { concurrency, undo } } : {}),
    });
    const done = this.#order.before(id);
    this.uses.push({ model, scope, template: item.with, done, onEach });
    if (item.when) this.uses.push({ model, scope, condition: item.when, done, onEach });
    return [id];
  }

  #addInclude(item: IncludeItem, model: Model, scope: Scope, needs: readonly string[], outer: Around): readonly string[] {
    const done = this.#order.beforeAll(needs);
    for (const [, template] of item.with) this.uses.push({ model, scope, template, done });
    if (item.when) this.uses.push({ model, scope, condition: item.when, done });
    const included = this.#models.get(item.target);
    if (!included) return needs;
    const own = includeScope(item, model, scope, included, this.#report);
    for (const spec of included.inputs)
      if (spec.default) this.uses.push({ model: included, scope: own, template: spec.default, done: new Set() });
    const when = item.when ? [...outer.when, { source: item.when.source, at: item.when.at, scope }] : outer.when;
    return this.add(included, own, this.#order.lastOf(needs), { when, allow: [...outer.allow, ...item.allow] });
  }

  #addCheckpoint(name: Named, scope: Scope): void {
    const full = scope.prefix + name.name;
    const twin = this.checkpoints.find((checkpoint) => checkpoint.name === full);
    if (twin) this.#report(finding('CHECKPOINT_DUPLICATE', { name: name.name, where: `${twin.at.file}:${twin.at.line}` }, name));
    this.checkpoints.push({ name: full, afterStep: this.steps.length, at: name.at });
    this.#barrier = this.#order.lastOf(this.steps.map((step) => step.id));
  }

  #remember(id: Named, ids: readonly string[], known: Map<string, readonly string[]>, scope: Scope): void {
    // Two includes, or an include and a step, under one id: their step ids differ, their name does not.
    const include = !ids.includes(scope.prefix + id.name);
    if (known.has(id.name) && include) this.#report(finding('STEP_DUPLICATE', { id: id.name, where: 'an item before' }, id));
    known.set(id.name, ids);
  }

  #resolve(
    need: Named,
    item: StepItem | IncludeItem,
    model: Model,
    scope: Scope,
    known: ReadonlyMap<string, readonly string[]>,
  ): readonly string[] {
    const ids = known.get(need.name) ?? (this.#order.placeOf(scope.prefix + need.name) ? [scope.prefix + need.name] : undefined);
    if (ids) return ids;
    const circle = circleFrom(item, need.name, model);
    const later = model.items.some((other) => other.kind !== 'checkpoint' && other.id?.name === need.name);
    const all = model.items.flatMap((other) => (other.kind !== 'checkpoint' && other.id ? [other.id.name] : []));
    if (circle) this.#report(finding('NEED_CIRCULAR', { circle: circle.join(' -> ') }, need));
    else if (later) this.#report(finding('NEED_LATER', { step: need.name }, need));
    else
      this.#report(
        finding(
          'STEP_UNKNOWN',
          { step: need.name, nearest: nearest(need.name, all) ?? '', known: [...known.keys()].join(', ') },
          need,
        ),
      );
    return [];
  }
}

/** The way from a step through `need` back to itself, by the needs as they are written. */
function circleFrom(item: StepItem | IncludeItem, need: string, model: Model): string[] | undefined {
  const start = item.id?.name;
  const needsOf = new Map(
    model.items.flatMap((each) =>
      each.kind !== 'checkpoint' && each.id ? [[each.id.name, (each.needs ?? []).map((other) => other.name)] as const] : [],
    ),
  );
  const walk = (name: string, way: readonly string[]): string[] | undefined => {
    if (name === start) return [...way, name];
    if (way.includes(name)) return undefined;
    for (const next of needsOf.get(name) ?? []) {
      const found = walk(next, [...way, name]);
      if (found) return found;
    }
    return undefined;
  };
  return start === undefined ? undefined : walk(need, [start])?.slice(0);
}
