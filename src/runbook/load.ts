import type { Action } from '../actions/action.ts';
import { catalog } from '../actions/catalog.ts';
import { checkSchema } from '../documents/check-schema.ts';
import { parseDocument } from '../documents/parse-document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { digestOf, type Json } from '../lib/json.ts';
import { nearest } from '../lib/text.ts';
import { ExpressionChecker, type StepOutputs } from './check-expressions.ts';
import { checkStep } from './check-params.ts';
import { Flattener, NOTHING_AROUND } from './flatten.ts';
import { rootScope } from './include-scope.ts';
import { lint } from './lint/lint.ts';
import type { Model, Named } from './model.ts';
import { optional, readModel } from './read-model.ts';
import type { Runbook } from './runbook.ts';
import { structureValidator, takesParam } from './validate.ts';

/** Gives the content of a file; the disk's, or that of a run's frozen files. Paths of includes are joined to the root's. */
export type ReadFile = (path: string) => Promise<string | Uint8Array>;

/** A runbook without errors, or all that is wrong with it. */
export type Loaded =
  | { readonly runbook: Runbook }
  | {
      readonly diagnostics: readonly Diagnostic[];
      readonly sources: readonly { readonly path: string; readonly text: string }[];
    };

/**
 * Reads a runbook with all it includes and checks everything that can be checked without a host. All errors are told at once.
 * With `lint: false` nobody looks at it as a whole: what a run has begun must be read again whatever newer rules say of it.
 * @throws what `readFile` throws for the root file
 */
export async function loadRunbook(path: string, options: { readFile: ReadFile; lint?: boolean }): Promise<Loaded> {
  const loader = new Loader(options.readFile, options.lint ?? true);
  return loader.load(path);
}

class Loader {
  readonly #readFile: ReadFile;
  readonly #lint: boolean;
  readonly #models = new Map<string, Model>();
  readonly #texts = new Map<string, string>();
  readonly #circular = new Set<string>();
  readonly #found: Diagnostic[] = [];
  readonly #told = new Set<string>();
  readonly #report = (found: Diagnostic) => {
    // An included file is looked at once for each include; its own mistakes are told once.
    const { code, message, at } = found;
    const mistake = JSON.stringify([code, message, at?.file, at?.line, at?.column]);
    if (!this.#told.has(mistake)) this.#found.push(found);
    this.#told.add(mistake);
  };

  constructor(readFile: ReadFile, lint: boolean) {
    this.#readFile = readFile;
    this.#lint = lint;
  }

  async load(path: string): Promise<Loaded> {
    this.#readModel(path, await this.#readFile(path));
    const root = this.#models.get(path);
    if (root) await this.#follow(root, [path]);
    const sources = () => [...this.#texts].map(([file, text]) => ({ path: file, text }));
    if (!root) return { diagnostics: this.#sorted(), sources: sources() };
    const actions = await this.#loadActions();
    for (const model of this.#models.values()) {
      for (const item of [...model.done, ...model.items])
        if (item.kind === 'step') checkStep(item, model, actions.get(item.uses.name), this.#report);
      this.#checkRoleDefaults(model);
    }
    const runbook = this.#flatten(root, actions);
    // What a wrong name was meant to be is not known, so only a runbook without errors is looked at as a whole.
    if (this.#found.length > 0) return { diagnostics: this.#sorted(), sources: sources() };
    const whole = { ...runbook, sources: sources(), digest: digestOf(sources().map((source) => source.text)) };
    if (this.#lint) for (const each of lint({ ...whole, warnings: [] }, actions, [...this.#models.values()])) this.#report(each);
    const warnings = this.#sorted();
    if (warnings.some((each) => each.severity === 'error')) return { diagnostics: warnings, sources: sources() };
    return { runbook: { ...whole, warnings } };
  }

  #readModel(path: string, content: string | Uint8Array): void {
    this.#texts.set(path, typeof content === 'string' ? content.replace(/^\uFEFF/, '') : new TextDecoder().decode(content));
    const parsed = parseDocument(path, content);
    if ('diagnostics' in parsed) {
      for (const each of parsed.diagnostics) this.#report(each);
      return;
    }
    for (const each of checkSchema(parsed.document, parsed.document.value, structureValidator(), [], placeForField)) {
      // The action's name is judged with the name's nearest neighbour only, not with the list of all.
      if (each.code !== 'VALUE_UNKNOWN' || !each.message.startsWith('"uses"')) this.#report(each);
    }
    this.#models.set(path, readModel(parsed.document, this.#report));
  }

  async #follow(model: Model, way: readonly string[]): Promise<void> {
    for (const item of model.items) {
      if (item.kind !== 'include') continue;
      if (way.includes(item.target)) {
        this.#report(
          finding(
            'INCLUDE_CIRCULAR',
            { circle: [...way.slice(way.indexOf(item.target)), item.target].join(' -> ') },
            item.runbook,
          ),
        );
        this.#circular.add(item.target);
        continue;
      }
      if (!this.#texts.has(item.target)) {
        try {
          this.#readModel(item.target, await this.#readFile(item.target));
        } catch (thrown) {
          this.#report(finding('INCLUDE_UNREADABLE', { file: item.target, why: whyUnreadable(thrown) }, item.runbook));
        }
      }
      const included = this.#models.get(item.target);
      if (included) await this.#follow(included, [...way, item.target]);
    }
  }

  async #loadActions(): Promise<Map<string, Action>> {
    const used = new Map<string, Named>();
    const names = Object.keys(catalog);
    for (const model of this.#models.values()) {
      for (const item of [...model.done, ...model.items]) {
        if (item.kind !== 'step' || item.uses.name === '') continue;
        if (names.includes(item.uses.name)) used.set(item.uses.name, item.uses);
        else
          this.#report(
            finding('ACTION_UNKNOWN', { action: item.uses.name, nearest: nearest(item.uses.name, names) ?? '' }, item.uses),
          );
      }
    }
    const loaded = await Promise.all([...used.keys()].map(async (name) => [name, (await catalog[name]?.())?.default] as const));
    return new Map(loaded.flatMap(([name, action]) => (action ? [[name, action]] : [])));
  }

