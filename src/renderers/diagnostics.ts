import type { Diagnostic } from '../errors/diagnostic.ts';
import { plural, printable } from '../lib/text.ts';
import { wrapText } from './layout.ts';
import { createPaint, type Page, type Paint } from './paint.ts';
import { shown as fit } from './shown.ts';

type Source = { readonly path: string; readonly text: string };

/** Findings about files, each with its place, the line it is about and what to do; in the order given. */
export function diagnosticsText(diagnostics: readonly Diagnostic[], sources: readonly Source[], page: Page): string {
  const paint = createPaint(page);
  const blocks = diagnostics.map((found) => oneDiagnostic(fit(found), sources, page, paint).join('\n'));
  return [...blocks, countLine(diagnostics)].join('\n\n');
}

/** `2 errors, 1 warning.` */
export function countLine(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic['severity']) => diagnostics.filter((found) => found.severity === severity).length;
  const parts = [plural(count('error'), 'error'), plural(count('warning'), 'warning')].filter((part) => !part.startsWith('0 '));
  return parts.length === 0 ? 'No errors.' : `${parts.join(', ')}.`;
}

function oneDiagnostic(found: Diagnostic, sources: readonly Source[], page: Page, paint: Paint): string[] {
  const mark = found.severity === 'error' ? paint.bad : paint.warn;
  const place = found.at ? [paint.strong(`${found.at.file}:${found.at.line}:${found.at.column}`)] : [];
  const head = `${found.severity} ${found.code}  `;
  const [first = '', ...more] = wrapText(`${head}${found.message}`, page.width);
  return [
    ...place,
    `${mark(head.trimEnd())}${first.slice(head.trimEnd().length)}`,
    ...more.map((line) => `  ${line}`),
    ...codeFrame(found, sources, page, paint),
    ...(found.hint ? [`  ${paint.command(printable(found.hint))}`] : []),
  ];
}

/** The line meant and the one before it, with a caret under what is meant. */
function codeFrame(found: Diagnostic, sources: readonly Source[], page: Page, paint: Paint): string[] {
  const { at } = found;
  const text = at && sources.find((source) => fit(source.path) === at.file)?.text;
  if (!at || text === undefined) return [];
  const lines = text.split(/\r?\n/);
  const gutter = String(at.line).length;
  // A long line is shown from where the finding is: the caret must be on the screen.
  const room = Math.max(20, page.width - gutter - 6);
  const from = at.column - 1 > room - 10 ? at.column - 11 : 0;
  const shown = (number: number) => printable((lines[number - 1] ?? '').slice(from, from + room)).replaceAll('\t', ' ');
  const before = at.line > 1 && shown(at.line - 1).trim() !== '' ? [at.line - 1] : [];
  const length = Math.max(1, Math.min(found.length ?? 1, shown(at.line).length - (at.column - 1 - from)));
  return [
    ...[...before, at.line].map((number) => paint.quiet(`  ${String(number).padStart(gutter)} | `) + shown(number)),
    `${paint.quiet(`  ${' '.repeat(gutter)} | `)}${' '.repeat(at.column - 1 - from)}${paint.bad('^'.repeat(length))}`,
  ];
}
