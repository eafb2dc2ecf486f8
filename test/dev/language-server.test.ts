import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalog } from '../../src/actions/catalog.ts';
import { starterFiles } from '../../src/cli/starter.ts';
import { PROJECT } from '../../src/dev/action-files.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { type Completion, LanguageServer, type Position } from '../kit/language-server.ts';

const server = new LanguageServer();
beforeAll(() => server.start());
afterAll(() => server.stop());

const EXAMPLE = 'examples/02-stop-and-start.yaml';
const text = readFileSync(join(PROJECT, EXAMPLE), 'utf8');

/** Where `needle` begins, counted as an editor counts. */
function placeOf(needle: string, within: string): Position {
  const offset = within.indexOf(needle);
  expect(offset, `the text has no ${needle}`).toBeGreaterThanOrEqual(0);
  const lines = within.slice(0, offset).split('\n');
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

/** What the server offers at the | of a text that is added to the example, or stands for it. */
async function offered(added: string, before = text): Promise<Completion[]> {
  const whole = before + added;
  const position = placeOf('|', whole);
  return (await server.open(EXAMPLE, whole.replace('|', ''))).complete(position);
}

const documentationOf = ({ documentation: given }: Completion) => (typeof given === 'string' ? given : (given?.value ?? ''));
const step = (...lines: string[]) => ['  - id: more', '    host: engine', ...lines.map((line) => `    ${line}`), ''].join('\n');

describe('an editor with yaml-language-server', () => {
  it.each(globSync('{examples,runbooks}/**/*.yaml', { cwd: PROJECT }))(
    'knows %s by its first line, and finds no fault',
    async (path) => {
      const file = await server.open(path);
      expect(file.findings).toEqual([]);
      const line = readFileSync(join(PROJECT, path), 'utf8').split('\n').indexOf('ferry: 1');
      expect(await file.hover({ line, character: 1 })).toContain('The version of this format.');
    },
  );

  it.each(starterFiles(join(PROJECT, 'schemas')))(
    'knows the $name that ferry init writes, and finds no fault',
    async (starter) => {
      const file = await server.open('examples/begun.yaml', starter.text);
      expect(file.findings).toEqual([]);
      expect(await file.hover(placeOf('ferry: 1', starter.text))).toContain('The version of this format.');
    },
  );

  it('completes uses: with every action, each explained', async () => {
    const items = await offered(step('uses: |'));
    expect(items.map(({ label }) => label).sort()).toEqual(Object.keys(catalog).sort());
    const stop = items.find(({ label }) => label === 'service.stop');
    expect(stop?.insertText).toBe('service.stop');
    expect(stop && documentationOf(stop)).toMatch(
      /^Stop systemd units[\s\S]*Rollback: Units that ran[\s\S]*```yaml\n- id: stop\n/,
    );
  });

  it('completes with: by the params of the action that the step uses, and no others', async () => {
    const items = await offered(step('uses: service.stop', 'with:', '  |'));
    const params = items.filter(({ label }) => label !== 'service.stop');
    expect(params.map(({ label }) => label).sort()).toEqual(['disable', 'missing', 'timeout', 'units']);
    expect(params.map(documentationOf).filter((said) => said === '')).toEqual([]);
    expect(params.find(({ label }) => label === 'timeout')?.insertText).toBe('timeout: ${1:90s}');
  });

  it('completes the values of a param that has few', async () => {
    const items = await offered(step('uses: service.stop', 'with:', '  missing: |'));
    expect(items.map(({ label }) => label)).toEqual(['skip', 'fail']);
  });

  it('completes a default in quotes where YAML would take it for a number', async () => {
    const items = await offered(step('uses: file.put', 'with:', '  mode: |'));
    expect(items.map(({ insertText }) => insertText)).toEqual(['"0600"']);
  });

  it('offers whole steps that Ferry accepts as they are', async () => {
    const items = (await offered('  - |\n')).filter(({ label }) => label in catalog);
    expect(items.map(({ label }) => label).sort()).toEqual(Object.keys(catalog).sort());
    for (const { label, insertText } of items) {
      const filled = (insertText ?? '').replaceAll(/(?<!\\)\$\{\d+:([^}]*)\}/g, '$1').replaceAll(/\\([$\\}])/g, '$1');
      const runbook = [
        'ferry: 1',
        'name: offered',
        'inputs: { password: { type: secret } }',
        'roles: { role: {}, old_db: {}, new_db: {} }',
        'steps:',
        `  - ${filled.replaceAll('\n', '\n  ')}`,
      ].join('\n');
      const loaded = await loadRunbook('offered.yaml', { readFile: async () => runbook });
      const wrong = 'diagnostics' in loaded ? loaded.diagnostics.map(({ message }) => message) : [];
      expect({ label, wrong, insertText }).toEqual({ label, wrong: [], insertText });
    }
  });

  it('offers a whole runbook for an empty file', async () => {
    const items = await offered('|\n', '# yaml-language-server: $schema=../schemas/runbook.schema.json\n');
    expect(items.find(({ label }) => label === 'a new runbook')?.insertText).toMatch(
      /^ferry: 1\nname: [\s\S]*\nsteps:\n {2}- id: /,
    );
  });

  it('explains an action and a param under the mouse', async () => {
    const file = await server.open(EXAMPLE);
    const action = await file.hover(placeOf('service.stop', text));
    expect(action).toMatch(/^#### service\.stop\n\nStop systemd units[\s\S]*Rollback: Units that ran/);
    const param = await file.hover(placeOf('units:', text));
    expect(param).toMatch(/^#### units: list of systemd units\n\nUnits by name;[\s\S]*Required\./);
  });

  it('points at a misspelt param, from its first letter to its last', async () => {
    const wrong = text + step('uses: service.stop', 'with:', '  units: [a]', '  timout: 5s');
    const { findings: found } = await server.open(EXAMPLE, wrong);
    const start = placeOf('timout', wrong);
    expect(found).toMatchObject([
      { message: 'Property timout is not allowed.', range: { start, end: { line: start.line, character: start.character + 6 } } },
    ]);
  });

  it('points at an action that does not exist, and names those that do', async () => {
    const wrong = text + step('uses: service.stpo');
    const { findings: found } = await server.open(EXAMPLE, wrong);
    expect(found).toMatchObject([{ range: { start: placeOf('service.stpo', wrong) } }]);
    expect(found[0]?.message).toContain('"service.stop"');
  });

  it('explains the fields of an inventory', async () => {
    const inventory =
      '# yaml-language-server: $schema=../schemas/inventory.schema.json\nferry: 1\nhosts:\n  db: { address: 192.0.2.1, prot: 22 }\n';
    const file = await server.open('examples/inventory.yaml', inventory);
    expect(file.findings).toMatchObject([
      { message: 'Property prot is not allowed.', range: { start: placeOf('prot', inventory) } },
    ]);
    expect(await file.hover(placeOf('address', inventory))).toContain('Where Ferry connects to');
  });
});
