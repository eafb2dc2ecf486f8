import type { Json } from '../lib/json.ts';

/** JSON as YAML that can be pasted, a line each: what is flat on one line, and every text that YAML could misread in quotes. */
export function yamlLines(value: Json): string[] {
  if (isFlat(value)) return [flowText(value)];
  if (Array.isArray(value))
    return value.flatMap((inner) => yamlLines(inner).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`));
  return Object.entries(value as { [key: string]: Json }).flatMap(([name, inner]) =>
    isFlat(inner) ? [`${flowText(name)}: ${flowText(inner)}`] : [`${flowText(name)}:`, ...indented(yamlLines(inner))],
  );
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function isFlat(value: Json): boolean {
  if (value === null || typeof value !== 'object') return true;
  return Array.isArray(value) ? value.every(isFlat) : Object.keys(value).length === 0;
}

/** A value on one line, in quotes where it must be. */
export function flowText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  const isPlain =
    typeof value === 'string' && /^[A-Za-z/][A-Za-z0-9_./@-]*$/.test(value) && !/^(true|false|null|yes|no|on|off)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
