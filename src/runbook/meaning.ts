import { compile, isExpression } from './expression.ts';
import type { Condition, InputSpec, RoleSpec, Scope, Step, Template } from './runbook.ts';

/** What something in a runbook means, field by field, as text: places, comments, layout and titles are no part of it. */
export type Meaning = ReadonlyMap<string, string>;

/** What a step does, and when, whatever comes before it. An input of the include around it counts where the step uses it. */
export function meaningOf(step: Step): Meaning {
  const fields = new Map<string, string>([
    ['uses', step.uses],
    ['host', step.role],
  ]);
  if (step.when?.length) fields.set('when', step.when.map(({ source }) => source.trim()).join(' && '));
  if (step.confirm !== undefined) fields.set('confirm', step.confirm);
  if (step.timeoutMs !== undefined) fields.set('timeout', `${step.timeoutMs} ms`);
  if (step.terms) addLiteral(fields, 'terms', step.terms, step.scope);
  if (step.deadMan) addLiteral(fields, 'deadMan', step.deadMan, step.scope);
  if (step.part?.concurrency) fields.set('concurrency', String(step.part.concurrency));
  if (step.undoNeeds) fields.set('undo', 'host');
  addTemplate(fields, 'with', step.with, step.scope);
  for (const { source, scope } of [...sourcesIn(step.with, step.scope), ...conditionsOf(step.when)])
    addIncluded(fields, source, scope);
  return fields;
}

/** Roles of the root whose hosts the expressions of a step tell of, those among them that an include around it gives it. */
export function rolesUsed(step: Step): ReadonlySet<string> {
  const roles = new Set<string>();
  const look = ({ source, scope }: Used): void => {
    const expression = compile(source);
    if (!isExpression(expression)) return;
    for (const reference of expression.references) {
      if (reference.kind === 'role' || reference.kind === 'hosts') roles.add(scope.roles.get(reference.role) ?? reference.role);
      const input = reference.kind === 'input' ? scope.inputs.get(reference.name) : undefined;
      if (input?.spec.default) sourcesIn(input.spec.default, scope).forEach(look);
      if (input?.given) sourcesIn(input.given.template, input.given.scope).forEach(look);
    }
  };
  [...sourcesIn(step.with, step.scope), ...conditionsOf(step.when)].forEach(look);
  return roles;
}

/** What an input is: its type, and what it is when nobody gives it. */
export function meaningOfInput({ type, optional, default: preset }: InputSpec, scope: Scope): Meaning {
  const fields = new Map<string, string>([
    ['type', type],
    ['required', String(!optional && preset === undefined)],
  ]);
  if (preset) addTemplate(fields, 'default', preset, scope);
  return fields;
}

/** What a role is: how many hosts it may have, and whose it takes when it has none. */
export function meaningOfRole({ default: preset, many = false }: RoleSpec): Meaning {
  return new Map([['many', String(many)], ...(preset === undefined ? [] : [['default', preset] as const])]);
}

function addTemplate(fields: Map<string, string>, path: string, template: Template, scope: Scope): void {
  if (template.kind === 'map') for (const [key, member] of template.entries) addTemplate(fields, `${path}.${key}`, member, scope);
  else if (template.kind === 'list') {
    fields.set(`${path}.length`, String(template.items.length));
    template.items.forEach((item, index) => {
      addTemplate(fields, `${path}[${index}]`, item, scope);
    });
  } else if (template.kind === 'literal') addLiteral(fields, path, template.value, scope);
  else if (template.kind === 'expression') fields.set(path, expressionText(template.source));
  else fields.set(path, template.parts.map((part) => (typeof part === 'string' ? part : expressionText(part.source))).join(''));
}

/** A literal may be a whole map or list; each of its leaves is a field, so that the same text in two forms is the same. */
function addLiteral(fields: Map<string, string>, path: string, value: unknown, scope: Scope): void {
  if (Array.isArray(value)) {
    fields.set(`${path}.length`, String(value.length));
    value.forEach((item, index) => {
      addLiteral(fields, `${path}[${index}]`, item, scope);
    });
  } else if (value !== null && typeof value === 'object')
    for (const [key, member] of Object.entries(value)) addLiteral(fields, `${path}.${key}`, member, scope);
  else {
    // In an included file the name of a role stands for one of the root's.
    const role = typeof value === 'string' ? scope.roles.get(value) : undefined;
    fields.set(path, role !== undefined && role !== value ? `${value} (role ${role})` : JSON.stringify(value));
  }
}

function expressionText(source: string): string {
  return `\${{ ${source.trim()} }}`;
}

interface Used {
  readonly source: string;
  readonly scope: Scope;
}

function sourcesIn(template: Template, scope: Scope): Used[] {
  switch (template.kind) {
    case 'literal':
      return [];
    case 'expression':
      return [{ source: template.source, scope }];
    case 'text':
      return template.parts.flatMap((part) => (typeof part === 'string' ? [] : [{ source: part.source, scope }]));
    case 'list':
      return template.items.flatMap((item) => sourcesIn(item, scope));
    case 'map':
      return template.entries.flatMap(([, member]) => sourcesIn(member, scope));
  }
}

function conditionsOf(when: readonly Condition[] = []): Used[] {
  return when.map(({ source, scope }) => ({ source, scope }));
}

/** What an expression of an included file gets from around it: inputs as they are given there, roles as they are called at the root. */
function addIncluded(fields: Map<string, string>, source: string, scope: Scope): void {
  const expression = compile(source);
  if (!isExpression(expression) || scope.prefix === '') return;
  for (const reference of expression.references) {
    if (reference.kind === 'role') {
      const role = scope.roles.get(reference.role) ?? reference.role;
      if (role !== reference.role) fields.set(`${scope.prefix}role.${reference.role}`, role);
    }
    const input = reference.kind === 'input' ? scope.inputs.get(reference.name) : undefined;
    if (reference.kind !== 'input' || !input) continue;
    const path = `${scope.prefix}input.${reference.name}`;
    const { spec, given } = input;
    fields.set(`${path}.type`, spec.type);
    if (spec.default) addTemplate(fields, `${path}.default`, spec.default, scope);
    if (!given) continue;
    addTemplate(fields, path, given.template, given.scope);
    for (const used of sourcesIn(given.template, given.scope)) addIncluded(fields, used.source, used.scope);
  }
}
