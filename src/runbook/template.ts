import type { Path, SourceDocument } from '../documents/document.ts';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { finding } from '../errors/finding.ts';
import type { Json } from '../lib/json.ts';
import type { Template } from './runbook.ts';

/** A piece of a text: as it is, or the inside of a `${{ }}` and where that begins in the text. */
export type TextPart = string | { readonly source: string; readonly offset: number };

/** Cuts a text at its expressions; `unclosed` is the offset of a `${{` without its end. */
export function splitText(text: string): { parts: TextPart[] } | { unclosed: number } {
  const parts: TextPart[] = [];
  let from = 0;
  for (;;) {
    const open = text.indexOf('${{', from);
    if (open === -1) break;
    const close = findClose(text, open + 3);
    if (close === -1) return { unclosed: open };
    if (open > from) parts.push(text.slice(from, open));
    const inside = text.slice(open + 3, close);
    const source = inside.trim();
    parts.push({ source, offset: open + 3 + (inside.length - inside.trimStart().length) });
    from = close + 2;
  }
  if (from < text.length || parts.length === 0) parts.push(text.slice(from));
  return { parts };
}

/** The offset of the `}}` that ends an expression: braces in its strings and maps do not. */
function findClose(text: string, from: number): number {
  let depth = 0;
  let quote = '';
  for (let index = from; index < text.length; index += 1) {
    const char = text[index] ?? '';
    if (quote) {
      if (char === '\\') index += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '{') depth += 1;
    else if (char === '}' && depth > 0) depth -= 1;
    else if (char === '}') return text[index + 1] === '}' ? index : -1;
  }
  return -1;
}

/** Makes the template of the value at `path`; what is wrong with it goes to `report`, and a literal stands in its place. */
export function readTemplate(document: SourceDocument, path: Path, value: Json, report: (found: Diagnostic) => void): Template {
  const { at } = document.place(path);
  if (Array.isArray(value))
    return { kind: 'list', at, items: value.map((item, index) => readTemplate(document, [...path, index], item, report)) };
  if (value !== null && typeof value === 'object') {
    return {
      kind: 'map',
      at,
      entries: Object.entries(value).map(([key, member]) => [key, readTemplate(document, [...path, key], member, report)]),
    };
  }
  if (typeof value !== 'string' || !value.includes('${{')) return { kind: 'literal', value, at };
  const split = splitText(value);
  if ('unclosed' in split) {
    report(finding('EXPRESSION_UNCLOSED', {}, { at: locate(document, path, value, split.unclosed, 3), length: 3 }));
    return { kind: 'literal', value, at };
  }
  const parts = split.parts.map((part) =>
    typeof part === 'string' ? part : { source: part.source, at: locate(document, path, value, part.offset, part.source.length) },
  );
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== 'string') return { kind: 'expression', ...only };
  return { kind: 'text', parts, at };
}

/**
 * The position of a piece of a scalar. Escapes and folded lines move characters, so the piece is looked for in the text of
 * the file, after as many equal pieces as precede it; the scalar's own position where it is not found as written.
 */
function locate(document: SourceDocument, path: Path, value: string, offset: number, length: number) {
  const raw = document.raw(path);
  const piece = value.slice(offset, offset + length);
  let earlier = value.slice(0, offset).split(piece).length - 1;
  let found = raw.text.indexOf(piece);
  while (earlier > 0 && found !== -1) {
    found = raw.text.indexOf(piece, found + piece.length);
    earlier -= 1;
  }
  return document.position(found === -1 || piece === '' ? raw.offset : raw.offset + found);
}
