import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSavedPlan } from '../../src/cli/saved-plans.ts';
import { sealPlan } from '../../src/plan/saved-plan.ts';
import { movePlan, planParts } from '../kit/plans.ts';

const folder = mkdtempSync(join(tmpdir(), 'ferry-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

const parts = planParts();
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
