import { randomBytes } from 'node:crypto';

/** A secret that is made to be looked for. */
export interface Canary {
  readonly name: string;
  readonly secret: string;
  /** Parts of it without a character that any quoting would change. */
  readonly words: readonly string[];
}

/** A password of its own for each call, with every character that a shell, SQL, JSON, a URL, base64 or a conf file writes in another way. */
export function newCanary(name: string): Canary {
  const word = () => `K${randomBytes(8).toString('hex')}`;
  const [first, last] = [word(), word()];
  return { name, secret: `${first} it's "$HOME" \\back:100% \`x\` #;&<ü>+/????= ${last}`, words: [first, last] };
}

const bytes = (text: string) => Buffer.from(text, 'utf8');
const doubled = (text: string) => text.replaceAll("'", "''");
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);

/** How a secret may be written, each under its name. */
export const FORMS: Readonly<Record<string, (text: string) => string>> = {
  plain: (text) => text,
  base64: (text) => bytes(text).toString('base64'),
  base64url: (text) => bytes(text).toString('base64url'),
  'in a URL': encodeURIComponent,
  'in a form': (text) => new URLSearchParams({ '': text }).toString().slice(1),
  'every byte in a URL': (text) => bytes(text).toString('hex').toUpperCase().replaceAll(/../g, '%$&'),
  'in shell quotes': (text) => `'${text.replaceAll("'", "'\\''")}'`,
  'in double quotes': (text) => text.replaceAll(/[\\"$`]/g, '\\$&'),
  'in SQL': doubled,
  'in SQL with escapes': (text) => doubled(text).replaceAll('\\', '\\\\'),
  'in JSON': inJson,
  'in JSON in JSON': (text) => inJson(inJson(text)),
  'in ASCII JSON': (text) => inJson(text).replaceAll('ü', '\\u00fc'),
  'in HTML': (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
  hex: (text) => bytes(text).toString('hex'),
  'capital hex': (text) => bytes(text).toString('hex').toUpperCase(),
};

/** The three ways base64 writes a word inside a longer text, without the characters that its neighbours have a part in. */
export function inBase64(word: string): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes(word)]);
    return text.toString('base64').slice(Math.ceil((before * 4) / 3), Math.floor((text.length * 4) / 3));
  });
}

/** What to look for: every form of every canary, and of its words, with what it is. */
export function needlesOf(canaries: readonly Canary[]): ReadonlyMap<string, { canary: string; form: string }> {
  const needles = new Map<string, { canary: string; form: string }>();
  const add = (canary: Canary, needle: string, form: string) => {
    if (!needles.has(needle)) needles.set(needle, { canary: canary.name, form });
  };
  for (const canary of canaries) {
    for (const [form, write] of Object.entries(FORMS)) add(canary, write(canary.secret), form);
    for (const word of canary.words) {
      for (const [form, write] of Object.entries(FORMS)) add(canary, write(word), `a word, ${form}`);
      for (const needle of inBase64(word)) add(canary, needle, 'a word, inside base64');
    }
  }
  return needles;
}
