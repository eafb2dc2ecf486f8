import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findActions, PROJECT } from '../../src/dev/action-files.ts';
import { stepLines } from '../../src/renderers/actions.ts';
import { type ParamSchema, paramRows } from '../../src/renderers/params.ts';
import { loadRunbook } from '../../src/runbook/load.ts';

const { actions } = await findActions();

test.each(actions)('$name is explained: each param, what a rollback leaves, and an example', ({ name, action, schema }) => {
  const silent = paramRows(schema)
    .filter(({ description }) => description.trim() === '')
    .map((row) => row.name);
  expect({ name, silent }).toEqual({ name, silent: [] });
  expect(action.summary).toMatch(/^[A-Z].*\.$/);
  expect(action.examples.length).toBeGreaterThan(0);
  if (action.rollback) expect(action.undone).toMatch(/^[A-Z].*\.$/);
  else expect(action.undone).toBeUndefined();
});

test.each(actions.flatMap(({ name, action }) => action.examples.map((example) => ({ name, example }))))(
  'the example of $name "$example.title" is a step Ferry accepts, pasted as it is printed',
  async ({ name, example }) => {
    const runbook = [
      'ferry: 1',
      'name: pasted',
      'inputs: { password: { type: secret } }',
      'roles: { ROLE: {}, old_db: {}, new_db: {} }',
      'steps:',
      ...stepLines(name, example.with).map((line) => `  ${line}`),
    ];
    const loaded = await loadRunbook('pasted.yaml', { readFile: async () => runbook.join('\n') });
    expect('diagnostics' in loaded ? loaded.diagnostics.map(({ message }) => message) : []).toEqual([]);
  },
);

test.each(['runbook', 'inventory'])('every field of a %s says what it is for', async (name) => {
  const schema = JSON.parse(await readFile(join(PROJECT, 'schemas', `${name}.schema.json`), 'utf8')) as ParamSchema;
  expect(silentFields(schema, '')).toEqual([]);
});

/** Paths of properties that no description explains, wherever in the schema they are. */
function silentFields(part: unknown, path: string): string[] {
  if (Array.isArray(part)) return part.flatMap((member, index) => silentFields(member, `${path}/${index}`));
  if (part === null || typeof part !== 'object') return [];
  return Object.entries(part).flatMap(([keyword, inner]) => {
    const here = `${path}/${keyword}`;
    // What an if asks for is explained where it is allowed.
    if (keyword === 'if') return [];
    if (keyword !== 'properties') return silentFields(inner, here);
    return Object.entries(inner as Record<string, unknown>).flatMap(([field, member]) => {
      const isExplained = member === true || 'description' in (member as object) || '$ref' in (member as object);
      return [...(isExplained ? [] : [`${here}/${field}`]), ...silentFields(member, `${here}/${field}`)];
    });
  });
}
