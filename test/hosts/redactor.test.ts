import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Redactor } from '../../src/hosts/redactor.ts';
import { reveal, Secret } from '../../src/hosts/secret.ts';
import { quote } from '../../src/lib/quote.ts';
import { cutEnd, cutMiddle, headOf, lastLines, tailOf } from '../../src/lib/text.ts';

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
  hex: (value) => Buffer.from(value).toString('hex'),
  'hex in capitals': (value) => Buffer.from(value).toString('hex').toUpperCase(),
  'URL component, in small letters': (value) => encodeURIComponent(value).replace(/%../g, (coded) => coded.toLowerCase()),
  'shell word in a shell word': (value) => value.replaceAll("'", "'\\''").replaceAll("'", "'\\''"),
  'SQL identifier': (value) => value.replaceAll('"', '""'),
  XML: (value) => value.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? char),
};

const secretText = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 24 });

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

  it('finds it within base64 of more, wherever in it, in both alphabets', () => {
    fc.assert(
      fc.property(
        secretText,
        fc.uint8Array({ maxLength: 9 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.boolean(),
        (secret, before, after, url) => {
          fc.pre(Buffer.byteLength(secret) >= 9);
          const text = Buffer.concat([before, Buffer.from(secret), after]).toString(url ? 'base64url' : 'base64');
          const redacted = redactorOf(secret).redact(`<${text}>`);
          expect(redacted).toContain('[secret]');
          // No six bytes of it can be read out of what is left.
          const left = redacted
            .slice(1, -1)
            .split('[secret]')
            .map((part) => Buffer.from(part, url ? 'base64url' : 'base64').toString('latin1'));
          const bytes = Buffer.from(secret).toString('latin1');
          for (let at = 0; at + 6 <= bytes.length; at += 1)
            for (const part of left) expect(part).not.toContain(bytes.slice(at, at + 6));
        },
      ),
      { seed: 20 },
    );
  });

  it('takes out what shells, SQL and encoders really make of it', () => {
    const value = `it's a "$HOME" \\ \`id\` 50% & <é>`;
    const made = (script: string, input = value) => execFileSync('sh', ['-c', script, 'sh', value], { input, encoding: 'utf8' });
    for (const script of [
      'printf %s "$1"',
      'cat',
      'base64 -w0',
      'printf "user:%s" "$1" | base64 -w0',
      'od -An -v -tx1 | tr -d " \\n"',
      'set -x; : "$1"; exec 2>&1',
    ])
      expect(redactorOf(value).redact(made(`{ ${script}; cat >/dev/null; } 2>&1`)), script).toMatch(/\[secret\]/);
    const python =
      "import sys, json, urllib.parse, shlex, html; v = sys.stdin.read(); print(json.dumps(v)); print(urllib.parse.quote(v)); print(urllib.parse.quote(v, safe='')); print(urllib.parse.quote_plus(v)); print(shlex.quote(v)); print(html.escape(v, quote=False))";
    for (const line of execFileSync('python3', ['-c', python], { input: value, encoding: 'utf8' }).trim().split('\n'))
      expect(redactorOf(value).redact(line), line).toMatch(/^"?'?\[secret\]'?"?$/);
  });

  it('takes one of fewer than four characters only where it stands alone', () => {
    const redacted = redactorOf('abc', 'x').redact('abc abcd zabc "abc" x=1 x1 ab,abc,YWJj YWJjZA');
    expect(redacted).toBe('[secret] abcd zabc "[secret]" [secret]=1 x1 ab,[secret],[secret] YWJjZA');
  });

  it('takes out each line of one that has several, for outputs are shown in part', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\nshort\n-----END PRIVATE KEY-----';
    expect(redactorOf(key).redact('says\nMC4CAQAwBQYDK2VwBCIEIA\nshort\nmore')).toBe('says\n[secret]\nshort\nmore');
    expect(redactorOf(key).redact(`a ${key.replaceAll('\n', '\r\n')} b`)).toBe('a [secret] b');
  });

  it('leaves no half of one that was cut in two', () => {
    const secret = 'correct-horse-battery-staple';
    for (let at = 0; at < 60; at += 1) {
      const text = `${'x'.repeat(970 + at)}${secret}${'y'.repeat(5000)}`;
      const other = `${'y'.repeat(5000)}${secret}${'x'.repeat(2970 + at)}`;
      for (const whole of [text, other]) {
        const redacted = redactorOf(secret).redact(cutMiddle(whole));
        for (let from = 0; from + 4 <= secret.length; from += 1) expect(redacted).not.toContain(secret.slice(from, from + 4));
      }
    }
  });

  it('leaves nothing of one in whatever part of an output is told, wherever it was cut', () => {
    const secret = fc.string({ unit: fc.constantFrom('A', 'B', 'C', '\n'), minLength: 4, maxLength: 20 });
    const around = fc.string({ unit: fc.constantFrom('x', ' ', '\n'), maxLength: 30 });
    const isSecret = (text: string) =>
      /[A-C]/.test(text) && text === text.trim() && text.split('\n').every((line) => line.length !== 1);
    fc.assert(
      fc.property(secret.filter(isSecret), around, around, fc.nat(60), (value, before, after, at) => {
        const text = `${before} ${value}\n${after}`;
        const redactor = redactorOf(value);
        const cuts = {
          end: cutEnd(text, at),
          middle: cutMiddle(text, at + 4),
          lines: lastLines(text, 1 + (at % 9)),
          head: headOf(text.slice(0, at), at),
          tail: tailOf(text.slice(-at - 1), at),
        };
        for (const [cut, told] of Object.entries(cuts)) expect(`${cut}: ${redactor.redact(told)}`).not.toMatch(/[A-C]{4}/);
      }),
      { seed: 8, numRuns: 5000 },
    );
  });

  it('finds one that escapes stand in the midst of, as grep writes it in colours', () => {
    const text = 'a line\u001b[0m of \u001b[01;31mcorrect\u001b[m-horse';
    expect(redactorOf('correct-horse').redact(text)).toBe('a line of [secret]');
    expect(redactorOf('battery').redact(text)).toBe(text);
  });

  it('takes secrets that overlap as one', () => {
    expect(redactorOf('abcdef', 'defghi').redact('1abcdefghi2 abcdef defghi')).toBe('1[secret]2 [secret] [secret]');
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
