import { describe, expect, it } from 'vitest';
import { diffRunbooks, type RunbookChange } from '../../src/runbook/diff-runbooks.ts';
import { loadRunbook } from '../../src/runbook/load.ts';

const HEAD = `
ferry: 1
name: move
inputs:
  file: { type: string, default: /etc/a }
  password: { type: secret }
roles:
  app: {}
steps:
`;
const STEPS = `
  - { id: stop, host: app, uses: service.stop, with: { units: [x.service, y.service], timeout: 60s } }
  - checkpoint: quiet
  - { id: say, host: app, uses: command.run, with: { shell: "PGPASSWORD=hunter2 psql", irreversible: it asks } }
  - { id: start, host: app, uses: service.start, with: { units: [x.service] } }
`;
const INNER = `
ferry: 1
name: inner
inputs: { unit: { type: string }, spare: { type: string, default: z.service } }
roles: { box: {} }
steps:
  - { id: stop, host: box, uses: service.stop, with: { units: ["\${{ inputs.unit }}"] } }
`;
const include = (unit: string) => `  - { runbook: inner.yaml, id: in, with: { unit: ${unit} }, roles: { box: app } }\n`;

async function load(text: string, inner = INNER) {
  const loaded = await loadRunbook('move.yaml', {
    readFile: async (path) => (path === 'inner.yaml' ? inner : text),
    lint: false,
  });
  if (!('runbook' in loaded)) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  return loaded.runbook;
}
const diff = async (after: string, before = HEAD + STEPS, inner?: string) =>
  diffRunbooks(await load(before), await load(after, inner));
const told = (changes: readonly RunbookChange[]) =>
  changes.map(({ what, name, how, fields }) =>
    [`${what} ${name} ${how}`, ...fields.map(({ field, before, after }) => `${field}: ${before} -> ${after}`)].join(' | '),
  );
const edit = (from: string | RegExp, to: string) => {
  const text = HEAD + STEPS;
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  return edited;
};

describe('an edit that means the same', () => {
  it.each([
    ['a comment', edit('steps:', 'steps: # what is done')],
    ['a title', edit('{ id: stop,', '{ id: stop, title: Stop it all,')],
    ['another form of the same list', edit('[x.service, y.service]', '["x.service",  "y.service"]')],
    ['another order of keys', edit('host: app, uses: service.start', 'uses: service.start, host: app')],
  ])('%s', async (_what, after) => {
    expect(told(await diff(after))).toEqual([]);
  });
});

describe('an edit that means something else', () => {
  it.each<[string, string, string[]]>([
    ['a param', edit('timeout: 60s', 'timeout: 90s'), ['step stop changed | with.timeout: "60s" -> "90s"']],
    [
      'a member of a list',
      edit('[x.service, y.service]', '[x.service]'),
      ['step stop changed | with.units.length: 2 -> 1 | with.units[1]: "y.service" -> null'],
    ],
    [
      'a param that becomes an expression',
      edit('units: [x.service] }', 'units: ["${{ inputs.file }}"] }'),
      ['step start changed | with.units[0]: "x.service" -> ${{ inputs.file }}'],
    ],
    [
      'a condition',
      edit('{ id: start,', '{ id: start, when: "inputs.file == \'a\'",'),
      ["step start changed | when: null -> inputs.file == 'a'"],
    ],
    [
      'another step type',
      edit('uses: service.start', 'uses: service.restart'),
      ['step start changed | uses: service.start -> service.restart'],
    ],
    [
      'a new step, and nothing else although the next one now comes after it',
      edit('  - checkpoint', '  - { id: look, host: app, uses: service.read, with: { units: [x.service] } }\n  - checkpoint'),
      ['step look added'],
    ],
    ['a step less', edit(/ {2}- \{ id: start.*\n/, ''), ['step start removed']],
    [
      'two steps the other way round, with the checkpoint where it was',
      HEAD + [0, 3, 2, 1, 4, 5].map((index) => STEPS.split('\n')[index]).join('\n'),
      [
        'step stop moved | after: nothing -> say',
        'step say moved | after: stop -> nothing',
        'checkpoint quiet moved | after: stop -> say',
      ],
    ],
    ['a checkpoint', edit('checkpoint: quiet', 'checkpoint: still'), ['checkpoint quiet removed', 'checkpoint still added']],
    [
      'the default of an input',
      edit('default: /etc/a', 'default: /etc/b'),
      ['input file changed | default: "/etc/a" -> "/etc/b"'],
    ],
    ['what becomes of a failure', edit('inputs:', 'onFailure: rollback\ninputs:'), ['policy onFailure added']],
    [
      'the terms of a step',
      edit('{ id: stop,', '{ id: stop, stallAfter: 10m,'),
      ['step stop changed | terms.stallAfterMs: null -> 600000'],
    ],
    ['an input more', edit('roles:', '  mode: { type: string, default: a }\nroles:'), ['input mode added']],
    ['a role more', edit('  app: {}', '  app: {}\n  db: { default: app }'), ['role db added']],
    [
      'a secret in the open, which is not shown',
      edit('hunter2', 'hunter3'),
      ['step say changed | with.shell: "PGPASSWORD=[secret] psql" -> "PGPASSWORD=[secret] psql" (another secret)'],
    ],
  ])('%s', async (_what, after, expected) => {
    expect(told(await diff(after))).toEqual(expected);
  });

  it('changes a step of an included file where the include gives it another value, or that file says another thing', async () => {
    const before = HEAD + include('x.service');
    expect(told(await diff(HEAD + include('y.service'), before))).toEqual([
      'step in.stop changed | in.input.unit: "x.service" -> "y.service"',
    ]);
    expect(told(await diff(before, before, INNER.replace('{ units: [', '{ timeout: 5s, units: [')))).toEqual([
      'step in.stop changed | with.timeout: null -> "5s"',
    ]);
    expect(told(await diff(before, before, INNER.replace('z.service', 'q.service')))).toEqual([]);
  });
});