  #checkRoleDefaults(model: Model): void {
    const names = model.roles.map((role) => role.name);
    for (const role of model.roles) {
      if (role.default === undefined) continue;
      const place = model.document.place(['roles', role.name, 'default']);
      model.used.roles.add(role.default);
      if (!names.includes(role.default))
        this.#report(
          finding(
            'ROLE_UNKNOWN',
            { role: role.default, nearest: nearest(role.default, names) ?? '', known: names.join(', ') },
            place,
          ),
        );
      if (!role.many && model.roles.some(({ name, many }) => many && name === role.default))
        this.#report(finding('ROLE_DEFAULT_MANY', { role: role.name, other: role.default }, place));
      const seen = new Set<string>();
      let next: string | undefined = role.name;
      while (next !== undefined && !seen.has(next)) {
        seen.add(next);
        next = model.roles.find((each) => each.name === next)?.default;
      }
      if (next === role.name) this.#report(finding('ROLE_DEFAULT_CIRCULAR', { role: role.name }, place));
    }
  }

  #flatten(root: Model, actions: ReadonlyMap<string, Action>): Omit<Runbook, 'sources' | 'digest' | 'warnings'> {
    const scope = rootScope(root);
    const models = new Map([...this.#models].filter(([path]) => !this.#circular.has(path)));
    const done = new Flattener(models, this.#report);
    done.addChecks(root, scope);
    const body = new Flattener(models, this.#report);
    body.add(root, scope, [], NOTHING_AROUND);
    for (const check of done.steps) {
      const twin = body.steps.find((step) => step.id === check.id);
      if (twin)
        this.#report(
          finding('STEP_DUPLICATE', { id: check.id, where: `${twin.at.file}:${twin.at.line}` }, { at: check.at, length: 1 }),
        );
    }
    for (const flat of [done, body]) {
      const outputs = new Map<string, StepOutputs>(
        flat.steps.map((step) => [
          step.id,
          {
            uses: step.uses,
            outputs: outputsOf(actions.get(step.uses)),
            ...optional('role', step.fanOut && step.role),
          },
        ]),
      );
      const checker = new ExpressionChecker(outputs, this.#report);
      for (const use of flat.uses) checker.check(use);
    }
    const defaults = new ExpressionChecker(new Map(), this.#report);
    for (const spec of root.inputs)
      if (spec.default) defaults.check({ model: root, scope, template: spec.default, done: new Set() });
    return {
      name: root.name,
      ...optional('title', root.title),
      ...optional('description', root.description),
      ...optional('onFailure', root.onFailure),
      inputs: root.inputs,
      roles: root.roles,
      done: done.steps,
      steps: body.steps,
      checkpoints: body.checkpoints,
      root: scope,
    };
  }

  #sorted(): Diagnostic[] {
    const files = [...this.#texts.keys()];
    const rank = (each: Diagnostic) => [each.at ? files.indexOf(each.at.file) : -1, each.at?.line ?? 0, each.at?.column ?? 0];
    // Where an expression stands that is not read, whatever else is said about that text is beside the point.
    const misplaced = this.#found.filter((each) => each.code === 'EXPRESSION_MISPLACED');
    const told = this.#found.filter((each) => misplaced.includes(each) || !misplaced.some((other) => samePlace(other, each)));
    return told.toSorted((a, b) => rank(a).reduce((order, part, index) => order || part - (rank(b)[index] ?? 0), 0));
  }
}

/** Where a field belongs that stands in the wrong place. */
function placeForField(field: string, around: Json): string | undefined {
  const uses = (around as { uses?: Json } | null)?.uses;
  if (typeof uses === 'string' && takesParam(uses, field))
    return `It is a param of ${uses}, and those stand under "with":  with: { ${field}: ... }`;
  return field === 'hosts' ? 'Hosts stand in the inventory, a file of its own:  ferry plan RUNBOOK -i INVENTORY' : undefined;
}

function outputsOf(action: Action | undefined): readonly string[] | null {
  return action ? Object.keys(action.outputs ?? {}) : null;
}

function samePlace(a: Diagnostic, b: Diagnostic): boolean {
  return a.at?.file === b.at?.file && a.at?.line === b.at?.line && a.at?.column === b.at?.column;
}

function whyUnreadable(thrown: unknown): string {
  const { code, message } = thrown as { code?: string; message?: string };
  const reasons: Record<string, string> = { ENOENT: 'no such file', EACCES: 'permission denied', EISDIR: 'it is a folder' };
  return reasons[code ?? ''] ?? message ?? String(thrown);
}
