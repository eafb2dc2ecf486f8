import type { Environment } from '@marcbachmann/cel-js';
import type { Diagnostic, Position } from '../errors/diagnostic.ts';
import { finding, type Place } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';
import { checkingEnvironment, ROLE_FIELDS } from './cel.ts';
import { compile, FORMS, isExpression, lowerFirst, type Reference } from './expression.ts';
import type { Use } from './flatten.ts';
import type { Model } from './model.ts';
import type { Template } from './runbook.ts';

/** What is known of a step by those who use its outputs. `outputs` is null when anything may be there. */
export interface StepOutputs {
  readonly uses: string;
  readonly outputs: readonly string[] | null;
  /** The role of many it is done on: its outputs are then a map by host. */
  readonly role?: string;
}

/** Checks every expression of a runbook: syntax, names, order and types; marks the inputs and roles that are used. */
export class ExpressionChecker {
  readonly #steps: ReadonlyMap<string, StepOutputs>;
  readonly #report: (found: Diagnostic) => void;
  readonly #environments = new Map<Model, Environment>();

  constructor(steps: ReadonlyMap<string, StepOutputs>, report: (found: Diagnostic) => void) {
    this.#steps = steps;
    this.#report = report;
  }

  check(use: Use): void {
    if (use.template) this.#checkTemplate(use.template, use);
    if (use.condition) this.#checkExpression(use.condition.source, use.condition.at, use, true);
  }

