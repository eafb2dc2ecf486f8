import type { LineFault } from './backup-config.ts';
import type { HashList } from './backup-layout.ts';

const DIGITS: Readonly<Record<HashList, number>> = { sha256sum: 64, md5sum: 32 };

/** The lines of `sha256sum` or `md5sum`, hash by name. A name with a backslash or newline is written with escapes, after a backslash. */
export function parseHashList(
  text: string,
  list: HashList,
): { readonly hashes: ReadonlyMap<string, string>; readonly faults: readonly LineFault[] } {
  const hashes = new Map<string, string>();
  const faults: LineFault[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const found = /^(\\?)([0-9a-f]+) [ *](.+)$/.exec(line);
    const [, escaped, hash = '', written = ''] = found ?? [];
    const name = (escaped ? written.replace(/\\(.)/g, (_, char) => (char === 'n' ? '\n' : char)) : written).replace(
      /^(\.\/)+/,
      '',
    );
    if (hash.length !== DIGITS[list]) faults.push({ line: index + 1, why: `it is no line of ${list}` });
    else if (hashes.has(name)) faults.push({ line: index + 1, why: `${name} is listed twice` });
    else hashes.set(name, hash);
  }
  return { hashes, faults };
}
