import { describe, expect, it } from 'vitest';
import { LOG_CHUNK_BYTES, LogFollower } from '../../src/hosts/log-follower.ts';

/** What is given when a log is fed in chunks of so many bytes, each from where the follower wants to go on. */
function followed(log: Buffer, size: number): string[] {
  const follower = new LogFollower();
  const given: string[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    const at = follower.at ?? 0;
    // The host's log grows by a chunk a turn.
    const text = follower.take(at, log.subarray(at, Math.min(log.length, (turn + 1) * size)));
    if (text !== '') given.push(text);
  }
  return given;
}

describe('the log of a long command', () => {
  it.each([1, 2, 3, 7, 1000])('comes in whole lines and each once, whatever a chunk cuts: %d bytes a time', (size) => {
    const log = Buffer.from("one\nzwölf € s'cret\n\u001b[31mred\u001b[0m\r 50 %\r100 %\nnot yet whole");
    expect(followed(log, size).join('\n').split('\n')).toEqual(['one', "zwölf € s'cret", 'red', ' 50 %', '100 %']);
  });

  it('begins with a whole line where it begins in the middle, and where much was passed over', () => {
    const follower = new LogFollower();
    expect(follower.take(5000, Buffer.from('lf a line\nwhole\n'))).toBe('whole');
    expect(follower.at).toBe(5016);
    expect(follower.take(5016, Buffer.from('next\n'))).toBe('next');
    expect(follower.take(9000, Buffer.from('half\nlast\n'))).toBe('last');
  });

  it('does not stand still at a line longer than a chunk', () => {
    const follower = new LogFollower();
    expect(follower.take(0, Buffer.alloc(LOG_CHUNK_BYTES, 'x'))).toHaveLength(LOG_CHUNK_BYTES);
    expect(follower.at).toBe(LOG_CHUNK_BYTES);
  });
});
