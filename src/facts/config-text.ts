/** One conf file: its path and its whole text. */
export interface ConfigSource {
  readonly path: string;
  readonly text: string;
}

export interface ConfigReading {
  readonly values: ReadonlyMap<string, string>;
  /** The first line that cannot be read, at which oVirt's programs refuse to start; null when all can. */
  readonly problem: { readonly path: string; readonly line: number; readonly why: string } | null;
}

const ASSIGNMENT = /^\s*(\w+)=(.*)$/;
const MALFORMED = 'Malformed variable assignment';

/**
 * The effective values of `KEY=value` files read one after the other, as oVirt's programs (and sysconfig's, for plain values)
 * read them: later wins, `${NAME}` takes the value NAME has so far, once, while the line is read.
 */
export function readConfig(sources: readonly ConfigSource[]): ConfigReading {
  const values = new Map<string, string>();
  for (const { path, text } of sources) {
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (/^\s*(#.*)?$/.test(line)) continue;
      const [, key, raw = ''] = ASSIGNMENT.exec(line) ?? [];
      const read = key === undefined ? null : expandValue(raw, values);
      if (key === undefined || read === null)
        return { values, problem: { path, line: index + 1, why: key === undefined ? 'Invalid syntax' : MALFORMED } };
      values.set(key, read);
    }
  }
  return { values, problem: null };
}

/** Reads what stands right of `=`; null for a `$` that starts no `${NAME}`. */
export function expandValue(raw: string, values: ReadonlyMap<string, string>): string | null {
  let text = '';
  let quoted = false;
  for (let index = 0; index < raw.length; index += 1) {
    const letter = raw[index];
    if (letter === '\\') {
      index += 1;
      text += raw[index] ?? '';
    } else if (letter === '$') {
      const end = raw.indexOf('}', index + 2);
      if (raw[index + 1] !== '{' || end < 0) return null;
      text += values.get(raw.slice(index + 2, end)) ?? '';
      index = end;
    } else if (letter === '"') {
      quoted = !quoted;
    } else if (!quoted && (letter === ' ' || letter === '#')) {
      return text;
    } else {
      text += letter;
    }
  }
  return text;
}

/** Writes a value so that oVirt's readers and a POSIX shell read it back as it is; null when it holds a line break or NUL. */
export function quoteValue(value: string): string | null {
  if (/[\0\r\n]/.test(value)) return null;
  return `"${value.replace(/[\\"$`]/g, '\\$&')}"`;
}

export interface ConfigEdit {
  readonly key: string;
  /** What stood right of `=`, undefined when the key is new. */
  readonly before: string | undefined;
  readonly after: string;
}

/**
 * Sets keys in the text of one file and leaves every other byte as it is. A key that is there already with that value is left
 * alone; of several lines with one key the last is changed, because the last one counts; a new key goes to the end.
 */
export function setConfig(
  text: string,
  wanted: readonly (readonly [key: string, value: string])[],
): { text: string; edits: ConfigEdit[] } {
  const edits: ConfigEdit[] = [];
  const lines = text.split('\n');
  for (const [key, value] of wanted) {
    const after = quoteValue(value) ?? '';
    const line = `${key}=${after}`;
    const index = lines.findLastIndex((line) => ASSIGNMENT.exec(line.replace(/\r$/, ''))?.[1] === key);
    const old = lines[index];
    if (old === undefined) {
      edits.push({ key, before: undefined, after });
      // The text after the last newline is the last member: empty in a file that ends with one.
      if (lines.at(-1) === '') lines.splice(-1, 0, line);
      else lines.push(line, '');
      continue;
    }
    const raw = ASSIGNMENT.exec(old.replace(/\r$/, ''))?.[2] ?? '';
    if (expandValue(raw, readConfig([{ path: '', text: lines.slice(0, index).join('\n') }]).values) === value) continue;
    edits.push({ key, before: raw.trim(), after });
    lines[index] = `${line}${old.endsWith('\r') ? '\r' : ''}`;
  }
  return { text: lines.join('\n'), edits };
}
