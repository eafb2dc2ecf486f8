import { expect, test } from 'vitest';
import { Secret } from '../../src/hosts/secret.ts';
import type { Json } from '../../src/lib/json.ts';
import { missingInputs, resolveInputs } from '../../src/runbook/inputs.ts';
import { loadRunbook } from '../../src/runbook/load.ts';

const TEXT = `ferry: 1
name: move
inputs:
  database: { type: string, description: Name of the database }
  port: { type: integer, default: 5432 }
  force: { type: boolean, default: false }
  wait: { type: duration, default: 5m }
  folder: { type: path, optional: true }
  password: { type: secret }
  url: { type: string, default: "postgres://\${{ roles.db.address }}:\${{ inputs.port }}/\${{ inputs.database }}" }
roles:
  db:
steps:
  - id: look
    host: db
    uses: file.put
    with:
      path: "/srv/\${{ inputs.database }}"
      content: "\${{ string(inputs.port) + inputs.wait + inputs.url }} \${{ inputs.force ? 'a' : string(inputs.folder) + inputs.password }}"
`;
const loaded = await loadRunbook('move.yaml', { readFile: async () => TEXT });
if ('diagnostics' in loaded) throw new Error(JSON.stringify(loaded.diagnostics));
const { runbook } = loaded;
const password = new Secret('x', 'file:/root/pw');
const role = () => ({ name: 'db1', address: '192.0.2.1', user: 'root', port: 22 });
const resolve = (given: Record<string, Json | Secret>) => resolveInputs(runbook, new Map(Object.entries(given)), role);
const codes = (given: Record<string, Json | Secret>) => {
  const result = resolve(given);
  return 'diagnostics' in result ? result.diagnostics.map((each) => [each.code, each.hint]) : [];
};

test('given values take their types, the others their defaults, which may use values before them', () => {
  const result = resolve({ database: 'engine', port: '6000', force: 'yes', password });
  expect('inputs' in result && Object.fromEntries(result.inputs)).toEqual({
    database: 'engine',
    port: 6000,
    force: true,
    wait: '5m',
    folder: null,
    password,
    url: 'postgres://192.0.2.1:6000/engine',
  });
});

test('numbers and truth values from a YAML file are taken as they are, also for text', () => {
  const result = resolve({ database: 5, port: 1, force: true, folder: '/srv', password });
  expect(
    'inputs' in result && [
      result.inputs.get('database'),
      result.inputs.get('port'),
      result.inputs.get('force'),
      result.inputs.get('folder'),
    ],
  ).toEqual(['5', 1, true, '/srv']);
});

test('everything that is missing is told at once, each with what to type', () => {
  expect(codes({})).toEqual([
    ['INPUT_MISSING', 'Add:  --input database=VALUE'],
    ['INPUT_MISSING', 'Add:  --secret password=file:PATH'],
  ]);
  expect(missingInputs(runbook, new Map()).map((spec) => spec.name)).toEqual(['database', 'password']);
});

test('a secret given in the open is refused, and its value is not repeated', () => {
  expect(codes({ database: 'x', password: 'hunter2' })).toEqual([
    ['INPUT_SECRET_EXPOSED', expect.stringContaining('--secret password=file:PATH')],
  ]);
  expect(JSON.stringify(resolve({ database: 'x', password: 'hunter2' }))).not.toContain('hunter2');
});

test('an unknown input is told with the name it may be', () => {
  expect(codes({ databse: 'x', database: 'x', password })).toEqual([['INPUT_UNDECLARED', 'Did you mean "database"?']]);
});

test.each([
  ['port', '5.5'],
  ['port', 'five'],
  ['port', ''],
  ['force', 'maybe'],
  ['wait', '5 minutes'],
  ['folder', 'relative/path'],
])('%s cannot be "%s"', (name, value) => {
  expect(codes({ database: 'x', password, [name]: value })[0]?.[0]).toBe('INPUT_INVALID');
});

test('a list is texts in a file, and one text with commas on a command line', async () => {
  const text = `ferry: 1
name: lists
inputs:
  clients: { type: list, default: [a, b] }
  more: { type: list, default: "" }
  all: { type: list, default: "\${{ inputs.clients + inputs.more }}" }
roles: { db: }
steps:
  - { id: look, host: db, uses: file.remove, with: { paths: "\${{ inputs.all }}" } }
`;
  const found = await loadRunbook('lists.yaml', { readFile: async () => text });
  if ('diagnostics' in found) throw new Error(JSON.stringify(found.diagnostics));
  const values = (given: Record<string, Json>) => {
    const result = resolveInputs(found.runbook, new Map(Object.entries(given)), role);
    return 'inputs' in result
      ? Object.fromEntries(result.inputs)
      : result.diagnostics.map(({ code, message }) => [code, message]);
  };
  expect(values({})).toEqual({ clients: ['a', 'b'], more: [], all: ['a', 'b'] });
  expect(values({ clients: '192.0.2.7, 2001:db8::7', more: ['c'] })).toEqual({
    clients: ['192.0.2.7', '2001:db8::7'],
    more: ['c'],
    all: ['192.0.2.7', '2001:db8::7', 'c'],
  });
  for (const wrong of ['a,,b', [1], { a: 'b' }, 5])
    expect(values({ clients: wrong as Json })).toMatchObject([['INPUT_INVALID', expect.stringContaining('texts, with commas')]]);
});
