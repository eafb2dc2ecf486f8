import type { Json } from '../lib/json.ts';
import { hangingTable, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { type ParamRow, type ParamSchema, paramRows } from './params.ts';
import { yamlLines } from './yaml-lines.ts';

export interface ActionExample {
  readonly title: string;
  readonly with: Json;
}

export interface ActionView {
  readonly name: string;
  readonly summary: string;
  readonly description: string | null;
  /** JSON Schema of the params. */
  readonly params: ParamSchema;
  readonly outputs: { readonly [name: string]: string };
  /** What there is after a rollback; null when there is no rollback. */
  readonly undone: string | null;
  readonly irreversible: string | null;
  readonly examples: readonly ActionExample[];
}

/** All step types, a line each, those of one noun together. */
export function actionListText(list: readonly { readonly name: string; readonly summary: string }[], page: Page): string {
  const paint = createPaint(page);
  const nounOf = (name: string) => name.slice(0, name.indexOf('.'));
  const rows = hangingTable(
    list.map(({ name, summary }) => [name, summary] as const),
    page.width,
    paint.strong,
  );
  const lines = list.flatMap(({ name }, index) => {
    const before = list[index - 1];
    return [...(before && nounOf(before.name) !== nounOf(name) ? [''] : []), ...(rows[index] ?? [])];
  });
  return [...lines, '', 'One in full, with its params and examples:  ferry actions NAME'].join('\n');
}

/** One step type for somebody who writes a runbook. */
export function actionText(action: ActionView, page: Page): string {
  const paint = createPaint(page);
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', paint.accent(title), ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
  const text = (given: string) => wrapText(given, page.width - 2);
  return [
    ...wrapText(`${action.name}   ${action.summary}`, page.width).map((line, index) =>
      index === 0 ? `${paint.strong(action.name)}${line.slice(action.name.length)}` : line,
    ),
    ...(action.description ? ['', ...wrapText(action.description, page.width)] : []),
    ...section('params', paramLines(paramRows(action.params), page)),
    ...section('outputs', hangingTable(Object.entries(action.outputs).map(named), page.width - 2, paint.strong).flat()),
    ...section('rollback', text(wayBack(action))),
    ...action.examples.flatMap(({ title, with: given }) => section(`example: ${title}`, stepLines(action.name, given))),
  ].join('\n');
}

/** A step that uses the action, as YAML to be pasted under `steps:`. */
export function stepLines(action: string, given: Json): string[] {
  return [
    `- id: ${action.slice(action.indexOf('.') + 1)}`,
    '  host: ROLE   # one of the roles of your runbook',
    `  uses: ${action}`,
    ...(isEmpty(given) ? [] : ['  with:', ...yamlLines(given).map((line) => `    ${line}`)]),
  ];
}

function isEmpty(given: Json): boolean {
  return given === null || (typeof given === 'object' && Object.keys(given).length === 0);
}

function named([name, what]: readonly [string, string]): readonly [string, string] {
  return [name === '*' ? 'others' : name, what];
}

/** What becomes of a step of this action when the run is taken back. */
export function wayBack({ undone, irreversible }: Pick<ActionView, 'undone' | 'irreversible'>): string {
  if (irreversible) return `Cannot be taken back: ${irreversible}`;
  return undone ?? 'Nothing to take back: it changes nothing.';
}

/** Type and need beside the name, what it means below: a table of four columns fits no terminal. */
function paramLines(rows: readonly ParamRow[], page: Page): string[] {
  const paint = createPaint(page);
  const indent = Math.min(16, Math.max(...rows.map(({ name }) => name.length)) + 2);
  return rows.flatMap(({ name, type, required, preset, description }) => {
    const need = required ? 'required' : preset === undefined ? 'optional' : `default ${preset}`;
    return [
      `${paint.strong(name.padEnd(indent - 2))}  ${type}, ${required ? paint.warn(need) : need}`,
      ...(description === '' ? [] : wrapText(description, page.width - 2 - indent)).map(
        (line) => `${' '.repeat(indent)}${paint.quiet(line)}`,
      ),
    ];
  });
}
