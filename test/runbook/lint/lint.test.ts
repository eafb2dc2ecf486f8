import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalog } from '../../../src/actions/catalog.ts';
import { partialParams } from '../../../src/actions/partial-params.ts';
import type { Json } from '../../../src/lib/json.ts';
import { loadRunbook } from '../../../src/runbook/load.ts';
import { diagnosticsOf, found, load, wholeRunbook } from '../../kit/lint.ts';

const STOP = (more = '') => `  - { id: stop, host: app, uses: service.stop, with: { units: [a] }${more} }\n`;
const ALLOW = '[{ rule: SERVICE_LEFT_STOPPED, reason: it is started by hand }]';

describe('a finding that is meant to be so', () => {
  test.each([
    ['on its step', `steps:\n${STOP(`, allow: ${ALLOW}`)}`],
    ['for the whole runbook', `allow: ${ALLOW}\nsteps:\n${STOP()}`],
  ])('is silenced %s', async (_, example) => {
    expect(await found(example)).toEqual([]);
  });

  test('is silenced by an include for all in it, by the included file for itself, and by the root for everything', async () => {
    const inner = (head: string) => `ferry: 1\nname: inner\n${head}roles: { app: }\nsteps:\n${STOP()}`;
    const root = (more: string, head = '') => `${head}roles: { app: }\nsteps:\n  - { runbook: inner.yaml${more} }\n`;
    expect(await found(root(''), { 'inner.yaml': inner('') })).toEqual(['warning SERVICE_LEFT_STOPPED']);
    expect(await found(root(`, allow: ${ALLOW}`), { 'inner.yaml': inner('') })).toEqual([]);
    expect(await found(root(''), { 'inner.yaml': inner(`allow: ${ALLOW}\n`) })).toEqual([]);
    expect(await found(root('', `allow: ${ALLOW}\n`), { 'inner.yaml': inner('') })).toEqual([]);
  });

  test('has its place in the file it is about, through an include', async () => {
    const inner = `ferry: 1\nname: inner\nroles: { app: }\nsteps:\n${STOP()}`;
    const loaded = await load({
      'r.yaml': wholeRunbook('roles: { app: }\nsteps:\n  - { runbook: inner.yaml }\n'),
      'inner.yaml': inner,
    });
    expect(diagnosticsOf(loaded)[0]).toMatchObject({
      at: { file: 'inner.yaml', line: 5 },
      message: expect.stringContaining('"inner.stop"'),
    });
  });

  test('that is not there any more makes its allow a finding, at its place', async () => {
    const text = wholeRunbook(`steps:\n${STOP(`, allow: ${ALLOW}`).replace('[a] }', '[a], disable: true }')}`);
    const [only, ...more] = diagnosticsOf(await load({ 'r.yaml': text }));
    expect(more).toEqual([]);
    expect(only).toMatchObject({ severity: 'warning', code: 'ALLOW_UNUSED', at: { line: 5 } });
  });

  test.each([
    ['without a reason', '[{ rule: FILE_LEFT }]', 'FIELD_MISSING'],
    ['with one word for a reason', '[{ rule: FILE_LEFT, reason: ok }]', 'VALUE_INVALID'],
    ['of a rule that is none', '[{ rule: FILE_LEFD, reason: it is meant so }]', 'VALUE_UNKNOWN'],
  ])('is not silenced %s', async (_, allow, code) => {
    expect(await found(`steps:\n${STOP(`, allow: ${allow}`)}`)).toEqual([`error ${code}`]);
  });
});

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const MIGRATION = join(PROJECT, 'runbooks', 'ovirt', 'migrate-engine-db.yaml');
const text = readFileSync(MIGRATION, 'utf8');
/** The migration without one of its steps, and without what is said of the folders it made. */
const without = (id: string) =>
  text
    .replace(new RegExp(`  - id: ${id}\\n(?:    .*\\n)+`), '')
    .replace(`, emptyFolders: "\${{ steps.${id}.outputs.folders }}"`, '');

describe('the shipped migration of the engine database', () => {
  const codes = async (changed: string) => {
    const loaded = await loadRunbook(MIGRATION, { readFile: async (path) => (path === MIGRATION ? changed : readFile(path)) });
    return [...new Set(diagnosticsOf(loaded).map(({ code }) => code))].sort();
  };
  test.each([
    ['fence-old', ['DATABASE_LEFT_WRITABLE', 'DUMP_UNGUARDED']],
    ['compare', ['MOVE_NOT_COMPARED']],
    ['point-dwhd', ['ENGINE_DWH_FORGOTTEN']],
    ['copy', ['FILE_NOT_MADE', 'REMOVAL_FINAL']],
    ['count-writes', ['WRITE_LINE_MISSING']],
    ['start-services', ['SERVICE_LEFT_STOPPED']],
    ['lift-maintenance', ['MAINTENANCE_LEFT_SET']],
    ['remove-dump-old', ['FILE_LEFT']],
    ['remove-dump-new', ['FILE_LEFT']],
  ])('without its step %s is found fault with', async (step, expected) => {
    expect(without(step)).not.toBe(text);
    expect(await codes(without(step))).toEqual(expected);
  });

  test('with its checks of health left out lifts maintenance too early', async () => {
    const changed = [
      / {2}- id: health\n(?: {4}.*\n)+/,
      / {2}- id: on-new\n(?: {4}.*\n)+/,
      / {2}- id: off-old\n(?: {4}.*\n)+/,
    ].reduce((all, step) => all.replace(step, ''), text);
    expect(await codes(changed)).toContain('MAINTENANCE_LIFTED_EARLY');
  });
});

const OPEN = '${{ inputs.x }}';

/** The params with one part after the other replaced by an expression. */
function opened(value: Json): Json[] {
  const inside = (() => {
    if (Array.isArray(value)) return value.flatMap((item, index) => opened(item).map((one) => value.with(index, one)));
    if (value === null || typeof value !== 'object') return [];
    return Object.entries(value).flatMap(([key, member]) => opened(member).map((one) => ({ ...value, [key]: one })));
  })();
  return [OPEN, ...inside];
}

describe('what an action touches', () => {
  test.each(Object.keys(catalog))('%s can be told with any of its params unknown', async (name) => {
    const action = (await catalog[name]?.())?.default;
    if (!action) throw new Error(`no action ${name}`);
    for (const { with: given } of action.examples)
      for (const params of opened(given).filter((one) => one !== OPEN))
        expect(() => action.touches?.(partialParams(action.params, params), ''), JSON.stringify(params)).not.toThrow();
  });

  test.each(Object.keys(catalog))('%s gives the same for params that are known, however they were read', async (name) => {
    const action = (await catalog[name]?.())?.default;
    for (const { with: given } of action?.examples ?? [])
      expect(action?.touches?.(partialParams(action.params, given), 'x')).toEqual(
        action?.touches?.(action.params.parse(given), 'x'),
      );
  });
});
