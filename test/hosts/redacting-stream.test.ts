import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedactingStream } from '../../src/hosts/redacting-stream.ts';
import { Redactor } from '../../src/hosts/redactor.ts';
import { Secret } from '../../src/hosts/secret.ts';
import { quote } from '../../src/lib/quote.ts';

const redactorOf = (...values: string[]) => {
  const redactor = new Redactor();
  for (const value of values) redactor.add(new Secret(value, 'input:password'));
  return redactor;
};
const through = (redactor: Redactor, chunks: readonly (string | Uint8Array)[]) => {
  const stream = new RedactingStream(redactor);
  return chunks.map((chunk) => stream.push(chunk)).join('') + stream.end();
};

describe('a log that comes in pieces', () => {
  it('is redacted as the whole would be, wherever it is cut', () => {
    // Few letters, so that secrets overlap, repeat and contain one another; with those that patterns and encodings care about.
    const letter = fc.constantFrom('a', 'b', '.', '*', '$', "'", '\\', '\n', 'é', '🚢', ' ');
    const secret = fc.string({ unit: letter, minLength: 1, maxLength: 9 });
    const forms = [
      (value: string) => value,
      quote,
      encodeURIComponent,
      (value: string) => Buffer.from(value).toString('base64'),
      (value: string) => Buffer.from(`x${value}yz`).toString('base64'),
      (value: string) => value.slice(0, -1),
      (value: string) => value.slice(1),
    ];
    const part = fc.oneof(fc.string({ unit: letter, maxLength: 4 }), fc.tuple(fc.nat(2), fc.nat(forms.length - 1)));
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(part, { maxLength: 9 }),
        fc.array(fc.nat(60), { maxLength: 9 }),
        (secrets, parts, cuts) => {
          const text = parts
            .map((one) => (typeof one === 'string' ? one : (forms[one[1]]?.(secrets[one[0] % secrets.length] ?? '') ?? '')))
            .join('')
            .toWellFormed();
          const redactor = redactorOf(...secrets);
          const bytes = Buffer.from(text);
          const places = [0, ...cuts.filter((at) => at < bytes.length).sort((a, b) => a - b), bytes.length];
          const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to));
          expect(through(redactor, chunks)).toBe(redactor.redact(text));
          // One byte at a time, as the slowest link would bring it.
          expect(
            through(
              redactor,
              [...bytes].map((byte) => Uint8Array.of(byte)),
            ),
          ).toBe(redactor.redact(text));
        },
      ),
      { seed: 8, numRuns: 1000 },
    );
  });

  it('is not held back for what can be no secret', () => {
    const stream = new RedactingStream(redactorOf('correct-horse'));
    expect(stream.push('a whole line\n')).toBe('a whole line\n');
    expect(stream.push('the corr')).toBe('the ');
    expect(stream.push('ect-horse\nand')).toBe('[secret]\nan');
    expect(stream.end()).toBe('d');
  });

  it('holds no more than a secret is long, however much comes', () => {
    const stream = new RedactingStream(redactorOf('aaaaaaaa'));
    const given = stream.push('a'.repeat(100_000)) + stream.push('a'.repeat(100_000)) + stream.push('b');
    expect(given + stream.end()).toBe('[secret]b');
  });

  it('is given at once where there is no secret', () => {
    expect(new RedactingStream(redactorOf()).push('all of it')).toBe('all of it');
  });
});
