import type { JsonSchema } from './action-schema.ts';

const DURATION = {
  type: 'string',
  pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$',
  patternErrorMessage: 'write a duration such as 30s, 5m or 1h30m',
};
const INPUT_NAME = {
  pattern: '^[a-z][a-z0-9_]*$',
  patternErrorMessage: 'use small letters, digits and _, beginning with a letter',
};
const NAME = {
  pattern: '^[A-Za-z][A-Za-z0-9_-]*$',
  patternErrorMessage: 'use letters, digits, - and _, beginning with a letter',
};
const WHEN = {
  type: ['string', 'boolean'],
  description: `The step is done only when this expression is true: inputs.mode == 'copy'. The \${{ }} around it may be left out.`,
};
const ALLOW = {
  type: 'array',
  items: { $ref: '#/definitions/allow' },
  description: 'Findings of the linter that are meant to be so, each with its reason.',
};
const NEEDS = {
  type: 'array',
  items: { type: 'string' },
  description:
    'Ids of earlier steps that must be done before, instead of the step before this one. An empty list: it may begin at once.',
};

/** The schema of runbook files, given the schemas of all actions' params by name and the codes of the linter's rules. */
export function runbookSchema(
  actions: Readonly<Record<string, { summary: string; schema: JsonSchema }>>,
  rules: readonly string[] = [],
): JsonSchema {
  const names = Object.keys(actions).sort();
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'a runbook',
    description: 'A runbook of Ferry: the steps that move a stateful service between machines.',
    type: 'object',
    required: ['ferry', 'name', 'steps'],
    additionalProperties: false,
    properties: {
      ferry: { const: 1, description: 'The version of this format.' },
      name: { type: 'string', ...NAME, description: 'A short name, for run ids and as prefix where the runbook is included.' },
      title: { type: 'string', description: 'What the runbook does, in one line.' },
      description: { type: 'string', description: 'What a reader should know before running it.' },
      inputs: {
        type: 'object',
        description: 'Values the runbook is given, by name; expressions see them as inputs.NAME.',
        propertyNames: INPUT_NAME,
        additionalProperties: { $ref: '#/definitions/input' },
      },
      roles: {
        type: 'object',
        description: 'The machines it works on, by what they are to it; the inventory says which host each one is.',
        propertyNames: NAME,
        additionalProperties: { $ref: '#/definitions/role' },
      },
      allow: ALLOW,
      done: {
        type: 'array',
        description: 'Checks that, when all hold, mean there is nothing left to do.',
        items: { $ref: '#/definitions/doneCheck' },
      },
      steps: { type: 'array', minItems: 1, description: 'What is done, in order.', items: { $ref: '#/definitions/item' } },
    },
    definitions: {
      expression: {
        title: 'an expression',
        type: 'string',
        pattern: '^\\$\\{\\{[\\s\\S]*\\}\\}$',
        description: 'A CEL expression that gives the value.',
      },
      expressionText: { title: 'a text with expressions', type: 'string', pattern: '\\$\\{\\{[\\s\\S]*\\}\\}' },
      allow: {
        title: 'an allow',
        type: 'object',
        required: ['rule', 'reason'],
        additionalProperties: false,
        properties: {
          rule: {
            type: 'string',
            ...(rules.length > 0 ? { enum: [...rules].sort() } : {}),
            description: 'The code of the rule.',
          },
          reason: {
            type: 'string',
            pattern: '\\S[\\s\\S]*\\s[\\s\\S]*\\S',
            patternErrorMessage: 'say in a few words why this is as it should be',
            description: 'Why this is as it should be here, for those who read the runbook.',
          },
        },
      },
      input: {
        title: 'an input',
        type: 'object',
        required: ['type'],
        additionalProperties: false,
        properties: {
          type: { enum: ['string', 'integer', 'boolean', 'duration', 'path', 'secret'], description: 'What the value must be.' },
          description: { type: 'string', description: 'What it is for; shown when it is asked for.' },
          default: {
            type: ['string', 'number', 'boolean'],
            description: 'Taken when none is given. May use inputs declared before it. Never for a secret.',
          },
          optional: { type: 'boolean', description: 'True when the runbook works without it; its value is then null.' },
        },
      },
      role: {
        title: 'a role',
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          description: { type: 'string', description: 'What the machine is.' },
          default: { type: 'string', ...NAME, description: 'The role whose host it takes when no host is named for it.' },
        },
      },
      item: {
        type: 'object',
        if: { required: ['checkpoint'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
        then: { $ref: '#/definitions/checkpoint' },
        else: {
          if: { required: ['runbook'] },
          // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
          then: { $ref: '#/definitions/include' },
          else: { $ref: '#/definitions/step' },
        },
      },
      checkpoint: {
        title: 'a checkpoint',
        type: 'object',
        additionalProperties: false,
        properties: {
          checkpoint: { type: 'string', ...NAME, description: 'A named point: everything before it is done when it is reached.' },
        },
      },
      include: {
        title: 'an include',
        type: 'object',
        additionalProperties: false,
        properties: {
          runbook: { type: 'string', minLength: 1, description: 'Path of another runbook, from the folder of this file.' },
          id: { type: 'string', ...NAME, description: 'Prefix of its step ids; its name unless given.' },
          title: { type: 'string', description: 'What it is for.' },
          with: { type: 'object', description: 'Its inputs.' },
          roles: {
            type: 'object',
            additionalProperties: { type: 'string' },
            description: 'Its roles and which of ours each one is; the same name unless given.',
          },
          when: WHEN,
          allow: ALLOW,
          needs: NEEDS,
        },
      },
      doneCheck: {
        title: 'a check',
        type: 'object',
        required: ['host', 'uses'],
        additionalProperties: false,
        properties: stepProperties(names, ['id', 'title', 'host', 'uses', 'with', 'when']),
        ...actionBranches(names, actions),
      },
      step: {
        title: 'a step',
        type: 'object',
        required: ['id', 'host', 'uses'],
        additionalProperties: false,
        properties: stepProperties(names, [
          'id',
          'title',
          'host',
          'uses',
          'with',
          'when',
          'timeout',
          'confirm',
          'allow',
          'needs',
        ]),
        ...actionBranches(names, actions),
      },
      ...Object.fromEntries(names.map((name) => [name, actions[name]?.schema])),
    },
  };
}

