import { z } from 'zod';

/** A JSON Schema as plain data. */
export interface JsonSchema {
  [keyword: string]: unknown;
}

const EXPRESSION = { $ref: '#/definitions/expression' };
const EXPRESSION_TEXT = { $ref: '#/definitions/expressionText' };

/**
 * The JSON Schema (draft-07) of an action's params as they are written in a runbook: every value may be an expression
 * instead, and every text with a rule of its own may hold expressions.
 */
export function actionSchema(name: string, params: z.ZodType): JsonSchema {
  const schema = z.toJSONSchema(params, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: addMessages,
  }) as JsonSchema;
  // What refers to itself is zod's "any JSON", and is left open: the action looks at it when it has the value.
  const { $schema: _, definitions: __, ...body } = schema;
  return { title: name, ...withExpressions(body, true) };
}

/** Hands the message of a text's rule on to the schema: a pattern alone tells nobody what to write. */
function addMessages({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: object }): void {
  for (const check of zodSchema._zod.def.checks ?? []) {
    const { pattern, error } = check._zod.def as unknown as { pattern?: RegExp; error?: (issue: object) => unknown };
    const message = pattern && error?.({});
    if (typeof message === 'string') Object.assign(jsonSchema, { patternErrorMessage: message });
  }
}

function withExpressions(schema: JsonSchema, isRoot: boolean): JsonSchema {
  if (JSON.stringify(schema).startsWith('{"$ref"') || JSON.stringify(schema).startsWith('{"allOf":[{"$ref"')) return {};
  const inner: JsonSchema = {};
  for (const [keyword, part] of Object.entries(schema)) {
    if (keyword === 'properties')
      inner[keyword] = Object.fromEntries(
        Object.entries(part as JsonSchema).map(([key, member]) => [key, withExpressions(member as JsonSchema, false)]),
      );
    else if (keyword === 'items' && Array.isArray(part)) inner[keyword] = part.map((member) => withExpressions(member, false));
    else if ((keyword === 'items' || keyword === 'additionalProperties') && typeof part === 'object')
      inner[keyword] = withExpressions(part as JsonSchema, false);
    else if (keyword === 'anyOf' || keyword === 'oneOf')
      inner[keyword] = (part as JsonSchema[]).map((member) => withExpressions(member, true));
    else inner[keyword] = part;
  }
  // A union may be of one type several times over; Ajv's strict mode wants patterns on text only, which toJSONSchema keeps.
  if (isRoot) return inner;
  const { description, default: preset, ...rest } = inner;
  const outer = { ...(description === undefined ? {} : { description }), ...(preset === undefined ? {} : { default: preset }) };
  if (isFreeText(rest) || Object.keys(rest).length === 0) return inner;
  return { ...outer, anyOf: [rest, onlyText(rest) ? EXPRESSION_TEXT : EXPRESSION] };
}

/** Text without a rule: an expression fits it as it is. */
function isFreeText(schema: JsonSchema): boolean {
  return schema.type === 'string' && !['pattern', 'enum', 'const', 'maxLength', 'format'].some((rule) => rule in schema);
}

function onlyText(schema: JsonSchema): boolean {
  if (schema.type === 'string') return true;
  const members = (schema.enum ?? ('const' in schema ? [schema.const] : [])) as unknown[];
  return members.length > 0 && members.every((member) => typeof member === 'string');
}
