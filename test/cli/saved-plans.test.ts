import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSavedPlan } from '../../src/cli/saved-plans.ts';
import { sealPlan } from '../../src/plan/saved-plan.ts';
import { movePlan } from '../kit/plans.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parts = {
  ...{ release: '0.1.0', path: '/runbooks/move.yaml', inventory: '/inventory.yaml', secretsKey: '' },
  sources: [{ path: 'move.yaml', text: 'ferry: 1\n' }],
  hosts: { engine: 'root@192.0.2.7:22' },
  secrets: {},
  plan: movePlan(),
};
const read = (more: object) => {
  const file = join(folder, 'move.plan');
  writeFileSync(file, JSON.stringify(sealPlan({ ...parts, ...more })));
  return readSavedPlan(file);
};

it('a plan is read from its file', async () => {
  expect(await read({})).toMatchObject(parts);
});

// Each was told as a defect of Ferry.
it.each([
  ['without a plan', { plan: undefined }, /^plan: /],
  ['without sources', { sources: [] }, /^sources: /],
  ['with a line that is none', { plan: { ...movePlan(), lines: [{ step: 'x' }] } }, /^plan\.lines\.0\./],
  ['with roles in a list', { plan: { ...movePlan(), roles: ['engine'] } }, /^plan\.roles: /],
])('a file with the right digest and %s is refused with the place that is wrong', async (_, more, why) => {
  await expect(read(more)).rejects.toMatchObject({ code: 'PLAN_FILE_INVALID', args: { why: expect.stringMatching(why) } });
});
