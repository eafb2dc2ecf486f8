import { isOpen } from '../../actions/partial-params.ts';
import type { Json } from '../../lib/json.ts';
import { compile, isExpression, type Reference } from '../expression.ts';
import type { Scope, Template } from '../runbook.ts';

/**
 * The value of a template as far as the file tells it. What hangs on inputs, outputs or roles stays between `${{` and `}}`,
 * in names of the root runbook, so that equal texts mean equal values wherever they stand.
 */
export function symbolic(template: Template, scope: Scope): Json {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'expression':
      return symbolOf(template.source, scope);
    case 'text':
      return template.parts.map((part) => (typeof part === 'string' ? part : textOf(symbolOf(part.source, scope)))).join('');
    case 'list':
      return template.items.map((item) => symbolic(item, scope));
    case 'map':
      return Object.fromEntries(template.entries.map(([key, member]) => [key, symbolic(member, scope)]));
  }
}

function symbolOf(source: string, scope: Scope): Json {
  const expression = compile(source);
  if (!isExpression(expression)) return `\${{ ${source} }}`;
  const [only] = expression.references;
  if (only?.kind === 'input' && only.path.length === 0 && only.start === 0 && only.end === source.length)
    return inputSymbol(only.name, scope);
  let text = source;
  for (const reference of expression.references.toSorted((a, b) => b.start - a.start))
    text = text.slice(0, reference.start) + rooted(reference, scope) + text.slice(reference.end);
  return `\${{ ${text} }}`;
}

function inputSymbol(name: string, scope: Scope): Json {
  const input = scope.inputs.get(name);
  if (scope.prefix === '' || !input) return `\${{ inputs.${name} }}`;
  if (input.given) return symbolic(input.given.template, input.given.scope);
  return input.spec.default ? symbolic(input.spec.default, scope) : null;
}

/** A name in an expression as it would be written in the root runbook. */
function rooted(reference: Reference, scope: Scope): string {
  const more = reference.path.map((member) => `[${JSON.stringify(member)}]`).join('');
  if (reference.kind === 'host') return `host.${reference.field}${more}`;
  if (reference.kind === 'hosts') return `roles.${scope.roles.get(reference.role) ?? reference.role}`;
  // What follows stands behind the name of a host that an expression tells.
  if (reference.kind === 'output-by-host') return `steps['${scope.prefix}${reference.step}'].outputs`;
  if (reference.kind === 'output') return `steps['${scope.prefix}${reference.step}'].outputs.${reference.output}${more}`;
  if (reference.kind === 'role') return `roles.${scope.roles.get(reference.role) ?? reference.role}.${reference.field}${more}`;
  const value = inputSymbol(reference.name, scope);
  const whole = typeof value === 'string' ? /^\$\{\{ ((?:(?!\}\}).)*) \}\}$/s.exec(value)?.[1] : undefined;
  return (whole ?? JSON.stringify(value)) + more;
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Whether two texts may turn out to be the same: equal ones are, and of open ones nobody knows more than how they begin and end. */
export function maySame(a: unknown, b: unknown): boolean {
  const [one, other] = [String(a), String(b)];
  if (one === other) return true;
  if (!isOpen(one) && !isOpen(other)) return false;
  const head = (text: string) => text.split('${{', 1)[0] ?? '';
  const tail = (text: string) => (isOpen(text) ? text.slice(text.lastIndexOf('}}') + 2) : text);
  const startAlike = head(one).startsWith(head(other)) || head(other).startsWith(head(one));
  return startAlike && (tail(one).endsWith(tail(other)) || tail(other).endsWith(tail(one)));
}
