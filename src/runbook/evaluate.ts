import type { OutputValue } from '../actions/outputs.ts';
import { Unknown } from '../actions/outputs.ts';
import { describeValue } from '../documents/check-schema.ts';
import type { Position } from '../errors/diagnostic.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { HostInfo } from '../hosts/host.ts';
import { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import { fromCel, toCel } from './cel.ts';
import { compile, type Expression, isExpression, lowerFirst, type Reference } from './expression.ts';
import type { Condition, Scope, Spread, Template } from './runbook.ts';
import { partOf } from './spread.ts';

/** What must be done before a value is known: ids of steps, and which of their outputs are waited for, in words. */
export interface Waiting {
  readonly known: false;
  readonly after: readonly string[];
  readonly what: readonly string[];
}

/** A value, or what it waits for. */
export type Evaluated = { readonly known: true; readonly value: OutputValue } | Waiting;

/** What the names in expressions stand for; see `makeNames`. */
export interface Names {
  input(name: string, scope: Scope): Evaluated;
  /** `stepId` is the full one, with prefixes. */
  output(stepId: string, name: string): Evaluated;
  role(rootRole: string): HostInfo;
  /** What was spread over many hosts: of such a step the outputs are those of its parts. */
  readonly spread?: Spread | undefined;
}

/**
 * The value of a template. A param that is one expression takes the expression's type, and a map entry whose expression is
 * null is left out, as if it were not written. One unknown value makes the whole unknown; texts and numbers that came out of
 * an expression over a secret are secrets.
 * @throws EXPRESSION_FAILED when an expression has no value
 */
export function evaluate(template: Template, scope: Scope, names: Names): Evaluated {
  switch (template.kind) {
    case 'literal':
      return known(template.value);
    case 'expression':
      return evaluateExpression(template.source, template.at, scope, names);
    case 'text':
      return interpolate(template.parts, scope, names);
    case 'list':
      return gather(
        template.items.map((item) => evaluate(item, scope, names)),
        (values) => values as OutputValue,
      );
    case 'map':
      return gather(
        template.entries.map(([, member]) => evaluate(member, scope, names)),
        (values) =>
          Object.fromEntries(
            template.entries.flatMap(([key, member], index) =>
              isLeftOut(member, values[index]) ? [] : [[key, values[index] as OutputValue]],
            ),
          ),
      );
  }
}

/**
 * Whether a step is to be done: all its conditions hold. One that is false decides, even when others are unknown.
 * @throws EXPRESSION_FAILED, CONDITION_NOT_BOOLEAN
 */
export function evaluateWhen(
  conditions: readonly Condition[] | undefined,
  names: Names,
): { readonly known: true; readonly value: boolean } | Waiting {
  const waits: Waiting[] = [];
  for (const { source, at, scope } of conditions ?? []) {
    const result = evaluateExpression(source, at, scope, names);
    if (!result.known) waits.push(result);
    else if (result.value === false) return { known: true, value: false };
    else if (result.value !== true) {
      throw new FerryError(
        'CONDITION_NOT_BOOLEAN',
        { expression: source, got: describeOutput(result.value) },
        { at: formatPosition(at) },
      );
    }
  }
  return waits.length > 0 ? waitingFor(waits) : { known: true, value: true };
}

function waitingFor(waits: readonly Waiting[]): Waiting {
  const all = (pick: (one: Waiting) => readonly string[]) => [...new Set(waits.flatMap(pick))];
  return { known: false, after: all(({ after }) => after), what: all(({ what }) => what) };
}

function known(value: OutputValue): Evaluated {
  return { known: true, value };
}

function gather(parts: readonly Evaluated[], combine: (values: OutputValue[]) => OutputValue): Evaluated {
  const waits = parts.filter((part) => !part.known);
  if (waits.length > 0) return waitingFor(waits);
  return known(combine(parts.map((part) => (part as { value: OutputValue }).value)));
}

function isLeftOut(template: Template, value: OutputValue | undefined): boolean {
  return template.kind === 'expression' && value === null;
}

function interpolate(parts: Extract<Template, { kind: 'text' }>['parts'], scope: Scope, names: Names): Evaluated {
  const values = parts.map((part): Evaluated => {
    if (typeof part === 'string') return known(part);
    const result = evaluateExpression(part.source, part.at, scope, names);
    if (result.known && (result.value === null || (typeof result.value === 'object' && !(result.value instanceof Secret)))) {
      fail(part.source, part.at, `it stands inside a text and is ${describeOutput(result.value)}`);
    }
    return result;
  });
  return gather(values, (found) => {
    const secrets = found.filter((value) => value instanceof Secret);
    const text = found.map((value) => (value instanceof Secret ? value.reveal() : String(value))).join('');
    return secrets.length > 0 ? new Secret(text, sources(secrets)) : text;
  });
}

function evaluateExpression(source: string, at: Position, scope: Scope, names: Names): Evaluated {
  const expression = compile(source);
  if (!isExpression(expression)) return fail(source, at, expression.why);
  const waits: Waiting[] = [];
  const secrets: Secret[] = [];
  const context = contextOf(expression, scope, names, waits, secrets, (why) => fail(source, at, why));
  if (waits.length > 0) return waitingFor(waits);
  let result: Json;
  try {
    result = fromCel(expression.run(context));
  } catch (thrown) {
    // With a secret among the values the library's message could quote it.
    const why =
      secrets.length > 0
        ? 'it fails on a secret value'
        : lowerFirst((thrown as { summary?: string }).summary ?? (thrown as Error).message);
    return fail(source, at, why);
  }
  return known(secrets.length > 0 ? conceal(result, sources(secrets)) : result);
}

/** The values an expression names, as CEL takes them; what is unknown or secret among them is told to the two collections. */
function contextOf(
  expression: Expression,
  scope: Scope,
  names: Names,
  waits: Waiting[],
  secrets: Secret[],
  refuse: (why: string) => never,
) {
  const context = {
    inputs: {} as Record<string, unknown>,
    steps: {} as Record<string, { outputs: Record<string, unknown> }>,
    roles: {} as Record<string, unknown>,
    host: null as unknown,
  };
  /** Asks for a value, and puts it in its place when it is known. */
  const take = (result: Evaluated, stepId: string, path: readonly string[], put: (value: unknown) => void) => {
    if (!result.known) {
      waits.push(result);
      return;
    }
    inspect(follow(result.value, path), stepId, waits, secrets);
    put(plain(result.value));
  };
  for (const reference of expression.references) {
    if (reference.kind === 'host') context.host = hostValue(names.role(scope.host ?? ''));
    else if (reference.kind === 'role' || reference.kind === 'hosts') {
      const role = scope.roles.get(reference.role) ?? reference.role;
      const hosts = names.spread?.roles.get(role);
      context.roles[reference.role] = hosts
        ? hosts.map((host) => hostValue(names.role(partOf(role, host))))
        : hostValue(names.role(role));
    } else if (reference.kind === 'input') {
      const result = names.input(reference.name, scope);
      take(result, '', reference.path, (value) => (context.inputs[reference.name] = value));
    } else {
      const stepId = scope.prefix + reference.step;
      const outputs = (context.steps[reference.step] ??= { outputs: {} }).outputs;
      const own = reference.kind === 'output-by-host' && reference.isOwn ? names.role(scope.host ?? '').name : null;
      const { hosts, output, path } = outputMeant(reference, names.spread?.steps.get(stepId), own);
      if (hosts === null) take(names.output(stepId, output), stepId, path, (value) => (outputs[output] = value));
      for (const host of hosts ?? []) {
        if (!names.spread?.steps.get(stepId)?.includes(host))
          refuse(`step "${reference.step}" is done on ${names.spread?.steps.get(stepId)?.join(', ')}, and not on "${host}"`);
        const part = partOf(stepId, host);
        const byName = (outputs[host] ??= {}) as Record<string, unknown>;
        take(names.output(part, output), part, path, (value) => (byName[output] = value));
      }
    }
  }
  return context;
}

/** Which output of which hosts is meant; `hosts` is null for a step that was not spread. */
function outputMeant(
  { kind, output, path }: Extract<Reference, { kind: 'output' | 'output-by-host' }>,
  on: readonly string[] | undefined,
  own: string | null,
): { hosts: readonly string[] | null; output: string; path: readonly string[] } {
  if (!on) return { hosts: null, output, path };
  if (kind === 'output-by-host') return { hosts: own === null ? on : [own], output, path };
  return { hosts: [output], output: path[0] ?? '', path: path.slice(1) };
}

function hostValue({ name, address, user, port }: HostInfo) {
  return { name, address, user, port: BigInt(port) };
}

/** The part of a value an expression means: a secret beside it must not make it secret. */
function follow(value: OutputValue, path: readonly string[]): OutputValue {
  let part = value;
  for (const member of path) {
    if (part === null || typeof part !== 'object' || part instanceof Secret || part instanceof Unknown) return part;
    const next = Object.hasOwn(part, member) ? (part as Record<string, OutputValue>)[member] : undefined;
    if (next === undefined) return null;
    part = next;
  }
  return part;
}

function inspect(value: OutputValue, stepId: string, waits: Waiting[], secrets: Secret[]): void {
  if (value instanceof Secret) secrets.push(value);
  else if (value instanceof Unknown) waits.push({ known: false, after: [stepId], what: [value.hint] });
  else if (value !== null && typeof value === 'object')
    for (const member of Object.values(value)) inspect(member as OutputValue, stepId, waits, secrets);
}

function plain(value: OutputValue): unknown {
  if (value instanceof Secret) return value.reveal();
  if (value instanceof Unknown) return null;
  if (Array.isArray(value)) return value.map((member) => plain(member as OutputValue));
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member as OutputValue)]));
  return toCel(value as Json);
}

/** True, false and null stay: a condition on a secret needs them. */
function conceal(value: Json, source: string): OutputValue {
  if (typeof value === 'string' || typeof value === 'number') return new Secret(String(value), source);
  if (Array.isArray(value)) return value.map((member) => conceal(member, source)) as unknown as OutputValue;
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, conceal(member, source)]));
  return value;
}

function sources(secrets: readonly Secret[]): string {
  return [...new Set(secrets.flatMap((secret) => secret.source.split(' + ')))].join(' + ');
}

function describeOutput(value: OutputValue): string {
  if (value instanceof Secret) return 'a secret';
  return Array.isArray(value) ? 'a list' : describeValue(value as Json);
}

/** `file:line:col`, as errors carry it. */
export function formatPosition(at: Position): string {
  return `${at.file}:${at.line}:${at.column}`;
}

function fail(expression: string, at: Position, why: string): never {
  throw new FerryError('EXPRESSION_FAILED', { expression, why }, { at: formatPosition(at) });
}
