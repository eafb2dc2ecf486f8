import { describe, expect, it } from 'vitest';
import { createMeter } from '../../src/renderers/meter.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const step = (seconds: number, bytes: number, totalBytes: number | null = 204_000_000) => ({
  at: at(seconds),
  note: null,
  bytes,
  totalBytes,
});

describe('the words of progress', () => {
  it('have bytes, rate and the time that is left', () => {
    const meter = createMeter();
    expect(meter.words(step(0, 27_000_000))).toBe('27.0 MB of 204 MB');
    expect(meter.words(step(1, 61_000_000))).toBe('61.0 MB of 204 MB, 34.0 MB/s, about 4 s left');
  });

  it('have a rate of the last ten seconds, not of the whole way', () => {
    const meter = createMeter();
    meter.words(step(0, 0));
    meter.words(step(1, 100_000_000));
    for (let second = 2; second <= 20; second += 1) meter.words(step(second, 100_000_000 + second * 1_000_000));
    expect(meter.words(step(21, 121_000_000))).toContain('1.0 MB/s, about 1 min 23 s left');
  });

  it('start anew when the count falls, as it does with the next file', () => {
    const meter = createMeter();
    meter.words(step(0, 0));
    meter.words(step(1, 90_000_000));
    expect(meter.words(step(2, 1_000_000))).toBe('1.0 MB of 204 MB');
  });

  it('promise no end that nobody knows', () => {
    const meter = createMeter();
    meter.words(step(0, 0, null));
    expect(meter.words(step(2, 10_000_000, null))).toBe('10.0 MB, 5.0 MB/s');
    expect(meter.words({ at: at(3), note: 'waiting for\nthe lock', bytes: null, totalBytes: null })).toBe('waiting for the lock');
  });
});
