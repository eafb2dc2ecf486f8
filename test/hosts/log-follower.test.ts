import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOG_CHUNK_BYTES, LogFollower } from '../../src/hosts/log-follower.ts';
import { RedactedLog } from '../../src/hosts/redacted-log.ts';
import { Redactor } from '../../src/hosts/redactor.ts';
import { Secret } from '../../src/hosts/secret.ts';

/** What is given when a log is fed in chunks of so many bytes, each from where the follower wants to go on. */
function followed(log: Buffer, size: number): string[] {
  const follower = new LogFollower('work@here');
  const given: string[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    const at = follower.at ?? 0;
    // The host's log grows by a chunk a turn.
    const piece = follower.take(at, log.subarray(at, Math.min(log.length, (turn + 1) * size)));
    if (piece) given.push(piece.text);
  }
  return given;
}

describe('the log of a long command', () => {
  it.each([1, 2, 3, 7, 1000])('comes in whole lines and each once, whatever a chunk cuts: %d bytes a time', (size) => {
    const log = Buffer.from("one\nzwölf € s'cret\n\u001b[31mred\u001b[0m\r 50 %\r100 %\nnot yet whole");
    expect(followed(log, size).join('')).toBe("one\nzwölf € s'cret\nred\n 50 %\n100 %\n");
  });

  it('begins with a whole line where it begins in the middle, and where much was passed over', () => {
    const follower = new LogFollower('work@here');
    const whole = { of: 'work@here', after: 'gap' };
    expect(follower.take(5000, Buffer.from('lf a line\nwhole\n'))).toEqual({ ...whole, text: 'whole\n' });
    expect(follower.at).toBe(5016);
    expect(follower.take(5016, Buffer.from('next\n'))).toEqual({ ...whole, text: 'next\n', after: 'last' });
    expect(follower.take(9000, Buffer.from('half\nlast\n'))).toEqual({ ...whole, text: 'last\n' });
  });

  it('does not take the rest of a line that began before it for a whole one, however late that ends', () => {
    const follower = new LogFollower('work@here');
    expect(follower.take(5000, Buffer.from('lf a '))).toBeNull();
    expect(follower.take(5000, Buffer.from('lf a line\n'))).toBeNull();
    expect(follower.take(5010, Buffer.from('whole\n'))).toMatchObject({ text: 'whole\n', after: 'gap' });
  });

  it('does not stand still at a line longer than a chunk, and cuts neither a letter nor an escape in it', () => {
    const follower = new LogFollower('work@here');
    expect(follower.take(0, Buffer.alloc(LOG_CHUNK_BYTES, 'x'))?.text).toHaveLength(LOG_CHUNK_BYTES);
    expect(follower.at).toBe(LOG_CHUNK_BYTES);
    for (const room of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const log = Buffer.from(`${'x'.repeat(LOG_CHUNK_BYTES - room)}€Ā\u001b[31mred\n`);
      expect(followed(log, LOG_CHUNK_BYTES).join('')).toBe(`${'x'.repeat(LOG_CHUNK_BYTES - room)}€Āred\n`);
    }
  });
});

describe('a secret in the log of a long command', () => {
  /** What is shown of a log that has grown to these sizes whenever it is looked at, as `watchScript` answers. */
  const shown = (log: string, sizes: readonly number[], redactor: Redactor): string[] => {
    const bytes = Buffer.from(log);
    const follower = new LogFollower('work@here');
    const redacted = new RedactedLog(redactor);
    return sizes.flatMap((size) => {
      const end = Math.min(size, bytes.length);
      const from = Math.max(follower.at ?? end - 4096, end - LOG_CHUNK_BYTES, 0);
      const piece = follower.take(from, bytes.subarray(from, end));
      return (piece && redacted.take(piece)) ?? [];
    });
  };
  const redactorOf = (secret: string): Redactor => {
    const redactor = new Redactor();
    redactor.add(new Secret(secret, 'input:password'));
    return redactor;
  };

  it('is not shown where it stands across the end of a chunk', () => {
    const log = `${'x'.repeat(LOG_CHUNK_BYTES - 10)}correct-horse-battery tail\n`;
    const given = shown(log, [10, LOG_CHUNK_BYTES, log.length, log.length], redactorOf('correct-horse-battery'));
    expect(given.join('')).toBe(`${'x'.repeat(LOG_CHUNK_BYTES - 10)}[secret] tail`);
  });

  it('is not shown, nor a part of it, wherever its log is cut or passed over', () => {
    const line = fc.string({ unit: fc.constantFrom('A', 'B', 'C', 'D'), minLength: 1, maxLength: 9 });
    const secrets = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'));
    const fill = fc.oneof(
      fc.string({ unit: fc.constantFrom('x', ' ', '\n', '€', '\r'), maxLength: 20 }),
      fc.tuple(fc.constantFrom('x', 'x y\n'), fc.nat(9000)).map(([text, times]) => text.repeat(times)),
    );
    fc.assert(
      fc.property(
        secrets.filter((secret) => secret.length >= 4),
        fc.array(fill, { minLength: 2, maxLength: 5 }),
        fc.array(fc.nat(60_000), { maxLength: 12 }),
        fc.array(fc.nat(40), { maxLength: 12 }),
        fc.boolean(),
        (secret, fills, sizes, near, isReturned) => {
          const written = isReturned ? secret.replaceAll('\n', '\r\n') : secret;
          const log = fills.join(written);
          // Anywhere, and right where the secret stands.
          const at = Buffer.byteLength(fills[0] ?? '');
          const looks = [
            ...sizes,
            ...near.map((more) => at - 10 + more),
            ...near.map((more) => at - 10 + more + LOG_CHUNK_BYTES),
          ];
          const turns = looks.filter((size) => size >= 0).sort((a, b) => a - b);
          const given = shown(log, turns, redactorOf(secret)).join('\n').replaceAll('[secret]', '');
          // Fewer than four letters are no secret, where a line of more than a chunk was cut, or the last line of the secret is so short.
          const isShort = log.split(/[\r\n]/).some((one) => one.length > 4000) || (secret.split('\n').at(-1) ?? '').length < 4;
          expect(isShort ? /[A-D]{4}/.exec(given) : /[A-D]/.exec(given)).toBeNull();
        },
      ),
      { seed: 7, numRuns: 1500 },
    );
  });

  it('is not shown in halves where a command is watched anew, from its beginning or with a gap', () => {
    const redacted = new RedactedLog(redactorOf('correct\nhorse'));
    const take = (text: string, after: 'last' | 'nothing' | 'gap') => redacted.take({ of: 'work@here', text, after });
    expect(take('a\ncorrect\n', 'nothing')).toBe('a');
    expect(take('b\ncorrect\n', 'nothing')).toBe('b');
    expect(take('horse\nc\n', 'gap')).toBe('\nc');
    expect(new RedactedLog(redactorOf('correct\nhorse')).take({ of: 'x', text: 'horse\nc\n', after: 'last' })).toBe('\nc');
  });

  it('costs nothing of the rest: all that was followed from its beginning is shown', () => {
    const log = `begins\n${'a line\n'.repeat(3000)}correct\nhorse\n${'a line\n'.repeat(3000)}`;
    const sizes = Array.from({ length: 300 }, (_, turn) => turn * 997 + 1);
    expect(shown(log, sizes, redactorOf('correct\nhorse')).join('\n')).toBe(log.replace('correct\nhorse', '[secret]').trimEnd());
  });
});
