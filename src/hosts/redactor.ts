import { quote } from '../lib/quote.ts';
import type { Secret } from './secret.ts';

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
]);

/** Takes secrets, and the forms they take on the way (base64, URL, shell, SQL, JSON, conf file), out of text. */
export class Redactor {
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  add(secret: Secret): void {
    const value = secret.reveal();
    if (value === '') return;
    const before = this.#forms.size;
    for (const form of formsOf(value)) this.#forms.add(form);
    if (this.#forms.size !== before) this.#pattern = undefined;
  }

  redact(text: string): string {
    if (this.#forms.size === 0) return text;
    this.#pattern ??= new RegExp(
      // Longest first, so that a form which contains another is taken whole.
      [...this.#forms]
        .sort((a, b) => b.length - a.length)
        .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('|'),
      'g',
    );
    return text.replace(this.#pattern, '[secret]');
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

function formsOf(value: string): string[] {
  const base64 = Buffer.from(value, 'utf8').toString('base64');
  const doubled = value.replaceAll("'", "''");
  return [
    value,
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(value, 'utf8').toString('base64url'),
    encodeURIComponent(value.toWellFormed()),
    new URLSearchParams({ '': value }).toString().slice(1),
    quote(value),
    doubled,
    doubled.replaceAll('\\', '\\\\'),
    JSON.stringify(value).slice(1, -1),
    value.replace(/[\\"$`]/g, '\\$&'),
  ];
}
