import { Environment } from '@marcbachmann/cel-js';
import type { Json } from '../lib/json.ts';
import { jdbcPart, jdbcUrl } from './jdbc.ts';
import type { InputType } from './runbook.ts';

/** The fields of `roles.NAME` in expressions. */
export const ROLE_FIELDS = ['address', 'name', 'user', 'port'] as const;

function newEnvironment(): Environment {
  return new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 2000, maxDepth: 60 },
  })
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
      text.replaceAll(from, () => to),
    )
    .registerFunction(
      'jdbcUrl(string, string, int, string): string',
      (url: string, host: string, port: bigint, database: string) => jdbcUrl(url, host, Number(port), database),
    )
    .registerFunction(
      'jdbcUrl(string, string, string, string): string',
      (url: string, host: string, port: string, database: string) => jdbcUrl(url, host, Number(port), database),
    )
    .registerFunction('jdbcPart(string, string): string', (url: string, part: string) => jdbcPart(url, part));
}

/** Where expressions are evaluated: the names are known, their types are what the values say. */
export const evaluating = newEnvironment()
  .registerVariable('host', 'dyn')
  .registerVariable('inputs', 'dyn')
  .registerVariable('steps', 'dyn')
  .registerVariable('roles', 'dyn');

const CEL_TYPES: Record<InputType, string> = {
  string: 'string',
  integer: 'int',
  boolean: 'bool',
  duration: 'string',
  path: 'string',
  list: 'list<string>',
  secret: 'string',
};

/** An environment for checking the expressions of one file: its inputs have their declared types. */
export function checkingEnvironment(
  inputs: readonly { name: string; type: InputType; optional: boolean }[],
  roles: readonly { name: string; many?: boolean }[],
): Environment {
  const inputTypes = Object.fromEntries(inputs.map((input) => [input.name, input.optional ? 'dyn' : CEL_TYPES[input.type]]));
  const host = Object.fromEntries(ROLE_FIELDS.map((field) => [field, field === 'port' ? 'int' : 'string']));
  const roleTypes = Object.fromEntries(roles.map(({ name, many }) => [name, many ? 'list<Host>' : host]));
  return newEnvironment()
    .registerType({ name: 'Host', schema: host })
    .registerVariable({ name: 'inputs', schema: inputTypes })
    .registerVariable({ name: 'host', schema: host })
    .registerVariable({ name: 'roles', schema: roleTypes })
    .registerVariable('steps', 'dyn');
}

/** Turns JSON into what CEL computes with: whole numbers are ints there, all others doubles. */
export function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toCel(member)]));
  return value;
}

/** Turns a result of CEL into JSON. @throws TypeError for what JSON cannot say: times, bytes, numbers beyond 2^53 */
export function fromCel(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') {
    if (!Number.isSafeInteger(Number(value))) throw new TypeError(`the number ${value} is too large to be exact`);
    return Number(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`the result is ${value}, which is not a number one can use`);
    return value;
  }
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Set) return [...value].map(fromCel);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), fromCel(member)]));
  if (typeof value === 'object' && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fromCel(member)]));
  }
  // CEL's unsigned numbers are objects around a bigint.
  const inner: unknown = (value as object | undefined)?.valueOf();
  if (typeof inner === 'bigint') return fromCel(inner);
  throw new TypeError(
    `the result is neither text, number, true or false, list nor map but ${(value as object)?.constructor?.name ?? typeof value}`,
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
