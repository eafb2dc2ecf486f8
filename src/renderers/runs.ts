import type { RunSummary } from '../journal/journal.ts';
import { moment, table } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** All runs as a table, in the order given. */
export function runsText(found: readonly RunSummary[], page: Page): string {
  const runs = shown(found);
  if (runs.length === 0) return 'There are no runs yet.';
  const paint = createPaint(page.colour);
  const rows = runs.map((run) => [run.run, run.runbook, moment(run.startedAt), moment(run.lastAt), standing(run.stands)]);
  return table([['run', 'runbook', 'started', 'last seen', 'stands'], ...rows], (text, _column, row) =>
    row === 0 ? paint.quiet(text) : text,
  ).join('\n');
}

const STANDS: { readonly [type: string]: string } = {
  'run.started': 'begun',
  'run.resumed': 'begun',
  'rollback.started': 'rolling back',
  'rollback.finished': 'rolled back',
  'run.taken-back': 'rolled back',
  'run.cleaned': 'over, cleaned',
};

/** How a run stands, in words: `run.finished` is `finished`. */
function standing(type: string): string {
  return STANDS[type] ?? type.slice(type.indexOf('.') + 1).replaceAll('-', ' ');
}
