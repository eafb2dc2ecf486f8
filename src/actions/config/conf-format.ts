import { type ConfigSource, quoteValue, readConfig, setConfig } from '../../facts/config-text.ts';
import { iniFormat } from './ini-text.ts';
import { yamlFormat } from './yaml-text.ts';

export type ConfValue = string | number | boolean;

/** What becomes of one key: what stands for its value in the file; `before` is undefined when the key is new. */
export interface ValueEdit {
  readonly key: string;
  readonly before: string | undefined;
  readonly after: string;
}

export interface Reading {
  readonly values: ReadonlyMap<string, ConfValue>;
  /** Where and why a file cannot be read; null when all can. */
  readonly problem: { readonly path: string; readonly line: number; readonly why: string } | null;
}

/** One way to write conf files: how values are read, and set with every other byte left as it is. */
export interface ConfFormat {
  /** What a file of it is called in a message. */
  readonly title: string;
  /** What stands between a key and its value in a diff. */
  readonly sign: string;
  /** A line with the groups `key` and `value`, for a diff of lines. */
  readonly line: RegExp;
  /** Why there cannot be such a key, or null. */
  wrongKey(key: string): string | null;
  /** Why this value cannot be written, or null. */
  wrongValue(value: ConfValue): string | null;
  /** The values of files read one after the other; later wins. */
  read(sources: readonly ConfigSource[]): Reading;
  /** The text with the values set, or why that cannot be. */
  set(
    text: string,
    wanted: readonly (readonly [key: string, value: ConfValue])[],
  ): { readonly text: string; readonly edits: readonly ValueEdit[] } | { readonly refused: string };
}

export const FORMAT_NAMES = ['shell', 'ini', 'yaml'] as const;

/** The format by its name; `section` is that of an ini file. */
export function confFormat({
  format,
  section,
}: {
  format: (typeof FORMAT_NAMES)[number];
  section?: string | undefined;
}): ConfFormat {
  return format === 'yaml' ? yamlFormat : format === 'ini' ? iniFormat(section) : shellFormat;
}

export const shellFormat: ConfFormat = {
  title: 'KEY="value"',
  sign: '=',
  line: /^\s*(?<key>\w+)=(?<value>.*?)\s*$/,
  wrongKey: (key) => (/^\w+$/.test(key) ? null : 'a key has letters, digits and _ only'),
  wrongValue: (value) =>
    typeof value === 'boolean'
      ? 'it is true or false without quotes: write the text the program expects, such as "true"'
      : quoteValue(String(value)) === null
        ? 'it holds a line break'
        : null,
  read: readConfig,
  set: (text, wanted) =>
    setConfig(
      text,
      wanted.map(([key, value]) => [key, String(value)]),
    ),
};
