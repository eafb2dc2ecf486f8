import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/hosts/redactor.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import { quote } from '../../src/lib/quote.ts';

const AWKWARD = `Pa'ss "wo$rd\\:%\`é`;
const redactorOf = (...values: string[]) => {
  const redactor = new Redactor();
  for (const value of values) redactor.add(new Secret(value, 'input:password'));
  return redactor;
};

/** The forms a value takes on its way, each made by what makes it in life. */
const FORMS: { readonly [form: string]: (value: string) => string } = {
  plain: (value) => value,
  base64: (value) => Buffer.from(value).toString('base64'),
  'base64 without padding': (value) => Buffer.from(value).toString('base64').replace(/=+$/, ''),
  base64url: (value) => Buffer.from(value).toString('base64url'),
  'URL component': encodeURIComponent,
  'URL query': (value) => new URLSearchParams({ p: value }).toString().slice(2),
  'shell word': quote,
  'SQL literal': (value) => value.replaceAll("'", "''"),
  'SQL E-literal': (value) => value.replaceAll('\\', '\\\\').replaceAll("'", "''"),
  JSON: (value) => JSON.stringify(value).slice(1, -1),
  'conf file': (value) => value.replace(/[\\"$`]/g, '\\$&'),
};

describe('the redactor', () => {
  for (const [form, make] of Object.entries(FORMS)) {
    it(`takes out the form ${form}`, () => {
      const text = redactorOf(AWKWARD).redact(`before ${make(AWKWARD)} after`);
      expect(text).toBe('before [secret] after');
    });
  }

  it('leaves no form of any secret in any text', () => {
    // Short texts and parts of the word [secret] are no passwords, and cannot be told from words.
    const secret = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 24 }).filter((value) => !/[[\]]/.test(value));
    const forms = Object.values(FORMS);
    const noise = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(noise, fc.nat(2), fc.nat(forms.length - 1)), { maxLength: 8 }),
        (secrets, parts) => {
          const text = parts
            .map(([before, which, form]) => before + (forms[form]?.(secrets[which % secrets.length] ?? '') ?? ''))
            .join('');
          const redacted = redactorOf(...secrets).redact(text);
          for (const value of secrets) for (const make of forms) expect(redacted).not.toContain(make(value));
        },
      ),
    );
  });

  it('takes a secret whole when another is a part of it', () => {
    expect(redactorOf('engine', 'engine-password').redact('is engine-password, not engine')).toBe('is [secret], not [secret]');
  });

  it('reads characters of patterns as themselves', () => {
    expect(redactorOf('a.*b+(c)').redact('axxb a.*b+(c)')).toBe('axxb [secret]');
  });

  it('learns secrets later, and does nothing for an empty one', () => {
    const redactor = redactorOf('');
    expect(redactor.redact('all is well')).toBe('all is well');
    redactor.add(new Secret('well-kept', 'x'));
    expect(redactor.redact('all is well-kept')).toBe('all is [secret]');
  });

  it('goes into the texts of records, and leaves names that are used again as they are', () => {
    const redactor = redactorOf('engine1');
    const record = {
      summary: 'role engine1',
      undo: { database: 'engine1' },
      error: { message: 'no engine1', hint: 'try engine1', left: 'engine1 is there', args: ['engine1'] },
      code: 1,
      none: null,
    };
    expect(redactor.redactTexts(record)).toEqual({
      summary: 'role [secret]',
      undo: { database: 'engine1' },
      error: { message: 'no [secret]', hint: 'try [secret]', left: '[secret] is there', args: ['[secret]'] },
      code: 1,
      none: null,
    });
    expect(redactor.redactTexts({ code: 'X', message: 'engine1', hint: 'engine1', left: 'engine1' })).toEqual({
      code: 'X',
      message: '[secret]',
      hint: '[secret]',
      left: '[secret]',
    });
  });
});

describe('the lines of a file in a record', () => {
  it('are text, while those of a plan hold names that are used again', () => {
    const redactor = new Redactor();
    redactor.add(new Secret('engine', 'input:password'));
    const file = { mode: '0644', owner: 'engine', keyedHash: 'engine', lines: ['DSN=u/engine@h'] };
    const plan = { digest: 'd', lines: [{ step: 'engine', predicts: { engine: { 'fileContent(/engine)': { value: file } } } }] };
    expect(redactor.redactTexts(plan)).toEqual({
      digest: 'd',
      lines: [
        { step: 'engine', predicts: { engine: { 'fileContent(/engine)': { value: { ...file, lines: ['DSN=u/[secret]@h'] } } } } },
      ],
    });
  });
});

describe('a secret', () => {
  it('shows itself to nothing but reveal', () => {
    const secret = new Secret('hidden-value', 'step:read-conf.password');
    const shown = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true, depth: 9 })];
    shown.push(Object.keys(secret).join(), JSON.stringify(structuredClone({ ...secret })));
    for (const text of shown) expect(text).not.toContain('hidden-value');
    expect(JSON.parse(JSON.stringify(secret))).toEqual({ $secret: 'step:read-conf.password' });
    expect([reveal(secret), reveal('plain')]).toEqual(['hidden-value', 'plain']);
  });
});
