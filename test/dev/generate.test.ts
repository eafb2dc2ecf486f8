import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PROJECT } from '../../src/dev/action-files.ts';
import { actionSchema } from '../../src/dev/action-schema.ts';
import { catalogSource } from '../../src/dev/catalog-source.ts';
import { generate } from '../../src/dev/generate.ts';
import { newActionFiles } from '../../src/dev/new-action.ts';
import { runbookSchema } from '../../src/dev/runbook-schema.ts';
import { typeDefinitions } from '../../src/dev/type-schema.ts';
import { schemaCompiler } from '../../src/documents/check-schema.ts';
import { Secret } from '../../src/hosts/secret.ts';

test('the generated files are up to date', async () => {
  expect(await generate({ check: true })).toEqual({ changed: [], broken: [] });
});

const EXPRESSION = '${{ inputs.x }}';
const params = z.strictObject({
  units: z.array(z.string().regex(/^[a-z.]+$/, 'write a unit')).min(1),
  mode: z.enum(['fast', 'safe']).default('safe').describe('How.'),
  port: z.int().max(65535).optional(),
  force: z.boolean().optional(),
  text: z.string().optional(),
  secret: z
    .any()
    .refine((given) => typeof given === 'string' || given instanceof Secret)
    .meta({ type: 'string', ferry: 'secret' })
    .optional(),
  values: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  any: z.json().optional(),
});

const { definitions } = runbookSchema([]) as { definitions: Record<string, object> };
const validateParams = schemaCompiler().compile({ ...actionSchema('x.y', params), definitions });

test.each([
  [{ units: ['a.b'] }, true],
  [{ units: EXPRESSION }, true],
  [{ units: ['a.b', EXPRESSION, `${EXPRESSION}.service`] }, true],
  [{ units: 'a.b' }, false],
  [{ units: [] }, false],
  [{ units: ['A'] }, false],
  [
    {
      units: ['a'],
      mode: EXPRESSION,
      port: EXPRESSION,
      force: EXPRESSION,
      text: EXPRESSION,
      secret: EXPRESSION,
      values: EXPRESSION,
    },
    true,
  ],
  [{ units: ['a'], port: `1${EXPRESSION}` }, false],
  [{ units: ['a'], port: '1' }, false],
  [{ units: ['a'], mode: 'slow' }, false],
  [{ units: ['a'], values: { a: 'x', b: 1, c: EXPRESSION } }, true],
  [{ units: ['a'], values: { a: true } }, false],
  [{ units: ['a'], any: [{ deep: null }] }, true],
  [{ units: ['a'], unknown: 1 }, false],
  [{}, false],
])('in a runbook, params are checked and any of them may be an expression: %j', (given, good) => {
  expect(validateParams(given)).toBe(good);
});

test('the message of a rule goes into the schema, where editors show it', () => {
  expect(JSON.stringify(actionSchema('x.y', params))).toContain('"patternErrorMessage":"write a unit"');
});

test('the whole schema is one that Ajv understands in strict mode, branches of all actions included', async () => {
  const schema = JSON.parse(await readFile(join(PROJECT, 'schemas', 'runbook.schema.json'), 'utf8')) as object;
  const validate = schemaCompiler().compile(schema);
  const step = (uses: string, given: object) => ({ ferry: 1, name: 'x', steps: [{ id: 'a', host: 'b', uses, with: given }] });
  expect(validate(step('service.stop', { units: ['a'] }))).toBe(true);
  expect(validate(step('service.stop', { unit: ['a'] }))).toBe(false);
  expect(validate(step('service.halt', {}))).toBe(false);
  expect(validate({ ferry: 1, name: 'x', steps: [{ checkpoint: 'c' }, { runbook: './y.yaml', with: { z: 1 } }] })).toBe(true);
});

test.each(['runbook', 'inventory', 'events'])('the schema of a %s file or line is a schema of draft-07', async (name) => {
  const schema = JSON.parse(await readFile(join(PROJECT, 'schemas', `${name}.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false });
  expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null]);
});

test('the schema of events accepts an event and refuses one without its fields', async () => {
  const schema = JSON.parse(await readFile(join(PROJECT, 'schemas', 'events.schema.json'), 'utf8')) as object;
  const validate = schemaCompiler().compile(schema);
  const event = { at: '2026-01-01T00:00:00Z', run: 'r-1', type: 'run.finished', ms: 5, steps: 2 };
  expect(validate(event)).toBe(true);
  expect(validate({ ...event, ms: undefined })).toBe(false);
  expect(validate({ ...event, type: 'run.vanished' })).toBe(false);
});

test('types of plain data become definitions, with what they refer to and their comments', () => {
  const source = `
/** Not wanted. */
export interface Other { readonly x: unknown }
export type Kind = 'a' | 'b';
export interface Thing extends_nothing_here {}
export type Pair = readonly [name: string, kind: Kind];
export type Event = { readonly at: string } & (
  // a comment
  | { readonly type: 'one'; readonly pairs: readonly Pair[]; /** How long. */ readonly ms?: number | null }
  | { readonly type: 'two'; readonly by: { readonly [name: string]: boolean[] } }
);`;
  expect(typeDefinitions([source], ['Event'])).toEqual({
    Kind: { enum: ['a', 'b'] },
    Pair: { type: 'array', items: [{ type: 'string' }, { $ref: '#/definitions/Kind' }], minItems: 2, maxItems: 2 },
    Event: {
      allOf: [
        { type: 'object', required: ['at'], properties: { at: { type: 'string' } } },
        {
          anyOf: [
            {
              type: 'object',
              required: ['type', 'pairs'],
              properties: {
                type: { const: 'one' },
                pairs: { type: 'array', items: { $ref: '#/definitions/Pair' } },
                ms: { description: 'How long.', anyOf: [{ type: 'number' }, { type: 'null' }] },
              },
            },
            {
              type: 'object',
              required: ['type', 'by'],
              properties: {
                type: { const: 'two' },
                by: { type: 'object', additionalProperties: { type: 'array', items: { type: 'boolean' } } },
              },
            },
          ],
        },
      ],
    },
  });
});

test('a type that no schema can be made of is refused rather than guessed', () => {
  expect(() => typeDefinitions(['export type A = Map<string, B>;'], ['A'])).toThrow('at "Map"');
  expect(() => typeDefinitions([''], ['A'])).toThrow('no exported type A');
});

test('the catalog loads an action only when it is asked for', () => {
  expect(catalogSource([{ name: 'service.stop', path: './service/stop.ts' }])).toContain(
    "'service.stop': () => import('./service/stop.ts'),",
  );
});

test('a new action comes with its tests, and a name that is none is refused', () => {
  expect([...newActionFiles('disk.mount').keys()]).toEqual(['src/actions/disk/mount.ts', 'test/actions/disk/mount.test.ts']);
  expect(() => newActionFiles('mount')).toThrow('NOUN.VERB');
  expect(() => newActionFiles('../x.y')).toThrow('NOUN.VERB');
});
