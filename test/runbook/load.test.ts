import { describe, expect, test } from 'vitest';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import type { Runbook } from '../../src/runbook/runbook.ts';

async function load(files: Record<string, string | Uint8Array>) {
  const [root = ''] = Object.keys(files);
  return loadRunbook(root, {
    readFile: async (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}
async function good(files: Record<string, string | Uint8Array>): Promise<Runbook> {
  const loaded = await load(files);
  if ('diagnostics' in loaded) throw new Error(formatDiagnostics(loaded.diagnostics, loaded.sources));
  return loaded.runbook;
}
const step = (id: string, more = '') => `  - id: ${id}\n    host: a\n    uses: service.read\n    with: { units: [x] }\n${more}`;
const book = (steps: string, head = '') =>
  `ferry: 1\nname: book\n${head}roles: { a: , b: }\nsteps:\n${steps}  - { id: uses-b, host: b, uses: service.read, with: { units: [x] } }\n`;
const needs = (runbook: Runbook) => Object.fromEntries(runbook.steps.map((each) => [each.id, each.needs]));

describe('the order of steps', () => {
  test('a step comes after the one before it', async () => {
    const runbook = await good({ 'r.yaml': book(step('one') + step('two')) });
    expect(needs(runbook)).toEqual({ one: [], two: ['one'], 'uses-b': ['two'] });
  });

  test('needs replace the step before, and what follows from others is dropped', async () => {
    const steps =
      step('one') +
      step('two') +
      step('three', '    needs: [one]\n') +
      step('four', '    needs: []\n') +
      step('five', '    needs: [two, one, three, four]\n');
    expect(needs(await good({ 'r.yaml': book(steps) }))).toEqual({
      one: [],
      two: ['one'],
      three: ['one'],
      four: [],
      five: ['two', 'three', 'four'],
      'uses-b': ['five'],
    });
  });

  test('a checkpoint is a barrier, also for a step that needs nothing', async () => {
    const steps = `${step('one') + step('two', '    needs: []\n')}  - checkpoint: quiet\n${step('three')}${step('four', '    needs: []\n')}`;
    const runbook = await good({ 'r.yaml': book(steps) });
    expect(needs(runbook)).toEqual({ one: [], two: [], three: ['one', 'two'], four: ['one', 'two'], 'uses-b': ['four'] });
    expect(runbook.checkpoints.map(({ name, afterStep }) => [name, afterStep])).toEqual([['quiet', 2]]);
  });
});

describe('includes', () => {
  const included = `ferry: 1
name: prepare
inputs:
  database: { type: string }
  suffix: { type: string, default: "-\${{ inputs.database }}" }
roles:
  server:
  other: { default: server }
steps:
  - { id: make, host: server, uses: service.read, with: { units: ["\${{ inputs.database + inputs.suffix }}"] } }
  - checkpoint: made
  - { id: side, host: other, uses: service.read, needs: [], with: { units: [x] }, when: "inputs.database != ''" }
`;

  test('an include is a sequence with prefixed ids, its roles are ours, its condition is on all its steps', async () => {
    const runbook = await good({
      'dir/r.yaml': book(
        `${step('one')}  - runbook: ../shared/prepare.yaml\n    id: prep\n    with: { database: x }\n    roles: { server: b }\n    when: "true"\n${step('two')}${step('three', '    needs: [prep]\n')}`,
      ),
      'shared/prepare.yaml': included,
    });
    expect(needs(runbook)).toEqual({
      one: [],
      'prep.make': ['one'],
      'prep.side': ['prep.make'],
      two: ['prep.side'],
      three: ['prep.side'],
      'uses-b': ['three'],
    });
    expect(runbook.steps.map((each) => [each.id, each.role])).toContainEqual(['prep.side', 'b']);
    expect(runbook.steps.find((each) => each.id === 'prep.make')?.when?.map((each) => each.source)).toEqual(['true']);
    expect(runbook.steps.find((each) => each.id === 'prep.side')?.when?.map((each) => [each.source, each.scope.prefix])).toEqual([
      ['true', ''],
      ["inputs.database != ''", 'prep.'],
    ]);
    expect(runbook.checkpoints.map((each) => each.name)).toEqual(['prep.made']);
    expect(runbook.sources.map((each) => each.path)).toEqual(['dir/r.yaml', 'shared/prepare.yaml']);
  });

  test('one file may be included twice, under two ids', async () => {
    const twice = ['p', 'q']
      .map((id) => `  - runbook: prepare.yaml\n    id: ${id}\n    with: { database: x }\n    roles: { server: a }\n`)
      .join('');
    const runbook = await good({ 'r.yaml': book(twice), 'prepare.yaml': included });
    expect(runbook.steps.map((each) => each.id)).toEqual(['p.make', 'p.side', 'q.make', 'q.side', 'uses-b']);
  });

  test('positions of included steps are those in their own file', async () => {
    const runbook = await good({
      'r.yaml': book('  - runbook: prepare.yaml\n    with: { database: x }\n    roles: { server: a }\n'),
      'prepare.yaml': included,
    });
    expect(runbook.steps[0]?.at).toEqual({ file: 'prepare.yaml', line: 10, column: 7 });
  });

  test('a runbook loads from its frozen sources to the same digest', async () => {
    const runbook = await good({
      'r.yaml': book('  - runbook: prepare.yaml\n    with: { database: x }\n    roles: { server: a }\n'),
      'prepare.yaml': included,
    });
    const again = await good(Object.fromEntries(runbook.sources.map(({ path, text }) => [path, text])));
    expect(again.digest).toBe(runbook.digest);
    expect(again.steps).toEqual(runbook.steps);
  });
});

describe('what a file may look like', () => {
  test.each([
    ['a byte order mark', (text: string) => `\uFEFF${text}`],
    ['CRLF line ends', (text: string) => text.replaceAll('\n', '\r\n')],
    [
      'an anchor and an alias',
      (text: string) =>
        text.replace('with: { units: [x] }', 'with: &one { units: [x] }').replace(/with: \{ units: \[x\] \} \}/, 'with: *one }'),
    ],
    ['bytes', (text: string) => new TextEncoder().encode(text)],
  ])('%s is accepted', async (_what, change) => {
    const runbook = await good({ 'r.yaml': change(book(step('one'))) });
    expect(runbook.steps.map((each) => each.id)).toEqual(['one', 'uses-b']);
  });

  test('the text is frozen without its byte order mark', async () => {
    const runbook = await good({ 'r.yaml': new TextEncoder().encode(`\uFEFF${book(step('one'))}`) });
    expect(runbook.sources[0]?.text.startsWith('ferry')).toBe(true);
  });

  test('five megabytes are refused before they are parsed', async () => {
    const before = performance.now();
    const loaded = await load({ 'r.yaml': book(step('one')) + '# padding\n'.repeat(500_000) });
    expect('diagnostics' in loaded && loaded.diagnostics.map((each) => each.message)).toEqual([
      'r.yaml has 5.0 MB; at most 1.0 MB are read.',
    ]);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  test('the root file that cannot be read is the caller’s error', async () => {
    await expect(loadRunbook('gone.yaml', { readFile: () => Promise.reject(new Error('gone')) })).rejects.toThrow('gone');
  });
});

test('inputs and roles that are never used are warnings of a good runbook', async () => {
  const head = 'inputs:\n  used: { type: string, default: x }\n  idle: { type: string, optional: true }\n';
  const text = book(step('one', '    when: inputs.used == "x"\n'), head).replace('b: }', 'b: , idle_role: }');
  const loaded = await load({ 'r.yaml': text });
  expect('runbook' in loaded && loaded.runbook.warnings.map((each) => [each.severity, each.code, each.at?.line])).toEqual([
    ['warning', 'INPUT_UNUSED', 5],
    ['warning', 'ROLE_UNUSED', 6],
  ]);
});

test('checks under "done" have ids of their own and may use each other', async () => {
  const head = `done:
  - { host: a, uses: service.read, with: { units: [x] } }
  - { host: a, uses: service.read, with: { units: ["\${{ string(size(steps['done-1'].outputs)) }}"] } }
`;
  const loaded = await load({ 'r.yaml': book(step('one'), head) });
  expect('diagnostics' in loaded && loaded.diagnostics.map((each) => each.code)).toEqual(['EXPRESSION_NAME_VAGUE']);
  const runbook = await good({ 'r.yaml': book(step('one'), head.replace('.outputs)', '.outputs.active)')) });
  expect(runbook.done.map(({ id, needs: after }) => [id, after])).toEqual([
    ['done-1', []],
    ['done-2', ['done-1']],
  ]);
});

test('a role named in params must be declared, wherever it stands', async () => {
  const transfer = (from: string) =>
    `  - id: send\n    host: a\n    uses: file.transfer\n    with: { from: { host: ${from}, path: /srv/a }, path: /srv/b }\n`;
  await good({ 'r.yaml': book(transfer('b')) });
  const loaded = await load({ 'r.yaml': book(transfer('bb')) });
  expect(
    'diagnostics' in loaded && loaded.diagnostics.map((each) => [each.code, each.at?.line, each.at?.column, each.hint]),
  ).toEqual([['ROLE_UNKNOWN', 8, 27, 'Did you mean "b"?']]);
});
