import type { Json } from '../lib/json.ts';
import { table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';

export interface ActionView {
  readonly name: string;
  readonly summary: string;
  readonly description: string | null;
  /** JSON Schema of the params. */
  readonly params: { readonly [keyword: string]: Json };
  readonly outputs: { readonly [name: string]: string };
  readonly irreversible: string | null;
  readonly examples: readonly { readonly title: string; readonly with: Json }[];
}

/** All step types, a line each. */
export function actionListText(list: readonly { readonly name: string; readonly summary: string }[], page: Page): string {
  const paint = createPaint(page.colour);
  const rows = list.map(({ name, summary }) => [name, summary]);
  return [
    ...table(rows, (text, column) => (column === 0 ? paint.strong(text) : text)),
    '',
    'ferry actions NAME   shows one with its params and examples.',
  ].join('\n');
}

/** One step type for somebody who writes a runbook. */
export function actionText(action: ActionView, page: Page): string {
  const paint = createPaint(page.colour);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint.accent(title), ...lines.map((line) => `  ${line}`)];
  const strong = (text: string, column: number) => (column === 0 ? paint.strong(text) : text);
  return [
    `${paint.strong(action.name)}   ${action.summary}`,
    ...(action.description ? wrapText(action.description, page.width) : []),
    ...section('with', table(paramRows(action.params), strong)),
    ...section('outputs', table(Object.entries(action.outputs), strong)),
    ...(action.irreversible ? section('cannot be taken back', wrapText(action.irreversible, page.width - 2)) : []),
    ...action.examples.flatMap((example) =>
      section(`example: ${example.title}`, [
        `uses: ${action.name}`,
        'with:',
        ...yamlLines(example.with).map((line) => `  ${line}`),
      ]),
    ),
  ].join('\n');
}

type Schema = { readonly [keyword: string]: Json };

/** Name, type, whether it must be given, and what it means; members of alternatives are merged. */
function paramRows(schema: Schema): string[][] {
  const alternatives = [schema, ...[...list(schema.anyOf), ...list(schema.oneOf)]];
  const required = new Set(list(schema.required).map(String));
  const rows = new Map<string, string[]>();
  for (const alternative of alternatives) {
    for (const [name, member] of Object.entries(map(map(alternative).properties))) {
      const param = map(member);
      const preset = param.default;
      const need = preset !== undefined ? `default ${JSON.stringify(preset)}` : required.has(name) ? 'required' : 'optional';
      rows.set(name, [name, typeName(param), need, String(param.description ?? '')]);
    }
  }
  return [...rows.values()];
}

function typeName(schema: Schema): string {
  if (schema.enum)
    return list(schema.enum)
      .map((one) => JSON.stringify(one))
      .join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const alternatives = [...list(schema.anyOf), ...list(schema.oneOf)];
  if (alternatives.length > 0) return [...new Set(alternatives.map((one) => typeName(map(one))))].join(' | ');
  if (schema.type === 'array') return `list of ${typeName(map(schema.items))}`;
  if (schema.type === 'object') return 'map';
  return Array.isArray(schema.type) ? schema.type.join(' | ') : String(schema.type ?? 'any');
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

function map(value: Json | undefined): Schema {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
}

/** JSON as the YAML of an example: enough for what examples hold. */
function yamlLines(value: Json): string[] {
  if (value === null || typeof value !== 'object') return [JSON.stringify(value)];
  const nested = (head: string, inner: Json) => {
    const flat =
      inner === null ||
      typeof inner !== 'object' ||
      (Array.isArray(inner) && inner.every((one) => one === null || typeof one !== 'object'));
    return flat ? [`${head} ${flowText(inner)}`] : [head, ...yamlLines(inner).map((line) => `  ${line}`)];
  };
  if (Array.isArray(value))
    return value.flatMap((inner) =>
      inner !== null && typeof inner === 'object'
        ? yamlLines(inner).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`)
        : [`- ${flowText(inner)}`],
    );
  return Object.entries(value).flatMap(([name, inner]) => nested(`${name}:`, inner));
}

function flowText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  return typeof value === 'string' &&
    /^[A-Za-z/][A-Za-z0-9_./@-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value);
}
