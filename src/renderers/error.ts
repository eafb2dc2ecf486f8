import type { ErrorReport } from '../engine/events.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import { wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** What is told of anything thrown: a FerryError as it is, anything else as a defect of Ferry. */
export function reportOf(thrown: unknown): ErrorReport {
  const error = isFerryError(thrown)
    ? thrown
    : new FerryError('INTERNAL', { what: thrown instanceof Error ? thrown.message : String(thrown) }, { cause: thrown });
  return { code: error.code, message: error.message, hint: error.hint ?? null, left: error.left ?? null };
}

/** An error for a person: code and message, what state was left, what to type next. */
export function errorText(error: ErrorReport, page: Page): string {
  return errorLines(error, page).join('\n');
}

/**
 * The same line by line, for embedding under a step. No command in a hint is broken, so that it can be copied; the ways on of a
 * long one get a line each, and where one is too long itself, its commands.
 */
export function errorLines(report: ErrorReport, page: Page): string[] {
  const error = shown(report);
  const paint = createPaint(page);
  const head = `error ${error.code}  `;
  const [first = '', ...more] = wrapText(`${head}${error.message}`, page.width);
  return [
    `${paint.bad(head.trimEnd())}${first.slice(head.trimEnd().length)}`,
    ...more.flatMap((line) => wrapText(line, page.width - 2)).map((line) => `  ${line}`),
    ...(error.left ? wrapText(error.left, page.width - 2).map((line) => `  ${paint.quiet(line)}`) : []),
    ...hintLines(error.hint ?? '', page.width - 2).map((line) => `  ${paint.command(line)}`),
  ];
}

function hintLines(hint: string, width: number): string[] {
  if (hint === '') return [];
  const unless = (part: string, at: RegExp) => (part.length <= width ? [part] : part.split(at));
  return hint
    .split('\n')
    .flatMap((line) => unless(line, /(?<=;) {2}/))
    .flatMap((way) => unless(way, /(?<=\S) {3}(?=ferry )/));
}
