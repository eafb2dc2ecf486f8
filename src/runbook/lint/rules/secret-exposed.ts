import type { Template } from '../../runbook.ts';
import { takesSecret } from '../../validate.ts';
import { type LintBook, type LintStep, paramOf } from '../book.ts';
import { defineRule } from '../rule.ts';
import { secretIn } from '../secrets.ts';

export default defineRule({
  code: 'SECRET_EXPOSED',
  severity: 'error',
  why:
    'Every user of a machine can read the arguments of its commands. Ferry refuses such a step when it plans it; here it is refused ' +
    'before any host is touched, and so is a secret in a param that takes none.',
  fix: 'Give it by stdin.',
  bad: `
inputs:
  password: { type: secret }
steps:
  - id: set
    host: db
    uses: command.run
    with: { argv: [app-passwd, "\${{ inputs.password }}"], undo: app-passwd --reset }`,
  good: `
inputs:
  password: { type: secret }
steps:
  - id: set
    host: db
    uses: command.run
    with: { argv: [app-passwd, --stdin], stdin: "\${{ inputs.password }}", undo: app-passwd --reset }`,
  check: (book) => book.steps.flatMap((step) => [...inCommand(book, step), ...inOthers(book, step)]),
});

function inCommand(book: LintBook, step: LintStep) {
  const open = step.effects.flatMap((effect) => (effect.does === 'run-command' ? effect.open : []));
  return open.flatMap((param) => {
    const template = paramOf(step.step, param);
    return template ? found(book, step, template, param, 1) : [];
  });
}

/** Secrets in params whose schema has no place for one. */
function inOthers(book: LintBook, step: LintStep) {
  const walk = (template: Template, path: readonly string[]): ReturnType<typeof found> => {
    if (template.kind === 'map') return template.entries.flatMap(([key, member]) => walk(member, [...path, key]));
    if (template.kind === 'list') return template.items.flatMap((item, index) => walk(item, [...path, String(index)]));
    if (template.kind === 'literal' || takesSecret(step.step.uses, path)) return [];
    return found(book, step, template, path.filter((member) => !/^\d+$/.test(member)).at(-1) ?? 'with', 0);
  };
  return walk(step.step.with, []);
}

function found(book: LintBook, step: LintStep, template: Template, param: string, open: number) {
  const source = secretIn(book, template, step.step.scope);
  if (source === null) return [];
  return [
    { args: { step: step.step.id, param, uses: step.step.uses, source, open }, step, at: secretPlace(book, step, template) },
  ];
}

/** The expression that holds the secret, inside a list or a map. */
function secretPlace(book: LintBook, { step }: LintStep, template: Template): Template['at'] {
  const parts =
    template.kind === 'list' ? template.items : template.kind === 'map' ? template.entries.map(([, member]) => member) : [];
  const part = parts.find((one) => secretIn(book, one, step.scope) !== null);
  if (part) return secretPlace(book, { step } as LintStep, part);
  if (template.kind !== 'text') return template.at;
  const inside = template.parts.find(
    (one) => typeof one !== 'string' && secretIn(book, { kind: 'expression', ...one }, step.scope) !== null,
  );
  return typeof inside === 'object' ? inside.at : template.at;
}
