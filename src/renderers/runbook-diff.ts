import type { Event } from '../engine/events.ts';
import { oneLine, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';

type RunbookChange = Extract<Event, { type: 'run.revised' }>['changes'][number];

/** What an edit of a runbook means, a line for each thing that is another, and below it what of it, from what to what. */
export function runbookDiffLines(changes: readonly RunbookChange[], page: Page): string[] {
  const paint = createPaint(page);
  const brush = (how: RunbookChange['how']) => (how === 'added' ? paint.good : how === 'removed' ? paint.bad : paint.warn);
  return changes.flatMap(({ what, name, how, fields }) => [
    brush(how)(`  ${SIGNS[how]} ${what} ${oneLine(name)} ${how}`),
    ...fields.flatMap(({ field, before, after }) =>
      wrapText(`${oneLine(field)}: ${shownValue(before)} -> ${shownValue(after)}`, page.width - 6).map((line) => `      ${line}`),
    ),
  ]);
}

/** The same in a few words: `2 steps changed: dump, copy; 1 input added: mode`. */
export function runbookDiffWords(changes: readonly RunbookChange[]): string {
  const groups = new Map<string, string[]>();
  for (const { what, how, name } of changes) groups.set(`${what} ${how}`, [...(groups.get(`${what} ${how}`) ?? []), name]);
  return [...groups].map(([group, names]) => `${group}: ${names.join(', ')}`).join('; ');
}

function shownValue(value: string | null): string {
  return value === null ? 'none' : oneLine(value);
}

const SIGNS = { added: '+', removed: '-', moved: '>', changed: '~' } as const;
