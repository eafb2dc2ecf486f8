import { describeValue } from '../documents/check-schema.ts';
import type { SourceDocument } from '../documents/document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Json } from '../lib/json.ts';
import { convertInput, EXPECTED } from './input-types.ts';
import type { InputSpec, InputType } from './runbook.ts';
import { readTemplate } from './template.ts';

/** The declared inputs in file order; a default that is a secret's or has the wrong type is reported and left out. */
export function readInputs(
  document: SourceDocument,
  inputs: { [name: string]: Json },
  report: (found: Diagnostic) => void,
): InputSpec[] {
  return Object.entries(inputs).map(([name, value]) => {
    const spec = (value ?? {}) as { type?: Json; description?: Json; default?: Json; optional?: Json };
    const type: InputType =
      typeof spec.type === 'string' && Object.hasOwn(EXPECTED, spec.type) ? (spec.type as InputType) : 'string';
    return {
      name,
      type,
      ...(typeof spec.description === 'string' ? { description: spec.description } : {}),
      ...readDefault(document, name, type, spec.default, report),
      optional: spec.optional === true,
      at: document.keyPlace(['inputs', name]).at,
    };
  });
}

function readDefault(
  document: SourceDocument,
  name: string,
  type: InputType,
  value: Json | undefined,
  report: (found: Diagnostic) => void,
): Pick<InputSpec, 'default'> {
  const isList = Array.isArray(value);
  if (value === undefined || value === null || (typeof value === 'object' && !isList)) return {};
  const path = ['inputs', name, 'default'];
  if (isList && type !== 'list' && type !== 'secret') {
    const args = { input: name, expected: EXPECTED[type], got: describeValue(value) };
    report(finding('DEFAULT_INVALID', args, document.place(path)));
    return {};
  }
  if (type === 'secret') {
    report(finding('SECRET_DEFAULT_FOUND', { input: name }, document.keyPlace(path)));
    return {};
  }
  const template = readTemplate(document, path, value, report);
  if (template.kind !== 'literal') return { default: template };
  // A default is written with care by the author: 5 where text is meant is a slip, unlike on a command line.
  const converted =
    type === 'string' && typeof value !== 'string' ? { problem: describeValue(value) } : convertInput(type, value, '');
  if ('problem' in converted) {
    report(finding('DEFAULT_INVALID', { input: name, expected: EXPECTED[type], got: converted.problem }, document.place(path)));
    return {};
  }
  return { default: { ...template, value: converted.value as Json } };
}
