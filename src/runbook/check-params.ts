import type { Action } from '../actions/action.ts';
import { checkSchema, describeValue, fieldName } from '../documents/check-schema.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import { nearest } from '../lib/text.ts';
import type { Model, StepItem } from './model.ts';
import type { Template } from './runbook.ts';
import { paramsValidator, roleParams } from './validate.ts';

/** Checks what a step says against the file's roles and its action's params. Without an action only the roles are checked. */
export function checkStep(item: StepItem, model: Model, action: Action | undefined, report: (found: Diagnostic) => void): void {
  const { document } = model;
  const roles = model.roles.map((role) => role.name);
  if (item.host.name !== '' && !roles.includes(item.host.name)) {
    report(
      finding(
        'ROLE_UNKNOWN',
        { role: item.host.name, nearest: nearest(item.host.name, roles) ?? '', known: roles.join(', ') },
        item.host,
      ),
    );
  }
  const many = model.roles.filter((role) => role.many).map((role) => role.name);
  const isMany = many.includes(item.host.name);
  if (item.fanOut && roles.includes(item.host.name) && (!isMany || isQuestion(item)))
    report(finding('FAN_OUT_MISPLACED', { role: isMany ? '' : item.host.name }, item.fanOut));
  if (item.confirm !== undefined && isMany && !isQuestion(item))
    report(finding('CONFIRM_SEVERAL', { role: item.host.name }, document.keyPlace([...item.path, 'confirm'])));
  if (item.deadMan && action) checkDeadMan(item, model, action, report);
  const validate = paramsValidator(item.uses.name);
  if (!validate) return;
  const base = [...item.path, 'with'];
  const found = checkSchema(document, item.params, validate, base);
  for (const each of found) report(each);
  for (const { path, role } of roleParams(item.uses.name, item.params)) {
    model.used.roles.add(role);
    if (many.includes(role)) report(finding('ROLE_MANY', { role, action: item.uses.name }, document.place([...base, ...path])));
    if (!roles.includes(role))
      report(
        finding(
          'ROLE_UNKNOWN',
          { role, nearest: nearest(role, roles) ?? '', known: roles.join(', ') },
          document.place([...base, ...path]),
        ),
      );
  }
  if (found.length > 0 || !action || !isLiteral(item.with)) return;
  // Rules a JSON Schema cannot say; with expressions they are checked when the values are known.
  for (const issue of action.params.safeParse(item.params).error?.issues ?? []) {
    const path = issue.path.map((member) => (typeof member === 'symbol' ? String(member) : member));
    // A rule over all params is about what they are together.
    const got = path.length === 0 ? 'left as it is' : describeValue(valueAt(item.params, path));
    const args = { field: fieldName([...base, ...path]), got, why: issue.message };
    report(finding('VALUE_INVALID', args, document.place([...base, ...path])));
  }
}

/** Whether a step does nothing but ask a person: once, on however many hosts its role has. */
export function isQuestion({ uses }: StepItem): boolean {
  return uses.name.startsWith('gate.');
}

// Less than it takes to write a file, read it again and log in.
const LEAST_MS = 5000;

function checkDeadMan(
  { id, uses, path, deadMan }: StepItem,
  { document }: Model,
  action: Action,
  report: (found: Diagnostic) => void,
) {
  const place = document.place([...path, 'deadMan']);
  const why = 'it keeps no file that could be put back';
  if (!action.putBack) report(finding('DEAD_MAN_UNFIT', { step: id.name, uses: uses.name, why }, place));
  else if (deadMan && deadMan.afterMs < LEAST_MS) {
    const short = {
      field: 'deadMan',
      got: formatDuration(deadMan.afterMs),
      why: 'it would be over before Ferry can have looked; at least 5s',
    };
    report(finding('VALUE_INVALID', short, place));
  }
}

function isLiteral(template: Template): boolean {
  if (template.kind === 'list') return template.items.every(isLiteral);
  if (template.kind === 'map') return template.entries.every(([, member]) => isLiteral(member));
  return template.kind === 'literal';
}

function valueAt(value: Json, path: readonly (string | number)[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (part, member) => (part !== null && typeof part === 'object' ? (part as { [key: string]: Json })[member] : undefined),
    value,
  );
}
