import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Json } from '../lib/json.ts';
import { nearest } from '../lib/text.ts';
import type { Path, SourceDocument } from './document.ts';

interface SchemaPart {
  readonly title?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly patternErrorMessage?: string;
  readonly ferry?: string;
  readonly anyOf?: unknown;
}

/** What to do about a field that is not known, from what it stands in; for those who know where it belongs. */
export type HintFor = (field: string, around: Json) => string | undefined;

let compiler: Ajv | undefined;

/** The one Ajv, which knows Ferry's own annotations and refuses any schema it does not wholly understand. */
export function schemaCompiler(): Ajv {
  if (compiler) return compiler;
  // Making one costs more than compiling a schema with it. Our schemas are checked when they are made, by the tests.
  compiler = new Ajv({
    strict: true,
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    strictRequired: false,
    validateSchema: false,
  });
  compiler.addVocabulary(['ferry', 'patternErrorMessage', 'markdownDescription', 'defaultSnippets', 'enumDescriptions']);
  return compiler;
}

/**
 * Checks the part of a document at `base` and says all that is wrong with it, each finding at its place. An alternative
 * that only allows an expression is never what a person meant, so its errors are left out.
 */
export function checkSchema(
  document: SourceDocument,
  value: Json,
  validate: ValidateFunction,
  base: Path = [],
  hintFor: HintFor = () => undefined,
): Diagnostic[] {
  if (validate(value)) return [];
  return reduce(validate.errors ?? []).map((error) => describe(document, error, base, hintFor));
}

function reduce(errors: readonly ErrorObject[]): ErrorObject[] {
  const real = errors.filter(
    (error) =>
      !['if', 'anyOf', 'oneOf', 'propertyNames'].includes(error.keyword) &&
      !error.schemaPath.startsWith('#/definitions/expression'),
  );
  const kept: ErrorObject[] = [];
  for (const error of real) {
    const alternative = errors.some(
      (other) => ['anyOf', 'oneOf'].includes(other.keyword) && other.instancePath === error.instancePath,
    );
    // A type that stands beside the alternatives holds for all of them.
    const ofAll = (error.parentSchema as SchemaPart | undefined)?.anyOf !== undefined;
    if (alternative && error.keyword === 'type' && !ofAll) {
      // Where one alternative has the right type and fails deeper, that deeper error is the news.
      const deeper = real.some((other) => other !== error && isUnder(other, error.instancePath) && other.keyword !== 'type');
      if (deeper) continue;
      const same = kept.find((other) => other.keyword === 'type' && other.instancePath === error.instancePath);
      if (same) {
        same.params = { type: [same.params.type, error.params.type].flat() };
        continue;
      }
    }
    kept.push({ ...error });
  }
  return kept;
}

function isUnder(error: ErrorObject, path: string): boolean {
  return error.instancePath === path || error.instancePath.startsWith(`${path}/`);
}

function describe(document: SourceDocument, error: ErrorObject, base: Path, hintFor: HintFor): Diagnostic {
  const path = [...base, ...pointerToPath(error.instancePath)];
  const schema = (error.parentSchema ?? {}) as SchemaPart;
  const field = fieldName(path);
  const got = schema.ferry === 'secret' ? 'this value' : describeValue(error.data as Json);
  const known = Object.keys(schema.properties ?? {});
  if (error.propertyName !== undefined) {
    const why = schema.patternErrorMessage ?? error.message ?? '';
    return finding('FIELD_NAME_INVALID', { field: error.propertyName, why }, document.keyPlace([...path, error.propertyName]));
  }
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknown = String(error.params.additionalProperty);
      const args = {
        field: unknown,
        of: schema.title ?? `"${field}"`,
        nearest: nearest(unknown, known) ?? '',
        known: known.join(', '),
      };
      // No field has a space in its name; in { } it is mostly the rest of a text after a comma.
      const hint = /\s/.test(unknown) ? 'Put a text that holds a comma between quotes.' : hintFor(unknown, error.data as Json);
      return finding('FIELD_UNKNOWN', args, document.keyPlace([...path, unknown]), hint === undefined ? {} : { hint });
    }
    case 'required':
      return finding(
        'FIELD_MISSING',
        { field: String(error.params.missingProperty), of: schema.title ?? `"${field}"` },
        document.startPlace(path),
      );
    case 'type':
      return finding(
        'TYPE_WRONG',
        {
          field,
          expected: describeTypes(error.params.type),
          got,
          fix: typeFix([error.params.type].flat(), error.data as Json, field),
        },
        document.place(path),
      );
    case 'const':
      return finding(
        'VALUE_UNKNOWN',
        { field, got, nearest: '', known: JSON.stringify(error.params.allowedValue) },
        document.place(path),
      );
    case 'enum': {
      const allowed = (error.params.allowedValues as Json[]).map(String);
      const near = nearest(String(error.data), allowed) ?? '';
      // With one suggestion at hand, a list of dozens only hides it.
      const args = {
        field,
        got,
        nearest: near,
        known: near && allowed.length > 12 ? `${allowed.length} names` : allowed.join(', '),
      };
      return finding('VALUE_UNKNOWN', args, document.place(path));
    }
    default:
      return finding(
        'VALUE_INVALID',
        { field, got, why: (error.keyword === 'pattern' && schema.patternErrorMessage) || limitOf(error) },
        document.place(path),
        looksLikeTemplate(error.data) ? { hint: 'An expression is written with a dollar sign: "${{ ... }}"' } : {},
      );
  }
}

