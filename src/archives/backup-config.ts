/** A line of `config` or of a list of hashes that is refused. */
export interface LineFault {
  /** From 1. */
  readonly line: number;
  readonly why: string;
}

// engine-backup writes these and no others, and sources the file as root: anything else would be run by it.
const NAME = /^([A-Z][A-Z0-9]*_)*DB_DUMP_(FORMAT|COMPRESSOR)$/;
const WORD = /^(?:[A-Za-z0-9]*|"[A-Za-z0-9]*"|'[A-Za-z0-9]*')$/;
const VALUES: Readonly<Record<string, readonly string[]>> = {
  FORMAT: ['plain', 'custom'],
  COMPRESSOR: ['', 'None', 'gzip', 'bzip2', 'xz'],
};

/** Reads `config` as data: assignments of formats and compressors. Whatever else a shell would understand is refused with its line. */
export function parseBackupConfig(text: string): {
  readonly values: ReadonlyMap<string, string>;
  readonly faults: readonly LineFault[];
} {
  const values = new Map<string, string>();
  const faults: LineFault[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const cut = line.indexOf('=');
    const name = line.slice(0, Math.max(0, cut));
    const word = line.slice(cut + 1);
    const value = word.replace(/^(["'])(.*)\1$/, '$2');
    const refuse = (why: string) => faults.push({ line: index + 1, why });
    if (cut < 0 || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) refuse('it is no assignment');
    else if (!NAME.test(name)) refuse(`${name} is nothing engine-backup writes there`);
    else if (!WORD.test(word)) refuse('a shell would do more with its value than take it');
    else if (!VALUES[name.slice(name.lastIndexOf('_') + 1)]?.includes(value)) refuse(`${value} is no such thing`);
    else values.set(name, value === 'None' ? '' : value);
  }
  return { values, faults };
}
