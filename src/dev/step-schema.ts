import type { FoundAction } from './action-files.ts';
import { ifThen, type JsonSchema } from './action-schema.ts';
import { ALLOW } from './allow-schema.ts';
import { actionMarkdown } from './editor-hints.ts';

export type Actions = readonly Pick<FoundAction, 'name' | 'action' | 'schema'>[];

const DURATION = {
  type: 'string',
  pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$',
  patternErrorMessage: 'write a duration such as 30s, 5m or 1h30m',
};
/** Names of steps, roles, checkpoints and runbooks. */
export const NAME = {
  pattern: '^[A-Za-z][A-Za-z0-9_-]*$',
  patternErrorMessage: 'use letters, digits, - and _, beginning with a letter',
};
export const WHEN = {
  title: 'when: condition',
  type: ['string', 'boolean'],
  description: `The step is done only when this expression is true: inputs.mode == 'copy'. The \${{ }} around it may be left out.`,
  examples: ["inputs.mode == 'copy'"],
};
export const NEEDS = {
  title: 'needs: list of step ids',
  type: 'array',
  items: { type: 'string' },
  description:
    'Ids of earlier steps that must be done before, instead of the step before this one. An empty list: it may begin at once.',
};

/** For a change that may shut Ferry out. */
const DEAD_MAN = {
  title: 'a dead-man switch',
  type: ['string', 'object'],
  pattern: DURATION.pattern,
  patternErrorMessage: DURATION.patternErrorMessage,
  required: ['after'],
  additionalProperties: false,
  properties: {
    after: {
      title: 'after: duration',
      ...DURATION,
      description: 'How long the host waits: longer than the step takes, at least 5s.',
      examples: ['2m'],
    },
    // biome-ignore lint/suspicious/noThenProperty: the name of a field in a runbook
    then: {
      title: 'then: shell text',
      type: 'string',
      minLength: 1,
      description: 'What lets the service see the old file: systemctl reload ssh. postgres.hba knows its own.',
      examples: ['systemctl reload ssh'],
    },
  },
  description:
    'For what can shut you out (a firewall, sshd, pg_hba.conf): the host itself puts the old file back after this time, unless Ferry has logged in anew by then and confirmed.',
  examples: ['2m'],
};

/** Those fields of a step that are named. */
export function stepProperties(actions: Actions, fields: readonly string[]): JsonSchema {
  const all: Record<string, JsonSchema | true> = {
    id: {
      title: 'id: name of the step',
      type: 'string',
      ...NAME,
      description: "The step's name, unique in the file; later steps use its outputs by it.",
      examples: ['stop-services'],
    },
    title: {
      title: 'title: text',
      type: 'string',
      description: 'What the step does, for people.',
      examples: ['Stop what writes to the database'],
    },
    host: { title: 'host: role', type: 'string', ...NAME, description: 'The role of the machine it acts on.' },
    uses: { title: 'uses: action', type: 'string', description: 'The action: what the step does.', ...actionNames(actions) },
    // What it is depends on the action; a word about it here would hide from editors what the branches below say.
    with: true,
    when: WHEN,
    timeout: { title: 'timeout: duration', ...DURATION, description: 'How long it may take.', examples: ['30m'] },
    stallAfter: {
      title: 'stallAfter: duration',
      ...DURATION,
      description: 'For how long a long command may show no progress before Ferry tells it and why (default 5m). It goes on.',
      examples: ['15m'],
    },
    limits: {
      title: 'limits: share of the host',
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      description:
        'What its long commands may take of the host, so that a dump does not starve the service next to it. Not of a server that works for them: the PostgreSQL server has limits of its own.',
      examples: [{ cpuWeight: 20, ioWeight: 20 }],
      properties: {
        cpuWeight: {
          ...{ title: 'cpuWeight: 1 to 10000', type: 'integer', minimum: 1, maximum: 10_000 },
          description:
            'Share of the CPU where others want it too; what has no limits has 100. A nice value where there is no systemd.',
          examples: [20],
        },
        ioWeight: {
          ...{ title: 'ioWeight: 1 to 10000', type: 'integer', minimum: 1, maximum: 10_000 },
          description: 'The same for disks. An ionice level where there is no systemd.',
          examples: [20],
        },
        memoryMax: {
          ...{ title: 'memoryMax: bytes', type: 'string', pattern: '^\\d+(\\.\\d+)? ?([KMG]iB|kB|MB|GB)$' },
          patternErrorMessage: 'write a size such as 512MiB or 2GiB',
          description: 'Memory it may have; what takes more is killed. Not held where there is no systemd.',
          examples: ['2GiB'],
        },
      },
    },
    confirm: {
      title: 'confirm: question',
      type: 'string',
      minLength: 1,
      description: 'A question a person must answer with yes before the step.',
      examples: ['Users cannot work from here on. Go on?'],
    },
    fanOut: {
      title: 'fanOut',
      type: 'object',
      additionalProperties: false,
      description: 'How a step on a role of many hosts is done; on all of them at once unless it says otherwise.',
      properties: {
        concurrency: {
          title: 'concurrency: number of hosts',
          type: 'integer',
          minimum: 1,
          description: 'On how many of the hosts it is done, or undone, at once; all unless given.',
        },
        undo: {
          title: 'undo: all or host',
          enum: ['all', 'host'],
          enumDescriptions: [
            'A rollback undoes nothing that comes before this step, on any host, until the step is undone on all.',
            'Each host goes back by itself: one on which the undo fails, or which is away, does not hold back the others.',
          ],
          default: 'all',
          description: 'How a rollback goes back over the step.',
        },
      },
    },
    deadMan: DEAD_MAN,
    allow: ALLOW,
    needs: NEEDS,
  };
  return Object.fromEntries(fields.map((field) => [field, all[field]]));
}

/** The names one by one, not as an enum: so each brings its own description into completion and hover. */
function actionNames(actions: Actions): JsonSchema {
  if (actions.length === 0) return {};
  return {
    anyOf: actions.map(({ name, action }) => ({
      const: name,
      title: name,
      description: action.summary,
      markdownDescription: actionMarkdown(name, action),
    })),
  };
}

/** What `with` must be, by the action that `uses` names. */
export function actionBranches(actions: Actions): JsonSchema {
  if (actions.length === 0) return {};
  return {
    allOf: actions.map(({ name, schema }) =>
      ifThen(
        { properties: { uses: { const: name } }, required: ['uses'] },
        {
          properties: { with: { $ref: `#/definitions/${name}` } },
          ...(Array.isArray(schema.required) && schema.required.length > 0 ? { required: ['with'] } : {}),
        },
      ),
    ),
  };
}
