import { parseDocument } from '../documents/parse-document.ts';
import { FerryError } from '../errors/ferry-error.ts';
import { FindingsError } from '../errors/findings-error.ts';
import type { HostInfo } from '../hosts/host.ts';
import { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { missingInputs, resolveInputs } from '../runbook/inputs.ts';
import type { InputSpec, Runbook } from '../runbook/runbook.ts';
import type { CommonOptions } from './contract.ts';
import { readInput } from './places.ts';
import { promptSecret, readSecret } from './secrets.ts';

export type InputValues = ReadonlyMap<string, Json | Secret>;

/**
 * The values of a runbook's inputs: a values file, then FERRY_INPUT_NAME, then the command line, the later the stronger.
 * Secrets come from a source only; one that is missing is asked for in a terminal.
 * @throws INPUTS_INVALID with all that is wrong, and what `readSecret` throws
 */
export async function gatherInputs(
  runbook: Runbook,
  options: CommonOptions,
  roles: ReadonlyMap<string, HostInfo>,
): Promise<InputValues> {
  const given = new Map<string, Json | Secret>();
  if (options.inputsFile) for (const [name, value] of await valuesFile(options.inputsFile)) given.set(name, value);
  for (const spec of runbook.inputs) {
    const variable = process.env[variableOf(spec)];
    const source = `env:${variableOf(spec)}`;
    if (variable === undefined) continue;
    if (spec.type !== 'secret') given.set(spec.name, variable);
    else if (!options.secrets.has(spec.name))
      given.set(spec.name, new Secret(await readSecret(spec.name, source, process.env), source));
  }
  for (const [name, value] of options.inputs) given.set(name, value);
  for (const [name, source] of options.secrets) given.set(name, new Secret(await readSecret(name, source, process.env), source));
  for (const spec of missingInputs(runbook, given)) {
    const typed = spec.type === 'secret' ? await prompt(spec, options) : null;
    if (typed !== null) given.set(spec.name, new Secret(typed, 'prompt'));
  }
  return settle(runbook, given, roles);
}

/** The values a run began with: those on record, and its secrets read again from where they came. */
export async function recallInputs(
  runbook: Runbook,
  recorded: {
    readonly inputs: { readonly [name: string]: Json };
    readonly secrets: { readonly [name: string]: { readonly source: string } };
  },
  options: CommonOptions,
  roles: ReadonlyMap<string, HostInfo>,
): Promise<InputValues> {
  const given = new Map<string, Json | Secret>();
  for (const spec of runbook.inputs) {
    const known = recorded.secrets[spec.name];
    if (known) {
      const source = options.secrets.get(spec.name) ?? known.source;
      const value = source === 'prompt' ? await prompt(spec, options) : await readSecret(spec.name, source, process.env);
      if (value !== null) given.set(spec.name, new Secret(value, source));
    } else if (recorded.inputs[spec.name] !== null && recorded.inputs[spec.name] !== undefined) {
      given.set(spec.name, recorded.inputs[spec.name] as Json);
    }
  }
  return settle(runbook, given, roles);
}

function settle(runbook: Runbook, given: ReadonlyMap<string, Json | Secret>, roles: ReadonlyMap<string, HostInfo>): InputValues {
  const resolved = resolveInputs(runbook, given, (role) => roles.get(role) as HostInfo);
  if ('inputs' in resolved) return resolved.inputs;
  throw new FindingsError(
    'INPUTS_INVALID',
    { runbook: runbook.name, count: resolved.diagnostics.length },
    resolved.diagnostics,
    runbook.sources,
  );
}

function variableOf(spec: InputSpec): string {
  return `FERRY_INPUT_${spec.name.toUpperCase()}`;
}

async function prompt(spec: InputSpec, options: CommonOptions): Promise<string | null> {
  return (await askHidden(options)?.(`${spec.description ?? spec.name} (${spec.name})`)) ?? null;
}

export type AskHidden = (question: string) => Promise<string | null>;

/** Asks in the terminal without showing what is typed; null where nobody can be asked. */
export function askHidden(options: Pick<CommonOptions, 'json'>): AskHidden | null {
  if (options.json || !process.stdin.isTTY || !process.stderr.isTTY) return null;
  return (question) => promptSecret(process, question);
}

async function valuesFile(path: string): Promise<ReadonlyMap<string, Json>> {
  const parsed = parseDocument(path, await readInput(path));
  if ('diagnostics' in parsed)
    throw new FindingsError('INPUTS_INVALID', { runbook: path, count: parsed.diagnostics.length }, parsed.diagnostics);
  const { value } = parsed.document;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new FerryError('FILE_UNREADABLE', { file: path, why: 'it should hold one input a line, name: value' });
  }
  return new Map(Object.entries(value));
}
