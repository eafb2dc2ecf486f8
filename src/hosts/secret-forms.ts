import { printable } from '../lib/text.ts';

/** A text in which a secret may stand, and how it is looked for. */
export interface Form {
  readonly text: string;
  /** Counts only where no letter or digit touches it: it is so short that it stands in many words by chance. */
  readonly alone: boolean;
  /** The letters before and after it are of the secret too, in part: it is the middle of base64 that holds more. */
  readonly wide: boolean;
}

/** A secret of fewer characters is no secret; it is taken out where it stands alone, and nowhere else. */
const SHORT = 4;
/** A shorter piece of a secret, such as a line of it, stands elsewhere by chance. */
const PIECE = 8;

/** The texts a secret becomes on its way through shells, SQL, URLs, JSON, XML and encodings; each once, the empty secret none. */
export function formsOf(value: string): Form[] {
  if (value === '') return [];
  const found = new Map<string, Form>();
  const isShort = value.length < SHORT;
  const add = (text: string, wide = false) => {
    if (text !== '' && !found.has(text)) found.set(text, { text, alone: isShort || text.length < SHORT, wide });
  };
  // As it is shown, too: what is not seen is taken out before secrets are looked for.
  const lines = value.replaceAll(/\r\n?/g, '\n');
  const shown = [lines, value.trim(), lines.trim(), lines.trim().replaceAll('\n', ' ')].flatMap((one) => [one, printable(one)]);
  for (const one of [value, value.normalize('NFC'), value.normalize('NFD'), value.replaceAll('\n', '\r\n'), ...shown])
    for (const text of written(one)) add(text);
  for (const text of encoded(value)) add(text);
  // What shows some lines of an output shows part of a secret that has several.
  for (const line of value.split(/\r?\n/))
    if (line.length >= PIECE) for (const text of [...written(line), ...encoded(line)]) add(text);
  if (!isShort) for (const text of insideBase64(Buffer.from(value, 'utf8'))) if (text.length >= PIECE) add(text, true);
  return [...found.values()];
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The value as it is written between other text. */
function written(value: string): string[] {
  const doubled = value.replaceAll("'", "''");
  const inShell = value.replaceAll("'", "'\\''");
  const json = JSON.stringify(value).slice(1, -1);
  return [
    value,
    inShell,
    value.replaceAll("'", `'"'"'`),
    // The same within a shell text that is itself quoted.
    inShell.replaceAll("'", "'\\''"),
    `'${inShell}'`,
    value.replace(/[^A-Za-z0-9_@%+=:,./-]/gu, '\\$&'),
    doubled,
    doubled.replaceAll('\\', '\\\\'),
    value.replaceAll('"', '""'),
    json,
    JSON.stringify(json).slice(1, -1),
    json.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    value.replace(/[\\"$`]/g, '\\$&'),
    // XML and HTML leave quotes alone where they may.
    ...['&<>', '&<>"', '&<>"\''].map((chars) =>
      value.replace(/[&<>"']/g, (char) => (chars.includes(char) ? (ENTITIES[char] ?? char) : char)),
    ),
  ];
}

/** The value as one piece of another alphabet. */
function encoded(value: string): string[] {
  const bytes = Buffer.from(value, 'utf8');
  const base64 = bytes.toString('base64');
  const component = encodeURIComponent(value.toWellFormed());
  const strict = component.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = new URLSearchParams({ '': value }).toString().slice(1);
  const lower = (text: string) => text.replace(/%[0-9A-F]{2}/g, (coded) => coded.toLowerCase());
  const hex = bytes.toString('hex');
  return [
    ...[base64, base64.replace(/=+$/, ''), bytes.toString('base64url')],
    ...[component, strict, query, lower(component), lower(strict), lower(query)],
    ...[hex, hex.toUpperCase(), hex.toUpperCase().replace(/../g, '%$&')],
  ];
}

/** What is the same in every base64 text that holds the bytes among others: one for each place in a group of three, in both alphabets. */
function insideBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // Letters that a neighbour has a hand in are not the same everywhere.
    const core = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
