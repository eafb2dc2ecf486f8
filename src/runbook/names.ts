import { FerryError } from '../errors/ferry-error.ts';
import type { HostInfo } from '../hosts/host.ts';
import type { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { type Evaluated, evaluate, formatPosition, type Names } from './evaluate.ts';
import { convertInput, EXPECTED } from './input-types.ts';
import type { Scope, Spread } from './runbook.ts';

/**
 * What names stand for in a run: inputs of the root as `resolveInputs` gave them, those of included runbooks from the
 * `with` that includes them, each brought to its declared type.
 * @throws INPUT_INVALID from `input` when the value given to an included runbook has the wrong type
 */
export function makeNames(parts: {
  inputs: ReadonlyMap<string, Json | Secret>;
  output(stepId: string, name: string): Evaluated;
  role(rootRole: string): HostInfo;
  spread?: Spread | undefined;
}): Names {
  const names: Names = {
    spread: parts.spread,
    output: parts.output,
    role: parts.role,
    input(name, scope) {
      if (scope.prefix === '') return { known: true, value: parts.inputs.get(name) ?? null };
      return includedInput(name, scope, names);
    },
  };
  return names;
}

function includedInput(name: string, scope: Scope, names: Names): Evaluated {
  const input = scope.inputs.get(name);
  if (!input) return { known: true, value: null };
  const { spec, given } = input;
  let result: Evaluated = { known: true, value: null };
  if (given) result = evaluate(given.template, given.scope, names);
  if (result.known && result.value === null && spec.default) result = evaluate(spec.default, scope, names);
  if (!result.known || result.value === null) return result;
  const converted = convertInput(spec.type, result.value as Json | Secret, `input:${scope.prefix}${name}`);
  if ('value' in converted) return { known: true, value: converted.value };
  const at = formatPosition((given?.template ?? spec).at);
  throw new FerryError(
    'INPUT_INVALID',
    { input: `${scope.prefix}${name}`, expected: EXPECTED[spec.type], got: converted.problem },
    { at },
  );
}
