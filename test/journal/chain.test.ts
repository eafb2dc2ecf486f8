import { describe, expect, it } from 'vitest';
import { hashOf, headOf, lineOf, verifyChain } from '../../src/journal/chain.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';

const unhashed = (seq: number, body: JournalRecord['body'] = {}) => ({
  ...{ seq, at: '2026-01-01T02:00:00.000Z', epoch: 1, type: 'step.applied', step: 'dump', host: 'engine', body },
});

/** A chain of so many records; the first of them without hashes, as an older release wrote them. */
function chain(count: number, old = 0): JournalRecord[] {
  const records: JournalRecord[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const record = unhashed(seq, { size: seq });
    records.push({ ...record, hash: seq <= old ? null : hashOf(headOf('r-1', records), record) });
  }
  return records;
}

describe('a chain of records', () => {
  it('is whole when each hash is that of its record on top of the one before', () => {
    expect(verifyChain('r-1', chain(4))).toBe(null);
    expect(verifyChain('r-1', [])).toBe(null);
    expect(chain(1)[0]?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['a text', { type: 'step.verified' }],
    ['an epoch', { epoch: 2 }],
    ['a moment', { at: '2026-01-01T02:00:01.000Z' }],
    ['a host', { host: null }],
    ['a body', { body: { size: 99 } }],
  ])('is broken where %s was changed', (_, change) => {
    const records = chain(4);
    records[1] = { ...(records[1] as JournalRecord), ...change };
    expect(verifyChain('r-1', records)).toMatchObject({ seq: 2, why: expect.stringContaining('hash') });
  });

  it('is broken after a change whose hash was mended too', () => {
    const records = chain(4);
    const changed = { ...(records[1] as JournalRecord), body: { size: 99 } };
    records[1] = { ...changed, hash: hashOf(headOf('r-1', records.slice(0, 1)), changed) };
    expect(verifyChain('r-1', records)).toMatchObject({ seq: 3 });
  });

  it('is broken where a record was taken out, and where a hash was', () => {
    expect(verifyChain('r-1', chain(4).toSpliced(1, 1))).toEqual({ seq: 2, why: 'it is missing; the next there is 3' });
    expect(verifyChain('r-1', chain(4).with(3, { ...unhashed(4), hash: null }))).toMatchObject({ seq: 4 });
  });

  it('of one run is none of another', () => {
    expect(verifyChain('r-2', chain(2))).toMatchObject({ seq: 1 });
  });

  it('begins where an older release stopped, and vouches for what that wrote', () => {
    const records = chain(5, 3);
    expect(verifyChain('r-1', records)).toBe(null);
    records[0] = { ...(records[0] as JournalRecord), body: { size: 99 } };
    expect(verifyChain('r-1', records)).toMatchObject({ seq: 4 });
  });

  it('is kept by hosts as lines that begin with number and hash, the same whatever the order of members', () => {
    const record = { ...unhashed(7, { b: 1, a: 'two\nlines' }), hash: 'f'.repeat(64) };
    const line = lineOf(record);
    expect(line.startsWith(`{"seq":7,"hash":"${'f'.repeat(64)}",`)).toBe(true);
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toEqual(record);
    expect(lineOf({ ...record, body: { a: 'two\nlines', b: 1 } })).toBe(line);
  });
});
