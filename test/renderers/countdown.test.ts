import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventBody } from '../../src/engine/events.ts';
import { createLines } from '../../src/renderers/lines.ts';
import { createTree } from '../../src/renderers/tree.ts';
import { eventsAt, restoreFailed } from '../kit/plans.ts';
import { soon } from '../kit/soon.ts';
import { createScreen } from '../kit/terminal.ts';

beforeEach(
  () => void vi.useFakeTimers({ now: new Date('2026-01-01T02:00:00.000Z'), toFake: ['setInterval', 'clearInterval', 'Date'] }),
);
afterEach(() => void vi.useRealTimers());

const paused: EventBody[] = [
  { type: 'run.paused', reason: 'failure', step: 'restore', error: restoreFailed },
  { type: 'rollback.due', rollbackAt: '2026-01-01T02:20:00.000Z' },
];
const events = (...bodies: EventBody[]) => eventsAt(...bodies.map((body, index) => [index, body] as const));
const over = events(
  { type: 'note', text: 'Nobody took it on.' },
  { type: 'rollback.started', steps: [], irreversible: [], to: null },
);

describe('the time a failed run has until it is rolled back', () => {
  it('is told each minute where there is no terminal, until the rollback begins', () => {
    let text = '';
    const lines = createLines((more) => (text += more));
    for (const event of events(...paused)) lines.emit(event);
    expect(text).toContain(
      'rolls back at 2026-01-01 02:20:00Z, in 20 min, unless somebody goes on with it; Ctrl-C leaves it paused',
    );
    vi.advanceTimersByTime(120_000);
    expect(text.match(/in 1[98] min,/g)).toEqual(['in 19 min,', 'in 18 min,']);
    for (const event of over) lines.emit(event);
    vi.advanceTimersByTime(120_000);
    expect(text).not.toContain('in 17 min');
  });

  it('is over at once when that rollback is called off, and why is told, in a log and in a terminal', async () => {
    const why = 'Not rolled back by itself: somebody took it on (run.resumed).';
    const error = { ...restoreFailed, code: 'ROLLBACK_CALLED_OFF', message: why };
    const told = events(...paused, { type: 'rollback.called-off', error });
    let text = '';
    const lines = createLines((more) => (text += more));
    const screen = createScreen({ columns: 120, rows: 30 });
    const tree = createTree(screen.stream);
    for (const renderer of [lines, tree]) for (const event of told) renderer.emit(event);
    await tree.close();
    vi.advanceTimersByTime(120_000);
    for (const shown of [text, screen.text()]) {
      expect(shown.trimEnd().endsWith(why)).toBe(true);
      expect(shown).toContain('in 20 min,');
    }
  });

  it('counts down in one line of a terminal, and gives the line back', async () => {
    const screen = createScreen({ columns: 120, rows: 30 });
    const tree = createTree(screen.stream);
    for (const event of events(...paused)) tree.emit(event);
    await soon(() => expect(screen.text()).toContain('in 20 min,'));
    vi.advanceTimersByTime(2000);
    expect(screen.raw()).toContain('\r\u001b[2Krolls back at 2026-01-01 02:20:00Z, in 19 min 58 s,');
    await tree.close();
    expect(screen.text()).toMatch(/paused\n$/);
    vi.advanceTimersByTime(5000);
    expect(screen.text()).not.toContain('19 min 57 s');
  });
});
