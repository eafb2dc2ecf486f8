import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../src/engine/events.ts';
import { createForecast, roughly } from '../../src/renderers/forecast.ts';
import { eventsAt } from '../kit/plans.ts';

const steps = [
  { step: 'stop', ms: 10_000, undoMs: 5000 },
  { step: 'dump', ms: 60_000, undoMs: 1000 },
  { step: 'aside', ms: 50_000, undoMs: 0 },
  { step: 'start', ms: 20_000, undoMs: 8000 },
];
const estimated = (windowEndsAt: string | null = null) =>
  ({
    type: 'run.estimated',
    steps,
    criticalPath: ['stop', 'dump', 'start'],
    downtimeMs: null,
    isGuess: false,
    windowEndsAt,
  }) as const;
const step = { host: 'engine', attempt: 1, title: '', summary: '', reattached: false };
const ended = { type: 'step.ended', host: 'engine', outcome: 'ok', summary: '', ms: 1, outputs: {}, error: null } as const;

function after(...events: (readonly [second: number, event: EventBody])[]) {
  const forecast = createForecast();
  const heard = eventsAt(...events);
  for (const event of heard) forecast.hear(event);
  const startMs = Date.parse(heard[0]?.at ?? '') - (events[0]?.[0] ?? 0) * 1000;
  return { forecast, at: (second: number) => startMs + second * 1000, startMs };
}

describe('a forecast', () => {
  it('counts down along the longest way, and takes the running step for as long as it said', () => {
    const { forecast, at } = after([0, estimated()], [0, { type: 'step.started', step: 'stop', ...step }]);
    expect(forecast.text(at(0))).toMatch(/^about 1 min 30 s left, done by \d\d:\d\d:\d\dZ$/);
    expect(forecast.text(at(8))).toContain('about 1 min 20 s left');
    // A step that takes longer than it said leaves the others to come.
    expect(forecast.text(at(100))).toContain('about 1 min 20 s left');
  });

  it('believes the progress of a running step more than any earlier run', () => {
    const { forecast, at } = after(
      [0, estimated()],
      [0, { ...ended, step: 'stop' }],
      [0, { type: 'step.started', step: 'dump', ...step }],
      [10, { type: 'step.progressed', step: 'dump', host: 'engine', note: null, bytes: 50, totalBytes: 100, log: null }],
    );
    expect(forecast.text(at(10))).toContain('about 30 s left');
  });

  it('names the last moment to go back within the window, and says when it has passed', () => {
    const { startMs } = after([0, estimated()]);
    const window = new Date(startMs + 100_000).toISOString();
    const { forecast, at } = after([0, estimated(window)], [0, { ...ended, step: 'stop' }], [0, { ...ended, step: 'dump' }]);
    const clock = (second: number) => new Date(startMs + second * 1000).toISOString().slice(11, 19);
    expect(forecast.text(at(50))).toContain(`last moment to go back ${clock(94)}Z`);
    expect(forecast.isLate(at(93))).toBe(false);
    expect(forecast.isLate(at(94))).toBe(true);
    expect(forecast.text(at(95))).toContain(`too late to be back by ${clock(100)}Z: a rollback takes about 6 s`);
  });

  it('says nothing before there is an estimate', () => {
    expect(createForecast().text(0)).toBe('');
    expect(createForecast().isLate(0)).toBe(false);
  });
});

describe('a rough duration', () => {
  it.each([
    [200, '1 s'],
    [12_400, '12 s'],
    [134_000, '2 min 10 s'],
    [725_000, '12 min'],
  ])('%i ms is %s', (ms, text) => {
    expect(roughly(ms)).toBe(text);
  });
});
