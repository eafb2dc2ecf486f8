import { printable } from '../lib/text.ts';
import type { Diagnostic } from './diagnostic.ts';

/** The parts of a shown diagnostic, for those who colour them. */
export type DiagnosticStyle = 'place' | 'error' | 'warning' | 'code' | 'message' | 'frame' | 'caret' | 'hint';
export type Paint = (style: DiagnosticStyle, text: string) => string;

const MAX_WIDTH = 140;

/** Shows diagnostics with three lines of their source each, a caret line under what is meant, and the hint; a blank line apart. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  sources: readonly { readonly path: string; readonly text: string }[] = [],
  paint: Paint = (_style, text) => text,
): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic, sources, paint)).join('\n\n');
}

function formatDiagnostic(diagnostic: Diagnostic, sources: readonly { path: string; text: string }[], paint: Paint): string {
  const { at, severity, code, message, hint } = diagnostic;
  const lines = [`${paint(severity, severity)} ${paint('code', code)}  ${paint('message', printable(message))}`];
  if (at) {
    lines.push(`  ${paint('place', `${at.file}:${at.line}:${at.column}`)}`);
    const text = sources.find((source) => source.path === at.file)?.text;
    if (text !== undefined) lines.push(...codeFrame(text, at, diagnostic.length ?? 1, paint));
  }
  if (hint) lines.push(`  ${paint('hint', printable(hint))}`);
  return lines.join('\n');
}

/** The line meant, with the one before and the one after it, and carets under the piece meant. */
function codeFrame(text: string, at: { line: number; column: number }, length: number, paint: Paint): string[] {
  const all = text.split(/\r\n|\n|\r/);
  const gutter = String(Math.min(at.line + 1, all.length)).length;
  // A long line is shown around the column; all three lines lose the same part, so that they stay aligned.
  const skipped = at.column > MAX_WIDTH - 20 ? at.column - 60 : 0;
  const shown: string[] = [];
  for (let number = Math.max(1, at.line - 1); number <= Math.min(all.length, at.line + 1); number += 1) {
    // One character stays one column: tabs and control characters would move the carets.
    const line = [...(all[number - 1] ?? '').slice(skipped, skipped + MAX_WIDTH)]
      .map((char) => (printable(char) === char && char !== '\t' ? char : ' '))
      .join('');
    shown.push(paint('frame', `  ${number === at.line ? '>' : ' '} ${String(number).padStart(gutter)} | ${line}`.trimEnd()));
    if (number !== at.line) continue;
    const start = at.column - 1 - skipped;
    const width = Math.max(1, Math.min(length, (all[number - 1] ?? '').length - at.column + 1, MAX_WIDTH - start));
    shown.push(`  ${' '.repeat(gutter + 2)} ${paint('frame', '|')} ${' '.repeat(start)}${paint('caret', '^'.repeat(width))}`);
  }
  return shown;
}
