import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Model } from './model.ts';

/** Warnings about what a file declares and never uses; valid once all its steps and expressions were looked at. */
export function unusedNames(model: Model): Diagnostic[] {
  const inputs = model.inputs.filter((spec) => !model.used.inputs.has(spec.name));
  const roles = model.roles.filter((role) => !model.used.roles.has(role.name));
  return [
    ...inputs.map((spec) =>
      finding('INPUT_UNUSED', { input: spec.name }, { at: spec.at, length: spec.name.length }, { severity: 'warning' }),
    ),
    ...roles.map((role) =>
      finding('ROLE_UNUSED', { role: role.name }, { at: role.at, length: role.name.length }, { severity: 'warning' }),
    ),
  ];
}
