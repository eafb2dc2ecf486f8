import type { RunSummary } from '../journal/journal.ts';
import { moment, table } from './layout.ts';
import { createPaint, type Page } from './paint.ts';

/** All runs as a table, in the order given. */
export function runsText(runs: readonly RunSummary[], page: Page): string {
  if (runs.length === 0) return 'There are no runs yet.';
  const paint = createPaint(page.colour);
  const rows = runs.map((run) => [run.run, run.runbook, moment(run.startedAt), moment(run.lastAt), lastWords(run.lastType)]);
  return table([['run', 'runbook', 'started', 'last seen', 'last'], ...rows], (text, _column, row) =>
    row === 0 ? paint.quiet(text) : text,
  ).join('\n');
}

/** A record's type in words: `step.intended` is `step intended`. */
function lastWords(type: string): string {
  return type.replace('.', ' ').replaceAll('-', ' ');
}
