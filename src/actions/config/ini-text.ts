import type { ConfFormat, ConfValue, ValueEdit } from './conf-format.ts';

const HEADER = /^\[([^\]]+)\]\s*$/;
const LINE = /^(?<key>[^\s#;=:[][^=:]*?)(?<sign>\s*[=:]\s*)(?<value>.*?)\s*$/;

/** Lines that belong to one key: the first, and how many follow that only go on with its value. */
interface Entry {
  readonly key: string;
  readonly value: string;
  readonly at: number;
  readonly length: number;
}

interface Section {
  readonly entries: readonly Entry[];
  /** The line before which a new key goes; null when there is no such section. */
  readonly end: number | null;
}

/**
 * Ini files as Python's configparser reads them, otopi's among them: sections, `key=value`, comments after # or ; at the
 * beginning of a line, values that go on in indented lines. Values are taken as they stand, without quotes or expansion.
 */
export function iniFormat(section: string | undefined): ConfFormat {
  return {
    title: 'ini',
    sign: '=',
    line: LINE,
    wrongKey: (key) => (LINE.exec(`${key}=`)?.[1] === key ? null : 'no line of an ini file can begin with it'),
    wrongValue: (value) =>
      typeof value === 'boolean'
        ? 'it is true or false without quotes: write the text the program expects, such as "bool:True"'
        : /[\0\r\n]/.test(String(value))
          ? 'it holds a line break'
          : String(value).trim() !== String(value)
            ? 'it begins or ends with a blank, which readers take away'
            : null,
    read(sources) {
      const values = new Map<string, ConfValue>();
      for (const { text } of sources)
        for (const { key, value } of sectionOf(text.split(/\r?\n/), section).entries) values.set(key, value);
      return { values, problem: null };
    },
    set(text, wanted) {
      const edits: ValueEdit[] = [];
      const lines = text.split('\n');
      const eol = lines[0]?.endsWith('\r') ? '\r' : '';
      for (const [key, given] of wanted) {
        const value = String(given);
        const { entries, end } = sectionOf(
          lines.map((line) => line.replace(/\r$/, '')),
          section,
        );
        const entry = entries.findLast((one) => one.key === key);
        if (entry?.value === value) continue;
        edits.push({ key, before: entry?.value, after: value });
        if (entry) {
          const { key: name = key, sign = '=' } = LINE.exec(lines[entry.at] ?? '')?.groups ?? {};
          lines.splice(entry.at, entry.length, `${name}${sign}${value}${eol}`);
        } else if (end !== null) lines.splice(end, 0, `${key}=${value}${eol}`);
        else appendSection(lines, section ?? '', `${key}=${value}`, eol);
      }
      return { text: lines.join('\n'), edits };
    },
  };
}

/** The entries of a section, of all of its parts when it stands there more than once; undefined is what stands before any. */
function sectionOf(lines: readonly string[], wanted: string | undefined): Section {
  const entries: Entry[] = [];
  let current: string | undefined;
  let end = wanted === undefined ? 0 : null;
  for (const [at, line] of lines.entries()) {
    const header = HEADER.exec(line)?.[1];
    if (header !== undefined) current = header;
    if (current !== wanted) continue;
    const before = entries.at(-1);
    if (header === undefined && /^\s+\S/.test(line) && before && before.at + before.length === at) {
      entries[entries.length - 1] = { ...before, value: `${before.value}\n${line.trim()}`, length: before.length + 1 };
      end = at + 1;
      continue;
    }
    const { key, value = '' } = LINE.exec(line)?.groups ?? {};
    if (key !== undefined) entries.push({ key, value, at, length: 1 });
    if (line.trim() !== '') end = at + 1;
  }
  return { entries, end };
}

/** Adds a section with its first key behind the last line. */
function appendSection(lines: string[], section: string, line: string, eol: string): void {
  const last = lines.at(-1) === '' ? lines.pop() : undefined;
  if (last === undefined && lines.length > 0) lines[lines.length - 1] += eol;
  lines.push(`[${section}]${eol}`, `${line}${eol}`, '');
}
