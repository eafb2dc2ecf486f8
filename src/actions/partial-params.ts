import { z } from 'zod';
import type { Json } from '../lib/json.ts';

/**
 * Params of which some parts are expressions, as far as they are known: defaults are filled in and texts brought to their
 * usual form as the schema does, expressions stay as they are written. A list that is one expression is a list of that one
 * text, an object has it in every member, a map is empty. What does not fit the schema stays as it is.
 */
export function partialParams(schema: z.ZodType, given: Json): unknown {
  return part(schema, given);
}

/** Whether a text holds an expression, so that its value is not known. */
export function isOpen(value: unknown): boolean {
  return typeof value === 'string' && value.includes('${{');
}

function part(schema: unknown, given: Json | undefined): unknown {
  if (!holdsExpression(given)) {
    const parsed = (schema as z.ZodType).safeParse(given);
    if (parsed.success) return parsed.data;
  }
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    if (isMap(given)) return members(inner, given);
    return isOpen(given)
      ? Object.fromEntries(Object.entries(inner.shape).map(([key, member]) => [key, part(member, given)]))
      : given;
  }
  if (inner instanceof z.ZodArray)
    return Array.isArray(given)
      ? given.map((item) => part(inner.element, item))
      : isOpen(given)
        ? [part(inner.element, given)]
        : given;
  if (inner instanceof z.ZodRecord)
    return isMap(given)
      ? Object.fromEntries(Object.entries(given).map(([key, value]) => [key, part(inner.valueType, value)]))
      : isOpen(given)
        ? {}
        : given;
  return given;
}

function members(schema: z.ZodObject, given: { [key: string]: Json }): { [key: string]: unknown } {
  const known = Object.entries(schema.shape).flatMap(([key, member]) => {
    const value = part(member, given[key]);
    return value === undefined ? [] : [[key, value] as const];
  });
  return { ...given, ...Object.fromEntries(known) };
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return unwrap(schema.unwrap());
  return schema;
}

function isMap(value: Json | undefined): value is { [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function holdsExpression(value: Json | undefined): boolean {
  if (typeof value === 'string') return isOpen(value);
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsExpression);
}
