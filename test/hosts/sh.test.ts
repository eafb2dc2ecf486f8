import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinSh, sh } from '../../src/hosts/sh.ts';
import { quote } from '../../src/lib/quote.ts';

// Characters that mean something to a shell come often; any other may come too. No program's argument can hold NUL.
const awkward = fc.constantFrom(
  "'",
  '"',
  '$',
  '`',
  '\\',
  '\n',
  ' ',
  '\t',
  '!',
  '*',
  '~',
  '#',
  ';',
  '&',
  '|',
  '%',
  '-',
  '(',
  '\r',
);
const word = fc
  .array(fc.oneof(awkward, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 12 })
  .map((parts) => parts.join('').replaceAll('\0', ''));

/** What a shell makes of a script, byte by byte. */
function printed(script: string): string {
  const { stdout, stderr, status } = spawnSync('sh', ['-c', script]);
  if (status !== 0) throw new Error(stderr.toString());
  return stdout.toString('utf8');
}

describe('quoting for the shell', () => {
  it('gives back every text as one word', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        // An end mark a word, because command lines are bounded and processes are slow to start.
        const script = sh`for w in ${words}; do printf '%s\\001' "$w"; done`;
        expect(printed(script.text)).toBe(words.map((one) => `${one}\u0001`).join(''));
      }),
      { numRuns: 60 },
    );
  });

  it('survives being quoted again and again, as a script within a script is', () => {
    fc.assert(
      fc.property(word, (text) => {
        const inner = sh`printf %s ${text}`;
        const outer = sh`sh -c ${sh`sh -c ${inner.text}`.text}`;
        expect(printed(outer.text)).toBe(text);
      }),
      { numRuns: 25 },
    );
  });

  it('leaves plain words as they are and quotes an empty one', () => {
    expect(quote('/etc/ovirt-engine/engine.conf')).toBe('/etc/ovirt-engine/engine.conf');
    expect(quote('')).toBe("''");
    expect(quote(15)).toBe('15');
    expect(quote("it's")).toBe(`'it'\\''s'`);
  });

  it('refuses a NUL, which no argument can hold', () => {
    expect(() => quote('a\0b')).toThrow('NUL');
  });

  it('puts pieces of shell in as they are, and only those', () => {
    const piece = sh`echo ${'a b'}`;
    expect(sh`${piece} && ${'rm -rf /'}`.text).toBe("echo 'a b' && 'rm -rf /'");
    expect(joinSh([sh`a`, sh`b`]).text).toBe('a\nb');
    expect(sh`x ${['a', 'b c', sh`$d`]}`.text).toBe("x a 'b c' $d");
  });
});
