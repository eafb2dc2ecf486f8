import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonSchema } from './action-schema.ts';
import { typeDefinitions } from './type-schema.ts';

const SOURCES = [
  'engine/events.ts',
  'engine/judge-doubt.ts',
  'runbook/diff-runbooks.ts',
  'plan/plan.ts',
  'actions/action.ts',
  'errors/diagnostic.ts',
];

/** The schema of one line of `--json`: an event of a run. Made from the types themselves, so it cannot lag behind them. */
export async function eventsSchema(project: string): Promise<JsonSchema> {
  const sources = await Promise.all(SOURCES.map((source) => readFile(join(project, 'src', source), 'utf8')));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'an event',
    description: 'One line of the output of ferry with --json. New fields and types may be added.',
    allOf: [{ $ref: '#/definitions/Event' }],
    definitions: typeDefinitions(sources, ['Event']),
  };
}

/** The schema of what a notify hook is given, likewise. */
export async function noticeSchema(project: string): Promise<JsonSchema> {
  const sources = await Promise.all(
    ['notify/notice.ts', 'engine/events.ts'].map((source) => readFile(join(project, 'src', source), 'utf8')),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'a notice',
    description: 'What a hook of ferry --notify is given. New fields and types may be added.',
    allOf: [{ $ref: '#/definitions/Notice' }],
    definitions: typeDefinitions(sources, ['Notice']),
  };
}
