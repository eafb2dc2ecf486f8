import type { Action } from '../actions/action.ts';
import type { Json } from '../lib/json.ts';
import { stepLines, wayBack } from '../renderers/actions.ts';
import { flowText } from '../renderers/yaml-lines.ts';

/** What an editor offers to put in: a text with places to fill. */
export interface Snippet {
  readonly label: string;
  /** Whole steps come after the fields of a step, where both can stand. */
  readonly sortText?: string;
  readonly markdownDescription: string;
  readonly body: Json;
}

/** An action for somebody whose mouse rests on its name: what it does, what a rollback does, and a step to copy. */
export function actionMarkdown(name: string, action: Action): string {
  const [example] = action.examples;
  const outputs = Object.keys(action.outputs ?? {}).filter((output) => output !== '*');
  return [
    `${action.summary}${action.description ? ` ${action.description}` : ''}`,
    `Rollback: ${wayBack({ undone: action.undone ?? null, irreversible: action.irreversible ?? null })}`,
    ...(outputs.length > 0 ? [`Outputs: ${outputs.map((output) => `\`${output}\``).join(', ')}.`] : []),
    ...(example ? [['```yaml', ...stepLines(name, example.with), '```'].join('\n')] : []),
  ].join('\n\n');
}

/** A whole step for each action, made of its first example, and what else can stand in the list of steps. */
export function stepSnippets(actions: readonly { readonly name: string; readonly action: Action }[]): Snippet[] {
  const steps = actions.map(({ name, action }) => ({
    label: name,
    sortText: `~${name}`,
    markdownDescription: actionMarkdown(name, action),
    body: {
      id: `\${1:${name.slice(name.indexOf('.') + 1)}}`,
      host: '${2:role}',
      uses: name,
      ...(Object.keys(action.examples[0]?.with ?? {}).length > 0 ? { with: literally(action.examples[0]?.with ?? null) } : {}),
    },
  }));
  return [
    {
      label: 'step',
      markdownDescription: 'A step; `uses` says what it does.',
      body: { id: '${1:name}', host: '${2:role}', uses: '$3' },
    },
    ...steps,
    {
      label: 'checkpoint',
      markdownDescription: 'A named point: `ferry run --until` stops there, `ferry rollback --to` goes back to it.',
      body: { checkpoint: '${1:name}' },
    },
    {
      label: 'runbook',
      markdownDescription: 'Another runbook with all its steps.',
      body: { runbook: '${1:./other.yaml}' },
    },
  ];
}

/** A whole small runbook, for an empty file. */
export const runbookSnippet: Snippet = {
  label: 'a new runbook',
  markdownDescription: 'A runbook with one role and one step.',
  body: {
    ferry: '^1',
    name: '${1:my-runbook}',
    title: '${2:What it does, in one line}',
    roles: { '${3:app}': { description: '${4:The machine the service runs on}' } },
    steps: [{ id: '${5:look}', host: '$3', uses: 'service.read', with: { units: ['${6:sshd.service}'] } }],
  },
};

/** A value as it is written in YAML, safe from being taken for a place to fill. A text that begins with ^ is put in as it is. */
function literally(value: Json): Json {
  if (Array.isArray(value)) return value.map(literally);
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, literally(inner)]));
  return `^${flowText(value).replaceAll(/[\\$]/g, '\\$&')}`;
}
