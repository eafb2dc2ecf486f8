/** A member of a map by its name, or of a list by its number. */
export type Segment = string | number;

const PART = /\.?"((?:[^"\\]|\\.)*)"|\.?([^.[\]"]+)|\[(\d+)\]/y;

/** Reads `datasources[0].url`; a name with a dot, a bracket or a quote in it stands in double quotes. Null for anything else. */
export function parseYamlPath(text: string): Segment[] | null {
  const segments: Segment[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const first = PART.lastIndex === 0;
    const found = PART.exec(text);
    if (!found || (first ? text.startsWith('.') : found[3] === undefined && !found[0].startsWith('.'))) return null;
    const [, quoted, plain, number] = found;
    segments.push(number === undefined ? (plain ?? unescaped(quoted ?? '')) : Number(number));
  }
  return segments.length === 0 ? null : segments;
}

/** The path as `parseYamlPath` reads it. */
export function formatYamlPath(segments: readonly Segment[]): string {
  return segments
    .map((segment, index) => {
      if (typeof segment === 'number') return `[${segment}]`;
      const name = /^[^.[\]"]+$/.test(segment) ? segment : `"${segment.replace(/["\\]/g, '\\$&')}"`;
      return index === 0 ? name : `.${name}`;
    })
    .join('');
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
