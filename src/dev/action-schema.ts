import { z } from 'zod';
import type { Json } from '../lib/json.ts';
import { typeInWords } from '../renderers/params.ts';

/** A JSON Schema as plain data. */
export interface JsonSchema {
  [keyword: string]: unknown;
}

/** `if` it is like this, `then` also like that, `else` like the other. */
export function ifThen(condition: JsonSchema, consequence: JsonSchema, otherwise?: JsonSchema): JsonSchema {
  // biome-ignore lint/suspicious/noThenProperty: the rule is about promises; this is a keyword of JSON Schema, never awaited.
  return { if: condition, then: consequence, ...(otherwise ? { else: otherwise } : {}) };
}

const EXPRESSION = { $ref: '#/definitions/expression' };
const EXPRESSION_TEXT = { $ref: '#/definitions/expressionText' };

/**
 * The JSON Schema (draft-07) of an action's params as they are written in a runbook: every value may be an expression
 * instead, and every text with a rule of its own may hold expressions. What editors show of a param is in it too; `example`
 * is the `with` of a step, and gives each param a value to begin with.
 */
export function actionSchema(name: string, params: z.ZodType, example?: Json): JsonSchema {
  const schema = z.toJSONSchema(params, {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: addMessages,
  }) as JsonSchema;
  // What refers to itself is zod's "any JSON", and is left open: the action looks at it when it has the value.
  const { $schema: _, definitions: __, ...body } = schema;
  explain(body, example);
  return { title: name, ...withExpressions(body, true) };
}

/** Gives each param, and each field of a map in one, a title with its type, its default in words, and an example. */
function explain(schema: JsonSchema, example: Json | undefined): void {
  const required = (schema.required ?? []) as string[];
  for (const [name, member] of Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)) {
    const given = isMap(example) ? example[name] : undefined;
    explain(member, given);
    if (isMap(member.items)) explain(member.items, Array.isArray(given) ? given[0] : undefined);
    const need =
      'default' in member
        ? `Default: \`${JSON.stringify(member.default)}\`.`
        : required.includes(name)
          ? 'Required.'
          : 'Optional.';
    member.title = `${name}: ${typeInWords(member)}`;
    member.markdownDescription = `${member.description ?? ''}\n\n${need}`.trim();
    // Editors write an example as it is: what needs quotes inside a list, or is a map, would come out wrong.
    if (!('default' in member) && given !== undefined && isPlain(given)) member.examples = [given];
  }
}

function isMap(value: unknown): value is JsonSchema & { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function isPlain(value: Json): boolean {
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string' && /^[A-Za-z/][A-Za-z0-9_./@-]*$/.test(one));
  return value !== null && typeof value !== 'object';
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
  if ('$ref' in schema || JSON.stringify(schema.allOf ?? null).startsWith('[{"$ref"'))
    return Object.fromEntries(Object.entries(schema).filter(([keyword]) => SHOWN.includes(keyword)));
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
  const outer: JsonSchema = {};
  const rest: JsonSchema = {};
  for (const [keyword, part] of Object.entries(inner)) (SHOWN.includes(keyword) ? outer : rest)[keyword] = part;
  if (isFreeText(rest) || Object.keys(rest).length === 0) return inner;
  // Without the type an editor would put the default "0600" into the file as a number.
  if (onlyText(rest)) return { ...outer, type: 'string', anyOf: [rest, EXPRESSION_TEXT] };
  return { ...outer, anyOf: [rest, EXPRESSION] };
}

const SHOWN = ['title', 'description', 'markdownDescription', 'default', 'examples'];

/** Text without a rule: an expression fits it as it is. */
function isFreeText(schema: JsonSchema): boolean {
  return schema.type === 'string' && !['pattern', 'enum', 'const', 'maxLength', 'format'].some((rule) => rule in schema);
}

function onlyText(schema: JsonSchema): boolean {
  if (schema.type === 'string') return true;
  const members = (schema.enum ?? ('const' in schema ? [schema.const] : [])) as unknown[];
  return members.length > 0 && members.every((member) => typeof member === 'string');
}
