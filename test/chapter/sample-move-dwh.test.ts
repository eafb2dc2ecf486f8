import { afterAll, afterEach, expect, inject, it } from 'vitest';
import { labReset } from '../../lab/lab.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { ChapterRun, somePoints } from '../kit/chapter-run.ts';
import { ask } from '../kit/evidence.ts';
import { MovedDwh } from '../kit/moved-dwh.ts';

const labDir = inject('labDir');
const words = ['examples/12-move-dwh.yaml', '--role', 'new_db=newdb', '--input', 'ticket=4711'];
const run = new ChapterRun(labDir, words);
afterEach(() => run.remove());
afterAll(() => labReset({ dir: labDir, say: () => undefined }));

it('lesson 12 moves the data warehouse with its database, past a death by chance, and all of it is taken back', async () => {
  const moved = await MovedDwh.from(labDir, 'newdb');
  const { lines } = JSON.parse((await run.plan(['--json'])).stdout) as Plan;
  await run.goesTo('allowed');
  await run.approve('allowed');
  const points = lines.flatMap(({ kind, step }) => (kind === 'change' ? [`after-apply ${step}`] : []));
  for (const point of somePoints(points, 1)) await run.killAt(point);
  await run.goesTo(null);
  await moved.isMoved();
  expect(await ask(labDir, 'engine', 'ls /root/DWH-IS-BEING-MOVED 2>&1 || :')).toContain('No such file');
  const back = await run.rollBack(['--discard-writes']);
  expect(back.code, back.stdout.slice(-3000) + back.stderr).toBe(4);
  expect(back.stdout).toContain(' 0 differ.');
  await moved.isBack();
  await run.leavesNothing();
});
