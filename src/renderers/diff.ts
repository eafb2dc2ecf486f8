import { visible } from '../lib/text.ts';
import type { PlanLine } from '../plan/plan.ts';
import { clip } from './layout.ts';
import type { Paint } from './paint.ts';

type DiffLine = PlanLine['diff'][number];

/** A diff for a person, `indent` characters in: a value and what it becomes in one row, or in two where the page is too narrow. */
export function diffLines(diff: readonly DiffLine[], indent: number, width: number, paint: Paint): string[] {
  const row = (mark: string, text: string): string => {
    const shown = clip(`${' '.repeat(indent)}${mark}${mark === '' ? '' : ' '}${plain(text)}`, width);
    const brush = { '+': paint.good, '-': paint.bad, '~': paint.warn, '': paint.accent }[mark] ?? paint.quiet;
    return brush(shown);
  };
  return diff.flatMap((line): string[] => {
    if (line[0] !== '~') return [row(line[0] === '@' ? '' : line[0], line[1])];
    const [mark, name, before, after] = line;
    const whole = `${name}${before} -> ${after}`;
    if (indent + 2 + plain(whole).length <= width) return [row(mark, whole)];
    return [row('-', `${name}${before}`), row('+', `${name}${after}`)];
  });
}

/** Text of a host on one line. */
function plain(text: string): string {
  return visible(text).replaceAll('\n', '\\n').replaceAll('\t', '  ');
}
