import { maskHba } from '../../facts/pg-hba.ts';
import type { DiffLine } from '../action.ts';
import { limited, textHunks } from '../text-hunks.ts';

/** What becomes of the rules of a pg_hba.conf, each where it stands: the rule after a change is shown, because the first that fits decides. */
export function ruleDiff(before: string, after: string): DiffLine[] {
  const hunks = textHunks(before, after, 0);
  if (!hunks) return [['~', 'rules ', String(rulesIn(before).length), `${rulesIn(after).length}, nearly all of them other ones`]];
  const lines = maskHba(after).split('\n');
  const changes = hunks.flatMap((hunk): DiffLine[] => {
    const changed = hunk.lines.flatMap((line): DiffLine[] => {
      const text = maskHba(line.slice(1));
      return line.startsWith('\\') || text.trim() === '' ? [] : [[line.startsWith('-') ? '-' : '+', text]];
    });
    const put = hunk.lines.filter((line) => line.startsWith('+')).length;
    const next = lines.slice(hunk.newStart - 1 + put).find(isRule);
    return changed.length === 0 || next === undefined ? changed : [...changed, [' ', next.trim().replace(/\s+/g, ' ')]];
  });
  return limited(changes);
}

function rulesIn(text: string): string[] {
  return text.split('\n').filter(isRule);
}

function isRule(line: string): boolean {
  return /^\s*[^#\s]/.test(line);
}
