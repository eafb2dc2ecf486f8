import { catalogue, type ErrorCode } from '../errors/catalogue.ts';
import type { JsonSchema } from './action-schema.ts';

/** The field `allow` of a runbook, a step or an include. */
export const ALLOW: JsonSchema = {
  title: 'allow: list of rules',
  type: 'array',
  items: { $ref: '#/definitions/allow' },
  description: 'Findings of the linter that are meant to be so, each with its reason.',
};

/** One member of it, given the codes of the linter's rules. */
export function allowDefinition(rules: readonly ErrorCode[]): JsonSchema {
  const codes = [...rules].sort();
  return {
    title: 'an allow',
    type: 'object',
    required: ['rule', 'reason'],
    additionalProperties: false,
    properties: {
      rule: {
        title: 'rule: code',
        type: 'string',
        ...(codes.length > 0 ? { enum: codes, enumDescriptions: codes.map((code) => `${catalogue[code].title}.`) } : {}),
        description: 'The code of the rule.',
      },
      reason: {
        title: 'reason: text',
        type: 'string',
        pattern: '\\S[\\s\\S]*\\s[\\s\\S]*\\S',
        patternErrorMessage: 'say in a few words why this is as it should be',
        description: 'Why this is as it should be here, for those who read the runbook.',
        examples: ['the dump is the backup this runbook is for'],
      },
    },
  };
}
