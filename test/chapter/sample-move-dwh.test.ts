import { afterAll, afterEach, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { ChapterRun, somePoints } from '../kit/chapter-run.ts';
import { MovedDwh } from '../kit/moved-dwh.ts';

const GATE = 'service.ask-removal';
const labDir = inject('labDir');
const run = new ChapterRun(labDir, ['runbooks/ovirt/move-dwh.yaml', '--role', 'new_db=newdb']);
afterEach(() => run.remove());
afterAll(() => labReset({ dir: labDir, say: () => undefined }));

it('the data warehouse moves with its database, past a death by chance, to the last gate, and all the way back', async () => {
  const moved = await MovedDwh.from(labDir, 'newdb');
  const { lines } = JSON.parse((await run.plan(['--json'])).stdout) as Plan;
  const last = lines.findIndex(({ step }) => step === GATE);
  const points = lines.slice(0, last).flatMap(({ kind, step }) => (kind === 'change' ? [`after-apply ${step}`] : []));
  for (const point of somePoints(points, 1)) await run.killAt(point);
  await run.goesTo(GATE);
  await moved.isMoved();
  const back = await run.rollBack(['--discard-writes']);
  expect(back.code, back.stdout.slice(-3000) + back.stderr).toBe(4);
  expect(back.stdout).toContain(' 0 differ.');
  await moved.isBack();
  await run.leavesNothing();
});
