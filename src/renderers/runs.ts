import type { RunSummary } from '../journal/journal.ts';
import { plural, printable } from '../lib/text.ts';
import { moment, stillHold, table } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** All runs as a table, in the order given. `named` is the state folder that was typed, if one was. */
export function runsText(found: readonly RunSummary[], page: Page, named?: string): string {
  const runs = shown(found);
  if (runs.length === 0) return named === undefined ? 'There are no runs yet.' : `There are no runs in ${printable(named)}.`;
  const paint = createPaint(page);
  const rows = runs.map((run) => [run.run, run.runbook, moment(run.startedAt), moment(run.lastAt), standing(run)]);
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
function standing({ stands: type, left = [], differing = 0 }: RunSummary): string {
  if (type === 'run.cleaned' && left.length > 0) return `over, cleaned in part: ${stillHold(left)}`;
  if (type === 'rollback.finished' && differing > 0) return `rolled back, proof failed (${plural(differing, 'fact')})`;
  return STANDS[type] ?? type.slice(type.indexOf('.') + 1).replaceAll('-', ' ');
}
