import { expect, it } from 'vitest';
import { takenText } from '../../src/renderers/taken.ts';

const taken = {
  run: 'r-1',
  phase: 'paused',
  epoch: 2,
  from: 'root@admin1',
  fenced: ['engine', 'newdb'],
  busy: [],
  told: [],
} as const;
const page = { width: 100, colour: false };

it('a takeover tells from whom, where, and what leads on', () => {
  expect(takenText(taken, page)).toBe(
    `
Taken over: r-1 (epoch 2) from root@admin1.
The former controller changes nothing any more on engine, newdb; what it began there goes on.

go on    ferry resume r-1
go back  ferry rollback r-1 --plan`.trimStart(),
  );
  const more = takenText({ ...taken, fenced: [], busy: ['newdb'], told: ['Known up to record 3.'], phase: 'rolling-back' }, page);
  expect(more).toContain(
    'It had begun on no host.\nKnown up to record 3.\nA short command of root@admin1 is still under way on newdb',
  );
  expect(more).toMatch(/^go on +ferry rollback r-1/m);
});