function stepProperties(names: readonly string[], fields: readonly string[]): JsonSchema {
  const all: Record<string, JsonSchema> = {
    id: { type: 'string', ...NAME, description: "The step's name, unique in the file; later steps use its outputs by it." },
    title: { type: 'string', description: 'What the step does, for people.' },
    host: { type: 'string', ...NAME, description: 'The role of the machine it acts on.' },
    uses: { type: 'string', ...(names.length > 0 ? { enum: names } : {}), description: 'The action.' },
    with: { type: 'object', description: "The action's params." },
    when: WHEN,
    timeout: { ...DURATION, description: 'How long it may take.' },
    confirm: { type: 'string', minLength: 1, description: 'A question a person must answer with yes before the step.' },
    allow: ALLOW,
    needs: NEEDS,
  };
  return Object.fromEntries(fields.map((field) => [field, all[field]]));
}

function actionBranches(names: readonly string[], actions: Readonly<Record<string, { schema: JsonSchema }>>): JsonSchema {
  if (names.length === 0) return {};
  return {
    allOf: names.map((name) => ({
      if: { properties: { uses: { const: name } }, required: ['uses'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: {
        properties: { with: { $ref: `#/definitions/${name}` } },
        ...(Array.isArray(actions[name]?.schema.required) && (actions[name].schema.required as string[]).length > 0
          ? { required: ['with'] }
          : {}),
      },
    })),
  };
}
