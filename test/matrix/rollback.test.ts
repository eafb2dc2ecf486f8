import { afterAll, describe, expect, it } from 'vitest';
import { CELLS, cellsOf, moved } from '../kit/forked-run.ts';
import type { ModelRun } from '../kit/model-run.ts';
import { unsound } from '../kit/unsound.ts';

const isWhole = Boolean(process.env.FERRY_EVERY_FAULT);
/** Of the crash points every so manyth is taken. */
const STRIDE = isWhole ? 1 : 4;

const disturbances: Record<string, (run: ModelRun) => void> = {
  'nothing in its way': () => undefined,
  'a host away': (run) => void run.world.away.add('b'),
  'a host that goes away in the middle': (run) => void run.world.cutOnce.add('data:remove'),
  'an undo that fails': (run) => void run.world.failOnce.add('right:restore'),
  'an undo that dies without a trace': (run) => void run.world.loseOnce.add('left:restore'),
  'the writers that cannot be stopped': (run) => void run.world.failOnce.add('start:restore'),
};
const targets: Record<string, { to?: string; discardWrites?: boolean; left: Record<string, string> }> = {
  'to the start, across the line': { discardWrites: true, left: { ...CELLS, 'b/kept': 'rows' } },
  'to a checkpoint across the line': { to: 'ready', discardWrites: true, left: { ...CELLS, 'a/one': 'new', 'b/kept': 'rows' } },
  'to a checkpoint on this side of it': {
    to: 'moved',
    left: { ...CELLS, 'a/one': 'new', 'a/left': 'new', 'b/right1': 'new', 'b/right2': 'new', 'b/data': 'rows' },
  },
};

const count = { killed: 0, lost: 0, doubled: 0, overlaps: 0 };

/** Types `ferry rollback` until it is done, with the hosts back and nobody there to be asked. */
async function workOff(run: ModelRun, about: string): Promise<void> {
  run.answer = null;
  for (let times = 0; times < 4 && run.state.phase === 'rolling-back'; times += 1) {
    run.world.away.clear();
    await run.rollBack();
  }
  expect(run.state.phase, about).not.toBe('rolling-back');
}

/**
 * The hosts are as they should be; no command doubled or beside what came after it; no data taken away before the writers were
 * stopped; each undo before what it stands on. It counts before it fails.
 */
function expectSound(run: ModelRun, left: Record<string, string>, about: string): void {
  const { overlaps, doubled } = run.world.commands;
  count.overlaps += overlaps.length;
  count.doubled += doubled.length;
  if (JSON.stringify(cellsOf(run)) !== JSON.stringify(Object.fromEntries(Object.entries(left).sort()))) count.lost += 1;
  expect(unsound(run), about).toEqual([]);
  expect(cellsOf(run), about).toEqual(left);
  const last = (id: string) => run.world.ran.findLastIndex((effect) => effect.includes(`:${id}.undo.`));
  const first = (id: string) => run.world.ran.findIndex((effect) => effect.includes(`:${id}.undo.`));
  for (const [writer, data] of [
    ['start', 'data'],
    ['start', 'left'],
    ['beside', 'data'],
  ] as const)
    if (first(data) >= 0) expect(last(writer), `${about}: ${writer} before ${data}`).toBeLessThan(first(data));
}

describe.each(Object.entries(targets))('a rollback %s', (_, { left, ...options }) => {
  // What goes wrong behind the checkpoint is none of its business.
  const behind = ['a host that goes away in the middle', 'an undo that fails', 'an undo that dies without a trace'];
  const cases = Object.entries(disturbances).filter(([name]) => options.to !== 'moved' || !behind.includes(name));
  describe.each(cases)('with %s', (_name, disturb) => {
    it('is killed at every point, gone on with, and ends as if it had not been', async () => {
      const undisturbed = await moved(disturb);
      const began = undisturbed.passed.length;
      // Where not one host answers, or none the way needs, it may be refused or have nothing in its way.
      await undisturbed.rollBack(options);
      const passed = undisturbed.passed.slice(began);
      await workOff(undisturbed, 'undisturbed');
      expect(cellsOf(undisturbed)).toEqual(left);
      expect(passed.length).toBeGreaterThan(8);
      for (let point = 1; point <= passed.length; point += STRIDE) {
        const about = `${point}: ${passed[point - 1]}`;
        const run = await moved(disturb);
        expect(await run.rollBack(options, point), about).toBe('died');
        count.killed += 1;
        // Killed before it was on record, it is typed anew, with the consent that is not on record either.
        run.world.away.clear();
        if (run.state.phase === 'finished') await run.rollBack(options);
        await workOff(run, about);
        expect(
          run.state.proof?.filter(({ verdict }) => verdict === 'differs'),
          about,
        ).toEqual([]);
        expectSound(run, left, about);
        // It can be gone through again, or was: nothing holds the hosts for good.
        if (run.state.phase === 'rolled-back' && run.world.leases.size > 0) await run.rollBack();
        expect(run.world.leases.size, about).toBe(options.to ? 2 : 0);
      }
    });

    it('is killed again while it works off what was left', async () => {
      const first = await moved(disturb);
      await first.rollBack(options);
      if (first.state.phase !== 'rolling-back') return expect(cellsOf(first)).toEqual(left);
      const began = first.passed.length;
      await workOff(first, 'undisturbed');
      const points = first.passed.length - began;
      for (let point = 1; point <= points; point += STRIDE) {
        const run = await moved(disturb);
        await run.rollBack(options);
        run.answer = null;
        run.world.away.clear();
        expect(await run.rollBack({}, point), String(point)).toBe('died');
        count.killed += 1;
        await workOff(run, String(point));
        expectSound(run, left, String(point));
      }
    });
  });
});

afterAll(() => {
  process.stdout.write(
    `rollback matrix in memory${isWhole ? '' : ' (a sample; npm run test:crash does all)'}: ${count.killed} deaths of Ferry while it took a run back; ${count.lost} lost, ${count.doubled} doubled, ${count.overlaps} at work beside what came after them\n`,
  );
});
