import { stringify } from 'yaml';
import { catalogue } from '../errors/catalogue.ts';
import type { ErrorArgs, ErrorEntry } from '../errors/entry.ts';
import type { FoundAction } from './action-files.ts';
import type { JsonSchema } from './action-schema.ts';

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
  if (action.irreversible) lines.push(`Cannot be taken back: ${action.irreversible}`, '');
  const rows = paramRows(schema);
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
    lines.push(
      `${example.title}:`,
      '',
      '```yaml',
      stringify({ uses: name, with: example.with }, { lineWidth: 0 }).trimEnd(),
      '```',
      '',
    );
  }
  return lines;
}

function paramRows(schema: JsonSchema): string[] {
  const required = (schema.required ?? []) as string[];
  return Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).map(([name, param]) => {
    const preset = 'default' in param ? `\`${JSON.stringify(param.default)}\`` : '';
    return `| \`${name}\`${required.includes(name) ? ' *' : ''} | ${cell(typeOf(param))} | ${cell(preset)} | ${cell(String(param.description ?? ''))} |`;
  });
}

/** The type of a param in a few words; that each may be an expression is said once for all. */
function typeOf(schema: JsonSchema): string {
  const branches = ((schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined)?.filter(
    (branch) => !String(branch.$ref ?? '').includes('expression'),
  );
  if (branches) return branches.map(typeOf).join(' or ');
  if (typeof schema.ferry === 'string') return schema.ferry;
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(', ');
  if ('const' in schema) return `\`${schema.const}\``;
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as JsonSchema)}`;
  if (schema.type === 'object') {
    const others = schema.additionalProperties;
    const fields = Object.keys((schema.properties ?? {}) as object);
    return fields.length > 0
      ? `map (${fields.join(', ')})`
      : `map of ${typeof others === 'object' ? typeOf(others as JsonSchema) : 'anything'}`;
  }
  return (
    { string: 'text', integer: 'whole number', number: 'number', boolean: 'true or false' }[String(schema.type)] ?? 'anything'
  );
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