function looksLikeTemplate(value: unknown): boolean {
  return typeof value === 'string' && /(?<!\$)\{\{.*\}\}/.test(value);
}

/** What to write instead of a value of the wrong type; empty when that cannot be told. */
function typeFix(expected: readonly unknown[], value: Json, field: string): string {
  if (field === '') return 'A file of Ferry begins with "ferry: 1".';
  const wants = (type: string) => expected.includes(type);
  if (typeof value === 'string' && value.includes('${{'))
    return 'A value that is one expression and nothing else takes its type: "${{ ... }}"';
  // 0600 without quotes is the number 600.
  if (wants('string') && (typeof value === 'number' || typeof value === 'boolean'))
    return `Put it between quotes: "${field === 'mode' ? String(value).padStart(4, '0') : value}"`;
  if ((wants('integer') || wants('number')) && typeof value === 'string' && /^-?\d+$/.test(value))
    return `Without quotes: ${value}`;
  if (wants('array') && typeof value === 'string') return `A list, also of one: [${value}]`;
  if (wants('array') && value !== null && typeof value === 'object') return 'In a list each member begins with "- ".';
  if (wants('object') && Array.isArray(value)) return 'Its fields stand below it without "- ".';
  return '';
}

/** What a limit demands, in words. */
function limitOf({ keyword, params, message }: ErrorObject): string {
  const limit = String(params.limit);
  if (keyword === 'minimum' || keyword === 'exclusiveMinimum')
    return `it must be ${keyword === 'minimum' ? 'at least' : 'more than'} ${limit}`;
  if (keyword === 'maximum' || keyword === 'exclusiveMaximum')
    return `it must be ${keyword === 'maximum' ? 'at most' : 'less than'} ${limit}`;
  if (keyword === 'minItems' || keyword === 'minProperties')
    return limit === '1' ? 'it needs at least one' : `it needs at least ${limit}`;
  if (keyword === 'maxItems' || keyword === 'maxProperties') return `it can have at most ${limit}`;
  if (keyword === 'minLength') return `it needs at least ${limit === '1' ? 'one character' : `${limit} characters`}`;
  if (keyword === 'maxLength') return `it can have at most ${limit} characters`;
  return message ?? 'it does not fit';
}

function pointerToPath(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The last name in a path, with the indexes after it: `units[2]`; empty for the whole. */
export function fieldName(path: Path): string {
  let name = '';
  for (const member of path) name = /^\d+$/.test(String(member)) ? `${name}[${member}]` : String(member);
  return name;
}

function describeTypes(type: unknown): string {
  const names: Record<string, string> = {
    object: 'a map',
    array: 'a list',
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    null: 'nothing',
  };
  return [...new Set([type].flat().map((each) => names[String(each)] ?? String(each)))].join(' or ');
}

/** A value as an error names it: `the text "x"`, `a list`. */
export function describeValue(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  return typeof value === 'number' ? `the number ${value}` : String(value);
}
