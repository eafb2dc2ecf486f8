import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSavedPlan, writeSavedPlan } from '../../src/cli/saved-plans.ts';
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

describe('a plan that is saved', () => {
  const saved = sealPlan(parts);

  it('is for its owner alone, whatever the umask', async () => {
    const file = join(folder, 'new.plan');
    const before = process.umask(0);
    await writeSavedPlan(file, saved).finally(() => process.umask(before));
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    await writeSavedPlan(file, saved);
    expect(await readSavedPlan(file)).toMatchObject(parts);
  });

  it('goes through no link, into no pipe, and over nothing else', async () => {
    const target = join(folder, 'target');
    writeFileSync(target, JSON.stringify(saved), { mode: 0o644 });
    const link = join(folder, 'link.plan');
    symlinkSync(target, link);
    const loose = join(folder, 'loose.plan');
    symlinkSync(join(folder, 'not-there'), loose);
    const pipe = join(folder, 'pipe.plan');
    execFileSync('mkfifo', [pipe]);
    const other = join(folder, 'notes.txt');
    writeFileSync(other, 'dear diary');
    const before = statSync(target).mtimeMs;
    for (const [file, why] of [
      [link, /symbolic link/],
      [loose, /symbolic link/],
      [pipe, /no regular file/],
      [other, /something else/],
    ] as const) {
      await expect(writeSavedPlan(file, saved)).rejects.toMatchObject({
        code: 'PLAN_FILE_UNWRITABLE',
        args: { why: expect.stringMatching(why) },
      });
    }
    expect([statSync(target).mtimeMs, readFileSync(other, 'utf8'), existsSync(join(folder, 'not-there'))]).toEqual([
      before,
      'dear diary',
      false,
    ]);
  });
});
