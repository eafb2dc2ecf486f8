import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import { nearest } from '../lib/text.ts';
import type { IncludeItem, Model } from './model.ts';
import type { Scope } from './runbook.ts';

/** The scope of the root: its inputs come from outside, its roles are themselves. */
export function rootScope(model: Model): Scope {
  return {
    prefix: '',
    inputs: new Map(model.inputs.map((spec) => [spec.name, { spec }])),
    roles: new Map(model.roles.map((role) => [role.name, role.name])),
  };
}

/** The scope of an included runbook, from the item that includes it; says what it lacks and what it cannot take. */
export function includeScope(
  item: IncludeItem,
  model: Model,
  scope: Scope,
  included: Model,
  report: (found: Diagnostic) => void,
): Scope {
  return {
    prefix: `${scope.prefix}${item.id?.name ?? included.name}.`,
    inputs: includeInputs(item, scope, included, report),
    roles: includeRoles(item, model, scope, included, report),
  };
}

function includeInputs(item: IncludeItem, scope: Scope, included: Model, report: (found: Diagnostic) => void): Scope['inputs'] {
  const declared = included.inputs.map((spec) => spec.name);
  for (const [input] of item.with) {
    if (declared.includes(input.name)) continue;
    const args = {
      input: input.name,
      file: item.runbook.name,
      nearest: nearest(input.name, declared) ?? '',
      known: declared.join(', '),
    };
    report(finding('INCLUDE_INPUT_UNKNOWN', args, input));
  }
  return new Map(
    included.inputs.map((spec) => {
      const [name, template] = item.with.find(([input]) => input.name === spec.name) ?? [];
      if (!template && !spec.default && !spec.optional)
        report(finding('INCLUDE_INPUT_MISSING', { input: spec.name, file: item.runbook.name }, item.runbook));
      if (template?.kind === 'literal' && spec.type === 'secret')
        report(finding('SECRET_LITERAL_FOUND', { input: spec.name }, name));
      return [spec.name, template ? { spec, given: { template, scope } } : { spec }];
    }),
  );
}

function includeRoles(
  item: IncludeItem,
  model: Model,
  scope: Scope,
  included: Model,
  report: (found: Diagnostic) => void,
): Scope['roles'] {
  const theirs = included.roles.map((role) => role.name);
  const ours = [...scope.roles.keys()];
  const mapped = new Map<string, string>();
  for (const [role, own] of item.roles) {
    if (!theirs.includes(role.name)) {
      const args = {
        role: role.name,
        file: item.runbook.name,
        nearest: nearest(role.name, theirs) ?? '',
        known: theirs.join(', '),
      };
      report(finding('INCLUDE_ROLE_UNKNOWN', args, role));
    }
    if (!scope.roles.has(own.name))
      report(finding('ROLE_UNKNOWN', { role: own.name, nearest: nearest(own.name, ours) ?? '', known: ours.join(', ') }, own));
    model.used.roles.add(own.name);
    mapped.set(role.name, scope.roles.get(own.name) ?? own.name);
  }
  // First by name, then by the included file's own defaults, which may lead over several roles.
  const find = (role: string, seen: readonly string[]): string | undefined => {
    const own = mapped.get(role) ?? scope.roles.get(role);
    if (own !== undefined || seen.includes(role)) return own;
    const next = included.roles.find((each) => each.name === role)?.default;
    return next === undefined ? undefined : find(next, [...seen, role]);
  };
  const isMany = (one: Model, name: string) => one.roles.some((role) => role.name === name && role.many);
  const refuseOtherKind = (role: string, root: string): void => {
    const own = [...scope.roles].find(([, to]) => to === root)?.[0];
    if (own === undefined || isMany(included, role) === isMany(model, own)) return;
    const place = item.roles.find(([name]) => name.name === role)?.[1] ?? item.runbook;
    const args = { role, own, file: item.runbook.name, isMany: isMany(included, role) ? 1 : 0 };
    report(finding('INCLUDE_ROLE_DIFFERS', args, place));
  };
  return new Map(
    theirs.flatMap((role) => {
      const own = find(role, []);
      if (own === undefined) report(finding('ROLE_UNMAPPED', { role, file: item.runbook.name }, item.runbook));
      else if (!mapped.has(role) && scope.roles.has(role)) model.used.roles.add(role);
      if (own !== undefined) refuseOtherKind(role, own);
      return own === undefined ? [] : [[role, own] as const];
    }),
  );
}
