import { CUT, printable } from '../lib/text.ts';
import type { Secret } from './secret.ts';
import { type Form, formsOf } from './secret-forms.ts';

const TEXT_KEYS = new Set([
  'summary',
  'undoSummary',
  'error',
  'hint',
  'left',
  'stdout',
  'stderr',
  'question',
  'why',
  'kept',
  'diff',
  'message',
  'text',
  'note',
  'log',
]);

const MASK = '[secret]';
const WORD = /[\p{L}\p{N}]/u;
const BASE64 = /[A-Za-z0-9+/_=-]/;
/** Of a secret that was cut in two, a shorter end is not looked for: it stands elsewhere by chance. */
const END = 4;

/** A piece of a text: from the first to before the second place. */
export type Span = readonly [from: number, to: number];

/** Takes secrets, and the forms they take on the way (`secret-forms.ts`), out of text. */
export class Redactor {
  readonly #forms = new Map<string, Form>();

  add(secret: Secret): void {
    for (const form of formsOf(secret.reveal())) {
      const known = this.#forms.get(form.text);
      if (!known || known.alone) this.#forms.set(form.text, form);
    }
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    const shown = masked(text, this.#allSpans(text));
    // What escapes stand in the midst of is put together again where it is shown.
    const plain = printable(shown);
    const hidden = plain === shown ? [] : this.#allSpans(plain);
    return hidden.length === 0 ? shown : masked(plain, hidden);
  }

  #allSpans(text: string): Span[] {
    return merged([...this.spansOf(text), ...this.#atCuts(text)]);
  }

  /**
   * Where secrets stand, from left to right, each span whole; what overlaps is one. `before` is what came before the text; when
   * there is `more` to come, what only the next letter tells does not count yet.
   */
  spansOf(text: string, before = '', more = false): Span[] {
    const spans: Span[] = [];
    const touches = (char: string | undefined) => char !== undefined && WORD.test(char);
    for (const { text: form, alone, wide } of this.#forms.values()) {
      for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
        const to = at + form.length;
        if (alone && ((more && to === text.length) || touches(at === 0 ? before.at(-1) : text[at - 1]) || touches(text[to])))
          continue;
        spans.push(
          wide ? [at - (BASE64.test(text[at - 1] ?? '') ? 1 : 0), to + (BASE64.test(text[to] ?? '') ? 1 : 0)] : [at, to],
        );
      }
    }
    return merged(spans);
  }

  /** From where on the end of a text may be the beginning of a secret; the length of the text when nothing there can. */
  openFrom(text: string): number {
    let from = text.length;
    let isWide = false;
    for (const { text: form, alone, wide } of this.#forms.values()) {
      isWide ||= wide;
      // Whether a whole one counts, and how far it goes, the next letter tells.
      const most = Math.min(form.length - (alone || wide ? 0 : 1), text.length);
      for (let length = most; length > 0 && text.length - length < from; length -= 1)
        if (form.startsWith(text.slice(text.length - length))) from = text.length - length;
    }
    return isWide && BASE64.test(text[from - 1] ?? '') ? from - 1 : from;
  }

  /** Whether all of a text may stand in the midst of a secret. */
  mayBeWithin(text: string): boolean {
    return [...this.#forms.keys()].some((form) => form.includes(text));
  }

  /** How much of the beginning of a text is the end of a secret: of one that was cut in two, or its last lines, however short. */
  restAtBeginning(text: string): number {
    let most = 0;
    for (const { text: form, wide } of this.#forms.values()) {
      for (let length = Math.min(form.length - 1, text.length); length > most; length -= 1) {
        const areLines = form.at(-length - 1) === '\n' && (text[length] ?? '\n') === '\n';
        if ((length >= END || areLines) && text.startsWith(form.slice(-length)))
          most = length + (wide && BASE64.test(text[length] ?? '') ? 1 : 0);
      }
    }
    return most;
  }

  /** The halves of secrets that stand beside what was left out of a text. */
  #atCuts(text: string): Span[] {
    return [...text.matchAll(CUT)].flatMap(({ index, 0: mark }) => {
      const [left, right] = [text.slice(0, index), text.slice(index + mark.length)];
      const spans: Span[] = [];
      for (const { text: form } of this.#forms.values()) {
        for (let length = form.length - 1; length >= END; length -= 1) {
          if (left.endsWith(form.slice(0, length))) spans.push([index - length, index]);
        }
      }
      const rest = this.restAtBeginning(right);
      if (rest > 0) spans.push([index + mark.length, index + mark.length + rest]);
      return spans;
    });
  }

  /**
   * Redacts the free texts of a record or event: what stands under a key that holds words for people or output of commands.
   * Names, paths and other values that are used again stay as they are: a database may well be called what its password is,
   * and an undo with `[secret]` for a name would undo nothing. Secrets reach those places as `Secret` only.
   */
  redactTexts<T>(value: T, within = false): T {
    if (typeof value === 'string') return (within ? this.redact(value) : value) as T;
    if (Array.isArray(value)) return value.map((member: unknown) => this.redactTexts(member, within)) as T;
    if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
      // The lines of a file that was read are text too; those of a plan are not.
      const isText = (key: string) => TEXT_KEYS.has(key) || (key === 'lines' && 'keyedHash' in value);
      return Object.fromEntries(
        Object.entries(value).map(([key, member]) => [key, this.redactTexts(member as unknown, within || isText(key))]),
      ) as T;
    }
    return value;
  }
}

/** Puts the mask in place of each span. */
export function masked(text: string, spans: readonly Span[]): string {
  let shown = '';
  let at = 0;
  for (const [from, to] of spans) {
    shown += text.slice(at, from) + MASK;
    at = to;
  }
  return shown + text.slice(at);
}

function merged(spans: Span[]): Span[] {
  const whole: [number, number][] = [];
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
    const last = whole.at(-1);
    if (last && from < last[1]) last[1] = Math.max(last[1], to);
    else whole.push([from, to]);
  }
  return whole;
}
