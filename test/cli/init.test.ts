import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInventory } from '../../src/cli/prepare.ts';
import { wire } from '../../src/cli/wire.ts';
import { typed } from '../kit/ferry.ts';

let folder = '';
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'ferry-init-')), 'new folder');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

test('init makes the folder, writes a sound runbook and its inventory, and says what to type next', async () => {
  const ferry = typed(['init', folder]);
  expect(await ferry.exit).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(['inventory.yaml', 'runbook.yaml']);
  const runbook = join(folder, 'runbook.yaml');
  expect(ferry.out.text()).toMatch(/^wrote {2}'.*new folder\/runbook\.yaml' {4}a first runbook/);
  expect(ferry.out.text()).toContain(`  ferry plan '${runbook}' `);
  expect(ferry.err.text()).toBe('');

  const { diagnostics, runbook: read } = await wire.validateRunbook(runbook);
  expect(diagnostics).toEqual([]);
  const inventory = await readInventory(undefined, runbook);
  expect(read?.roles.map(({ name }) => name)).toEqual([...inventory.roles.keys()]);
});

test('the first line of each file names the schema an editor reads', async () => {
  await typed(['init', folder]).exit;
  for (const name of ['runbook', 'inventory']) {
    const [first = ''] = readFileSync(join(folder, `${name}.yaml`), 'utf8').split('\n');
    const schema = first.replace('# yaml-language-server: $schema=', '');
    expect(JSON.parse(readFileSync(schema, 'utf8'))).toMatchObject({ title: `a${name === 'runbook' ? '' : 'n'} ${name}` });
  }
});

test('init leaves what is there as it is, and says so', async () => {
  await typed(['init', folder]).exit;
  writeFileSync(join(folder, 'runbook.yaml'), 'mine');
  rmSync(join(folder, 'inventory.yaml'));
  const again = typed(['init', folder]);
  expect(await again.exit).toBe(0);
  expect(readFileSync(join(folder, 'runbook.yaml'), 'utf8')).toBe('mine');
  expect(again.out.text()).toMatch(/^kept .*it was there already\nwrote .*inventory\.yaml/);
});

test('init says why it cannot write', async () => {
  await typed(['init', folder]).exit;
  const ferry = typed(['init', join(folder, 'runbook.yaml', 'deeper')]);
  expect(await ferry.exit).toBe(64);
  expect(ferry.err.text()).toMatch(/error FILE_UNWRITABLE {2}.* cannot be written: it is in no folder\./);
});
