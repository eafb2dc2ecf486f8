import type { ValidateFunction } from 'ajv';
import schema from '../../schemas/runbook.schema.json' with { type: 'json' };
import { schemaCompiler } from '../documents/check-schema.ts';

interface SchemaNode {
  readonly [keyword: string]: unknown;
}
const definitions = schema.definitions as unknown as Record<string, SchemaNode>;
const params = new Map<string, ValidateFunction>();
let structure: ValidateFunction | undefined;

/** Names of all actions the schema knows. */
export const actionNames: readonly string[] = Object.keys(definitions).filter((name) => name.includes('.'));

/**
 * Checks everything of a runbook but the actions' params. Those are checked one action at a time by `paramsValidator`:
 * only the used ones are compiled, and an error has one cause instead of one for each action.
 */
export function structureValidator(): ValidateFunction {
  if (structure) return structure;
  const own = Object.fromEntries(
    Object.entries(definitions)
      .filter(([name]) => !name.includes('.'))
      .map(([name, { allOf: _, ...rest }]) => [name, rest]),
  );
  structure = schemaCompiler().compile({ ...schema, definitions: own });
  return structure;
}

/** Checks the `with` of one action; undefined when there is no such action. */
export function paramsValidator(action: string): ValidateFunction | undefined {
  const definition = definitions[action];
  if (!definition) return undefined;
  let validator = params.get(action);
  if (!validator) {
    const { expression, expressionText } = definitions;
    validator = schemaCompiler().compile({ ...definition, definitions: { expression, expressionText } });
    params.set(action, validator);
  }
  return validator;
}

/** Whether an action has a param of that name. */
export function takesParam(action: string, name: string): boolean {
  return Object.hasOwn((definitions[action]?.properties ?? {}) as object, name);
}

/** Whether the param at `path` takes a secret; also what is open to any value does. */
export function takesSecret(action: string, path: readonly string[]): boolean {
  const definition = definitions[action];
  return definition === undefined || path.reduce(membersAt, [definition]).some(isForSecrets);
}

function membersAt(nodes: readonly SchemaNode[], member: string): SchemaNode[] {
  return nodes.flatMap(branchesOf).flatMap((node) => {
    const properties = (node.properties ?? {}) as Record<string, SchemaNode>;
    const named = Object.hasOwn(properties, member) ? properties[member] : undefined;
    const next = named ?? (/^\d+$/.test(member) && node.items ? node.items : node.additionalProperties);
    return next !== null && typeof next === 'object' ? [next as SchemaNode] : [];
  });
}

function isForSecrets(node: SchemaNode): boolean {
  return branchesOf(node).some(
    (branch) => branch.ferry === 'secret' || !['type', 'anyOf', 'oneOf', 'enum', 'const', '$ref'].some((word) => word in branch),
  );
}

/** A schema and all alternatives in it. */
function branchesOf(node: SchemaNode): SchemaNode[] {
  return [node, ...alternativesOf(node).flatMap(branchesOf)];
}

function alternativesOf(node: SchemaNode): SchemaNode[] {
  return [...((node.anyOf as SchemaNode[] | undefined) ?? []), ...((node.oneOf as SchemaNode[] | undefined) ?? [])];
}

/** Paths of the params in `value` that name a role, by the schema's own marks. */
export function roleParams(action: string, value: unknown): { path: (string | number)[]; role: string }[] {
  return rolesIn(definitions[action], value, []);
}

function rolesIn(
  node: SchemaNode | undefined,
  value: unknown,
  path: (string | number)[],
): { path: (string | number)[]; role: string }[] {
  if (!node) return [];
  const found = [];
  if (node.ferry === 'role' && typeof value === 'string' && !value.includes('${{')) found.push({ path, role: value });
  for (const branch of alternativesOf(node)) found.push(...rolesIn(branch, value, path));
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      found.push(...rolesIn(node.items as SchemaNode | undefined, item, [...path, index]));
  } else if (value !== null && typeof value === 'object') {
    const properties = (node.properties ?? {}) as Record<string, SchemaNode>;
    const others = typeof node.additionalProperties === 'object' ? (node.additionalProperties as SchemaNode) : undefined;
    for (const [key, member] of Object.entries(value)) found.push(...rolesIn(properties[key] ?? others, member, [...path, key]));
  }
  return found;
}
