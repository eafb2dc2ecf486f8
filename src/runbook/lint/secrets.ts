import { compile, isExpression } from '../expression.ts';
import type { Scope, Template } from '../runbook.ts';
import type { LintBook } from './book.ts';

/** What makes the value of a template a secret, as a person would name it: `inputs.password`; null when nothing does. */
export function secretIn(book: LintBook, template: Template, scope: Scope): string | null {
  switch (template.kind) {
    case 'literal':
      return null;
    case 'expression':
      return secretOf(book, template.source, scope);
    case 'text':
      return first(template.parts, (part) => (typeof part === 'string' ? null : secretOf(book, part.source, scope)));
    case 'list':
      return first(template.items, (item) => secretIn(book, item, scope));
    case 'map':
      return first(template.entries, ([, member]) => secretIn(book, member, scope));
  }
}

function secretOf(book: LintBook, source: string, scope: Scope): string | null {
  const expression = compile(source);
  if (!isExpression(expression) || isCondition(source)) return null;
  return first(expression.references, (reference) => {
    if (reference.kind === 'output' || reference.kind === 'output-by-host') {
      const step = book.steps.find((one) => one.step.id === scope.prefix + reference.step);
      // Of a step on many hosts the name of the output comes after that of the host.
      const name = step?.step.fanOut && reference.kind === 'output' ? (reference.path[0] ?? '') : reference.output;
      return step?.touches.secrets?.includes(name) ? `steps['${reference.step}'].outputs.${name}` : null;
    }
    if (reference.kind !== 'input') return null;
    const input = scope.inputs.get(reference.name);
    const isSecret =
      input?.spec.type === 'secret' || (input?.given && secretIn(book, input.given.template, input.given.scope) !== null);
    return isSecret ? `inputs.${reference.name}` : null;
  });
}

/** Whether an expression is true or false by its form alone: that is no secret, whatever it looks at. */
function isCondition(source: string): boolean {
  const expression = compile(source);
  return isExpression(expression) && ['==', '!=', '<', '<=', '>', '>=', '&&', '||', '!_', 'in'].includes(expression.ast.op);
}

function first<T>(parts: readonly T[], find: (part: T) => string | null): string | null {
  for (const part of parts) {
    const found = find(part);
    if (found !== null) return found;
  }
  return null;
}
