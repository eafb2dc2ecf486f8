import { describe, expect, it } from 'vitest';
import { waysBack } from '../../src/plan/ways-back.ts';
import { movePlan, planLine } from '../kit/plans.ts';

describe('the ways back that a plan names', () => {
  it('are one to before the run and one to each checkpoint, and say where writers begin', () => {
    const { lines, checkpoints } = movePlan();
    const all = ['start-services', 'point-at-new', 'restore', 'dump', 'stop-services', 'maintenance'];
    expect(waysBack(lines, checkpoints, () => true)).toEqual([
      { to: null, undoes: all, unsure: [], stays: [], losesFrom: 'point-at-new' },
      { to: 'quiesced', undoes: all.slice(0, 4), unsure: [], stays: [], losesFrom: 'point-at-new' },
      // The line is behind it: what is written on the new side stays there.
      { to: 'moved', undoes: all.slice(0, 2), unsure: [], stays: [], losesFrom: null },
    ]);
  });

  it('tell steps that change nothing from those that may and those that stay', () => {
    const lines = [
      planLine({ step: 'look', host: 'a', kind: 'check' }),
      planLine({ step: 'same', host: 'a', kind: 'no-change' }),
      planLine({ step: 'left-out', host: 'a', kind: 'skipped' }),
      planLine({ step: 'install', host: 'a', irreversible: 'packages stay' }),
      planLine({ step: 'wipe', host: 'a', undo: null, irreversible: 'the bytes are gone' }),
      planLine({ step: 'perhaps', host: 'a', kind: 'later', undo: null }),
      planLine({ step: 'ask', host: 'a', kind: 'later', undo: null }),
      planLine({ step: 'line', host: 'a', kind: 'check', writeLine: true }),
    ];
    expect(waysBack(lines, [], ({ step }) => step !== 'ask')).toEqual([
      { to: null, undoes: ['install'], unsure: ['perhaps'], stays: ['wipe', 'install'], losesFrom: null },
    ]);
  });
});