  #checkTemplate(template: Template, use: Use): void {
    if (template.kind === 'expression') this.#checkExpression(template.source, template.at, use, false);
    else if (template.kind === 'text')
      for (const part of template.parts) typeof part !== 'string' && this.#checkExpression(part.source, part.at, use, false);
    else if (template.kind === 'list') for (const item of template.items) this.#checkTemplate(item, use);
    else if (template.kind === 'map') for (const [, member] of template.entries) this.#checkTemplate(member, use);
  }

  #checkExpression(source: string, at: Position, use: Use, condition: boolean): void {
    const place = (range: { start: number; end: number } | undefined): Place =>
      placeIn(source, at, range ?? { start: 0, end: source.length });
    const expression = compile(source);
    if (!isExpression(expression)) {
      this.#report(
        finding('EXPRESSION_SYNTAX_WRONG', { why: source === '' ? 'there is nothing in it' : expression.why }, place(expression)),
      );
      return;
    }
    for (const vague of expression.vague)
      this.#report(finding('EXPRESSION_NAME_VAGUE', { name: vague.name, form: vague.form }, place(vague)));
    const problems = expression.references.map((reference) => this.#checkReference(reference, use, place(reference)));
    if (expression.vague.length > 0 || problems.includes(true)) return;
    const { valid, type, error } = this.#environment(use.model).parse(source).check();
    if (!valid) {
      const unknown = error?.code === 'unknown_variable' ? source.slice(error.range?.start, error.range?.end) : undefined;
      const names = ['inputs', 'steps', 'roles', ...(use.onEach ? ['host'] : [])];
      if (unknown !== undefined)
        this.#report(
          finding(
            'EXPRESSION_NAME_UNKNOWN',
            { name: unknown, nearest: nearest(unknown, names) ?? '', known: names.join(', ') },
            place(error?.range),
          ),
        );
      else
        this.#report(
          finding('EXPRESSION_TYPE_WRONG', { why: lowerFirst(error?.summary ?? 'the types do not fit') }, place(error?.range)),
        );
    } else if (condition && type !== 'bool' && type !== 'dyn') {
      this.#report(finding('CONDITION_NOT_BOOLEAN', { expression: source, got: `of type ${type}` }, place(undefined)));
    }
  }

  /** True when there is something wrong with it. */
  #checkReference(reference: Reference, use: Use, place: Place): boolean {
    if (reference.kind === 'input') return this.#checkInput(reference.name, use, place);
    if (reference.kind === 'role' || reference.kind === 'hosts') return this.#checkRole(reference, use, place);
    if (reference.kind !== 'host') return this.#checkOutput(reference, use, place);
    if (!use.onEach) return this.#refuse(finding('HOST_NAME_MISPLACED', { field: reference.field }, place));
    return this.#checkField('host', reference.field, place);
  }

  #checkField(of: string, field: string, place: Place): boolean {
    const fields: readonly string[] = ROLE_FIELDS;
    if (fields.includes(field)) return false;
    const args = { name: `${of}.${field}`, nearest: nearest(field, fields) ?? '', known: fields.join(', ') };
    return this.#refuse(finding('EXPRESSION_NAME_UNKNOWN', args, place));
  }

  #checkInput(name: string, use: Use, place: Place): boolean {
    const known = use.model.inputs.map((spec) => spec.name);
    if (!known.includes(name))
      return this.#refuse(
        finding('INPUT_UNKNOWN', { input: name, nearest: nearest(name, known) ?? '', known: known.join(', ') }, place),
      );
    use.model.used.inputs.add(name);
    const owner = use.model.inputs.findIndex((spec) => spec.default === use.template);
    if (use.template && owner !== -1 && known.indexOf(name) >= owner)
      return this.#refuse(finding('INPUT_LATER', { input: name }, place));
    return false;
  }

  #checkRole(reference: Extract<Reference, { kind: 'role' | 'hosts' }>, use: Use, place: Place): boolean {
    const known = use.model.roles.map((role) => role.name);
    const { role } = reference;
    if (!known.includes(role))
      return this.#refuse(finding('ROLE_UNKNOWN', { role, nearest: nearest(role, known) ?? '', known: known.join(', ') }, place));
    use.model.used.roles.add(role);
    const isMany = use.model.roles.some(({ name, many }) => many && name === role);
    if (reference.kind === 'hosts')
      return isMany ? false : this.#refuse(finding('EXPRESSION_NAME_VAGUE', { name: `roles.${role}`, form: FORMS.roles }, place));
    const { field } = reference;
    if (!isMany) return this.#checkField(`roles.${role}`, field, place);
    return /^\d+$/.test(field) ? false : this.#refuse(finding('ROLE_FIELD_SEVERAL', { role, field }, place));
  }

  #checkOutput(reference: Extract<Reference, { kind: 'output' | 'output-by-host' }>, use: Use, place: Place): boolean {
    const { prefix } = use.scope;
    const { step } = reference;
    if (use.template && use.model.inputs.some((spec) => spec.default === use.template))
      return this.#refuse(finding('DEFAULT_USES_STEP', { step }, place));
    const target = this.#steps.get(prefix + step);
    if (!target) {
      const known = [...this.#steps.keys()].filter((id) => id.startsWith(prefix)).map((id) => id.slice(prefix.length));
      return this.#refuse(
        finding('STEP_UNKNOWN', { step, nearest: nearest(step, known) ?? '', known: known.slice(0, 12).join(', ') }, place),
      );
    }
    if (!use.done.has(prefix + step)) return this.#refuse(finding('STEP_NOT_BEFORE', { step }, place));
    let { output } = reference;
    if (target.role === undefined && reference.kind === 'output-by-host')
      return this.#refuse(finding('EXPRESSION_NAME_VAGUE', { name: `steps.${step}.outputs`, form: FORMS.steps }, place));
    if (target.role !== undefined && reference.kind === 'output') {
      // The name of the output comes after that of the host.
      const [name] = reference.path;
      const isOutput = target.outputs?.includes(output) ?? false;
      if (name === undefined || (isOutput && !target.outputs?.includes(name))) {
        const args = { step, output: isOutput ? output : (target.outputs?.[0] ?? 'NAME'), role: target.role };
        return this.#refuse(finding('OUTPUT_BY_HOST', args, place));
      }
      output = name;
    }
    if (target.outputs === null || target.outputs.includes('*') || target.outputs.includes(output)) return false;
    const args = {
      step,
      action: target.uses,
      output,
      nearest: nearest(output, target.outputs) ?? '',
      known: target.outputs.join(', '),
    };
    return this.#refuse(finding('OUTPUT_UNKNOWN', args, place));
  }

  #refuse(found: Diagnostic): true {
    this.#report(found);
    return true;
  }

  #environment(model: Model): Environment {
    let environment = this.#environments.get(model);
    if (!environment) {
      environment = checkingEnvironment(model.inputs, model.roles);
      this.#environments.set(model, environment);
    }
    return environment;
  }
}

/** The place of a piece of an expression. Past its first line only the beginning of the whole can be told. */
function placeIn(source: string, at: Position, range: { start: number; end: number }): Place {
  const before = source.slice(0, range.start);
  if (before.includes('\n')) return { at, length: Math.max(1, source.indexOf('\n')) };
  const piece = source.slice(range.start, range.end).split('\n', 1)[0] ?? '';
  return { at: { ...at, column: at.column + range.start }, length: Math.max(1, piece.length) };
}
