import { catalogue } from '../errors/catalogue.ts';
import type { ErrorArgs, ErrorEntry } from '../errors/entry.ts';
import { stepLines, wayBack } from '../renderers/actions.ts';
import { type ParamRow, paramRows } from '../renderers/params.ts';
import type { FoundAction } from './action-files.ts';

/** docs/reference/actions.md: every action with its params, outputs and examples. */
export function actionsPage(actions: readonly FoundAction[]): string {
  const list = actions.map(({ name, action }) => `- [${name}](#${name.replaceAll('.', '')}): ${action.summary}`);
  return [
    '# Actions',
    '',
    'Generated from the sources by `npm run generate`. Params marked with * are required.',
    '',
    ...list,
    '',
    ...actions.flatMap(actionSection),
  ].join('\n');
}

function actionSection({ name, action, schema }: FoundAction): string[] {
  const lines = [`## ${name}`, '', action.summary, ''];
  if (action.description) lines.push(action.description, '');
  lines.push(`Rollback: ${wayBack({ undone: action.undone ?? null, irreversible: action.irreversible ?? null })}`, '');
  const rows = paramRows(schema).map(tableRow);
  if (rows.length > 0) lines.push('| param | type | default | |', '|---|---|---|---|', ...rows, '');
  const outputs = Object.entries(action.outputs ?? {});
  if (outputs.length > 0)
    lines.push(
      '| output | |',
      '|---|---|',
      ...outputs.map(([output, what]) => `| ${output === '*' ? 'others' : `\`${output}\``} | ${cell(what)} |`),
      '',
    );
  for (const example of action.examples) {
    lines.push(`${example.title}:`, '', '```yaml', ...stepLines(name, example.with), '```', '');
  }
  return lines;
}

function tableRow({ name, type, required, preset, description }: ParamRow): string {
  return `| \`${name}\`${required ? ' *' : ''} | ${cell(type)} | ${preset === undefined ? '' : cell(`\`${preset}\``)} | ${cell(description)} |`;
}

/** docs/reference/errors.md: every code with what it looks like and what to do. */
export function errorsPage(): string {
  const codes = Object.keys(catalogue).sort() as (keyof typeof catalogue)[];
  const sections = codes.flatMap((code) => {
    const definition = catalogue[code] as unknown as ErrorEntry<ErrorArgs>;
    const hint = definition.hint?.(definition.example);
    const shown = [`${code}  ${definition.message(definition.example)}`, ...(hint ? [`  ${hint}`] : [])];
    return [`## ${code}`, '', `${definition.title}. Exit code ${definition.exit}.`, '', '```text', ...shown, '```', ''];
  });
  return [
    '# Errors',
    '',
    'Generated from the sources by `npm run generate`. Every error has a stable code; the texts are examples.',
    '',
    ...sections,
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
