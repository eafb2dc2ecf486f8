import type { ErrorCode } from '../errors/catalogue.ts';
import { ON_FAILURE_PATTERN } from '../runbook/on-failure.ts';
import { ifThen, type JsonSchema } from './action-schema.ts';
import { ALLOW, allowDefinition } from './allow-schema.ts';
import { actionMarkdown, runbookSnippet, stepSnippets } from './editor-hints.ts';
import { type Actions, actionBranches, NAME, NEEDS, stepProperties, WHEN } from './step-schema.ts';

const INPUT_NAME = {
  pattern: '^[a-z][a-z0-9_]*$',
  patternErrorMessage: 'use small letters, digits and _, beginning with a letter',
};
const INPUT_TYPES = {
  string: 'A text.',
  integer: 'A whole number.',
  boolean: 'true or false.',
  duration: 'A duration such as 30s, 5m or 1h30m.',
  path: 'An absolute path.',
  list: 'Texts; on a command line with commas between them.',
  secret: 'A text that is shown nowhere; given by its source: --secret name=file:PATH, env:VARIABLE or cmd:COMMAND.',
};

/** The schema of runbook files, given all actions with the schemas of their params, and the codes of the linter's rules. */
export function runbookSchema(actions: Actions, rules: readonly ErrorCode[] = []): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'a runbook',
    description: 'A runbook of Ferry: the steps that move a stateful service between machines.',
    type: 'object',
    defaultSnippets: [runbookSnippet],
    required: ['ferry', 'name', 'steps'],
    additionalProperties: false,
    properties: {
      ferry: { title: 'ferry: 1', const: 1, description: 'The version of this format.' },
      name: {
        title: 'name: short name',
        type: 'string',
        ...NAME,
        description: 'A short name, for run ids and as prefix where the runbook is included.',
        examples: ['move-database'],
      },
      title: {
        title: 'title: text',
        type: 'string',
        description: 'What the runbook does, in one line.',
        examples: ['Move the database to another server'],
      },
      description: {
        title: 'description: text',
        type: 'string',
        description: 'What a reader should know before running it.',
        examples: ['Users cannot work while it runs.'],
      },
      onFailure: {
        title: 'onFailure: pause, rollback, or pause 20m, then rollback',
        type: 'string',
        pattern: ON_FAILURE_PATTERN,
        patternErrorMessage: 'write pause, rollback, or: pause 20m, then rollback',
        description:
          'What becomes of a run when a step fails: it stays paused (unless given), is rolled back, or is rolled back after a while unless somebody takes it on. --on-failure overrides it.',
        examples: ['pause 20m, then rollback'],
      },
      inputs: {
        title: 'inputs: map of inputs',
        type: 'object',
        description: 'Values the runbook is given, by name; expressions see them as inputs.NAME.',
        propertyNames: INPUT_NAME,
        additionalProperties: { $ref: '#/definitions/input' },
      },
      roles: {
        title: 'roles: map of roles',
        type: 'object',
        description: 'The machines it works on, by what they are to it; the inventory says which host each one is.',
        propertyNames: NAME,
        additionalProperties: { $ref: '#/definitions/role' },
      },
      allow: ALLOW,
      done: {
        title: 'done: list of checks',
        type: 'array',
        description: 'Checks that, when all hold, mean there is nothing left to do.',
        items: { $ref: '#/definitions/doneCheck' },
      },
      steps: {
        title: 'steps: list of steps',
        type: 'array',
        minItems: 1,
        description: 'What is done, in order.',
        defaultSnippets: stepSnippets(actions),
        items: { $ref: '#/definitions/item' },
      },
    },
    definitions: {
      expression: {
        title: 'an expression',
        type: 'string',
        pattern: '^\\$\\{\\{[\\s\\S]*\\}\\}$',
        description: 'A CEL expression that gives the value.',
      },
      expressionText: {
        title: 'a text with expressions',
        type: 'string',
        pattern: '\\$\\{\\{[\\s\\S]*\\}\\}',
        description: 'A text in which CEL expressions give parts.',
      },
      allow: allowDefinition(rules),
      input: {
        title: 'an input',
        type: 'object',
        required: ['type'],
        additionalProperties: false,
        properties: {
          type: {
            title: 'type: kind of value',
            enum: Object.keys(INPUT_TYPES),
            enumDescriptions: Object.values(INPUT_TYPES),
            description: 'What the value must be.',
          },
          description: {
            title: 'description: text',
            type: 'string',
            description: 'What it is for; shown when it is asked for.',
            examples: ['Name of the database'],
          },
          default: {
            title: 'default: value',
            type: ['string', 'number', 'boolean', 'array'],
            items: { type: 'string' },
            description: 'Taken when none is given. May use inputs declared before it. Never for a secret.',
          },
          optional: {
            title: 'optional: true or false',
            type: 'boolean',
            default: false,
            description: 'True when the runbook works without it; its value is then null.',
          },
        },
      },
      role: {
        title: 'a role',
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          description: {
            title: 'description: text',
            type: 'string',
            description: 'What the machine is.',
            examples: ['The new database server'],
          },
          default: {
            title: 'default: role',
            type: 'string',
            ...NAME,
            description: 'The role whose host it takes when no host is named for it.',
          },
          many: {
            title: 'many: true or false',
            type: 'boolean',
            default: false,
            description: 'True when any number of hosts may play it; a step on it is done on each of them.',
          },
        },
      },
      item: {
        type: 'object',
        ...ifThen(
          { required: ['checkpoint'] },
          { $ref: '#/definitions/checkpoint' },
          ifThen({ required: ['runbook'] }, { $ref: '#/definitions/include' }, { $ref: '#/definitions/step' }),
        ),
      },
      checkpoint: {
        title: 'a checkpoint',
        type: 'object',
        additionalProperties: false,
        properties: {
          checkpoint: {
            title: 'checkpoint: name',
            type: 'string',
            ...NAME,
            description:
              'A named point: everything before it is done when it is reached. ferry run --until stops there, ferry rollback --to goes back to it.',
            examples: ['quiesced'],
          },
        },
      },
      include: {
        title: 'an include',
        type: 'object',
        additionalProperties: false,
        properties: {
          runbook: {
            title: 'runbook: path',
            type: 'string',
            minLength: 1,
            description: 'Path of another runbook, from the folder of this file.',
            examples: ['./prepare-remote-db.yaml'],
          },
          id: { title: 'id: prefix', type: 'string', ...NAME, description: 'Prefix of its step ids; its name unless given.' },
          title: { title: 'title: text', type: 'string', description: 'What it is for.' },
          with: { title: 'with: map of inputs', type: 'object', description: 'Its inputs.' },
          roles: {
            title: 'roles: map of roles',
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
        properties: stepProperties(actions, ['id', 'title', 'host', 'uses', 'with', 'when']),
        ...actionBranches(actions),
      },
      step: {
        title: 'a step',
        type: 'object',
        required: ['id', 'host', 'uses'],
        additionalProperties: false,
        properties: stepProperties(actions, [
          'id',
          'title',
          'host',
          'uses',
          'with',
          'when',
          'timeout',
          'stallAfter',
          'limits',
          'confirm',
          'fanOut',
          'deadMan',
          'allow',
          'needs',
        ]),
        ...actionBranches(actions),
      },
      ...Object.fromEntries(
        actions.map(({ name, action, schema }) => [
          name,
          { ...schema, description: action.summary, markdownDescription: actionMarkdown(name, action) },
        ]),
      ),
    },
  };
}
