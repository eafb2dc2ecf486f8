import type { ProofLine } from '../engine/events.ts';
import { plural } from '../lib/text.ts';
import { oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** What a rollback proved: how many state facts are as before, and each that was kept on purpose or differs. */
export function proofText(found: readonly ProofLine[], page: Page): string {
  const proof = shown(found);
  const paint = createPaint(page);
  const of = (verdict: ProofLine['verdict']) => proof.filter((line) => line.verdict === verdict);
  const [equal, kept, differs, unknown] = [of('equal'), of('kept'), of('differs'), of('unknown')];
  const untold = unknown.length > 0 ? `, ${unknown.length} not known` : '';
  const head = `Proof: ${plural(proof.length, 'fact')} read again: ${equal.length} equal, ${kept.length} kept on purpose, ${differs.length} ${differs.length === 1 ? 'differs' : 'differ'}${untold}.`;
  return [
    (differs.length > 0 ? paint.bad : paint.good)(head),
    ...block(differs, paint.bad, page.width),
    ...block(unknown, paint.warn, page.width),
    ...block(kept, paint.warn, page.width),
  ].join('\n');
}

function block(lines: readonly ProofLine[], brush: (text: string) => string, width: number): string[] {
  const heads = table(
    lines.map((line) => [`  ${line.verdict.padEnd('differs'.length)}`, line.host, line.key]),
    (text, column) => (column === 0 ? brush(text) : text),
  );
  return lines.flatMap((line, index) => [
    heads[index] ?? '',
    ...wrapText(`${oneLine(line.before)} -> ${oneLine(line.now)}${line.why ? `: ${oneLine(line.why)}` : ''}`, width - 11).map(
      (text) => `${' '.repeat(11)}${text}`,
    ),
  ]);
}
