import type { Diagnostic } from '../errors/diagnostic.ts';
import { isFerryError } from '../errors/ferry-error.ts';
import { finding } from '../errors/finding.ts';
import type { HostInfo } from '../hosts/host.ts';
import { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { nearest } from '../lib/text.ts';
import { evaluate } from './evaluate.ts';
import { convertInput, EXPECTED } from './input-types.ts';
import { makeNames } from './names.ts';
import type { InputSpec, Runbook } from './runbook.ts';

type Values = ReadonlyMap<string, Json | Secret>;

/** The inputs that must be given and are not: what to ask a person for. */
export function missingInputs(runbook: Pick<Runbook, 'inputs'>, given: Values): InputSpec[] {
  return runbook.inputs.filter((spec) => !given.has(spec.name) && !spec.default && !spec.optional);
}

/**
 * The value of every declared input, each of its type; null for optional ones that were not given. A secret must come as a
 * `Secret`: a plain value means that it was given in the open, and is refused. All that is wrong is told at once.
 * `role` is needed only where a default names a role's address.
 */
export function resolveInputs(
  runbook: Pick<Runbook, 'inputs' | 'root' | 'spread'>,
  given: Values,
  role?: (rootRole: string) => HostInfo,
): { readonly inputs: Values } | { readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const inputs = new Map<string, Json | Secret>();
  const known = runbook.inputs.map((spec) => spec.name);
  for (const name of given.keys()) {
    if (!known.includes(name))
      diagnostics.push(
        finding('INPUT_UNDECLARED', { input: name, nearest: nearest(name, known) ?? '', known: known.join(', ') }),
      );
  }
  const names = makeNames({
    inputs,
    output: () => ({ known: false, after: [], what: [] }),
    role: role ?? noRole,
    spread: runbook.spread,
  });
  for (const spec of runbook.inputs) {
    const outcome = valueFor(spec, given, () => spec.default && evaluate(spec.default, runbook.root, names));
    // A default may fail only because an input before it is missing, which was told already.
    const follows = 'diagnostic' in outcome && diagnostics.length > 0 && !given.has(spec.name) && spec.default;
    if (follows) continue;
    if ('diagnostic' in outcome) diagnostics.push(outcome.diagnostic);
    else inputs.set(spec.name, outcome.value);
  }
  return diagnostics.length > 0 ? { diagnostics } : { inputs };
}

function valueFor(
  spec: InputSpec,
  given: Values,
  byDefault: () => ReturnType<typeof evaluate> | undefined,
): { value: Json | Secret } | { diagnostic: Diagnostic } {
  let value = given.get(spec.name);
  if (spec.type === 'secret' && value !== undefined && !(value instanceof Secret)) {
    return { diagnostic: finding('INPUT_SECRET_EXPOSED', { input: spec.name }) };
  }
  if (value === undefined && !spec.default) {
    if (spec.optional) return { value: null };
    return {
      diagnostic: finding('INPUT_MISSING', { input: spec.name, description: spec.description ?? '', flag: flagFor(spec) }),
    };
  }
  if (value === undefined) {
    try {
      const result = byDefault();
      value = result?.known ? (result.value as Json | Secret) : null;
    } catch (thrown) {
      if (!isFerryError(thrown)) throw thrown;
      const at = spec.default?.at;
      return { diagnostic: { severity: 'error', code: thrown.code, message: thrown.message, ...(at ? { at } : {}) } };
    }
  }
  const converted = convertInput(spec.type, value, `input:${spec.name}`);
  if ('value' in converted) return converted;
  return { diagnostic: finding('INPUT_INVALID', { input: spec.name, expected: EXPECTED[spec.type], got: converted.problem }) };
}

/** What to type to give an input: `--input port=VALUE`, `--secret password=file:PATH`. */
export function flagFor(spec: Pick<InputSpec, 'name' | 'type'>): string {
  return spec.type === 'secret' ? `--secret ${spec.name}=file:PATH` : `--input ${spec.name}=VALUE`;
}

function noRole(): never {
  throw new TypeError('the hosts of roles are not known here');
}
