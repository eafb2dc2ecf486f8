import { plural } from '../lib/text.ts';
import { moment, oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';

/** What a rollback would do, in the order it would do it. */
export interface RollbackView {
  readonly run: string;
  readonly to: string | null;
  readonly steps: readonly { readonly step: string; readonly host: string; readonly summary: string }[];
  readonly irreversible: readonly { readonly step: string; readonly host: string; readonly why: string }[];
  readonly writeLine: { readonly step: string; readonly at: string; readonly written: readonly string[] } | null;
}

/** A rollback before it is done: what is undone, what is kept, and what would be lost. */
export function rollbackPlanText(view: RollbackView, page: Page): string {
  const paint = createPaint(page.colour);
  const target = view.to ? `to checkpoint ${view.to}` : 'to before the run';
  const heads = table(
    view.steps.map((step, index) => [
      String(index + 1).padStart(String(view.steps.length).length + 1),
      step.host,
      step.step,
      oneLine(step.summary),
    ]),
    (text, column) => (column === 2 ? paint.strong(text) : text),
  );
  return [
    `Rollback of ${view.run} ${target}: ${view.steps.length === 0 ? 'nothing to undo' : `${plural(view.steps.length, 'step')}, last first`}.`,
    ...heads,
    ...view.irreversible.map(({ step, host, why }) => paint.bad(`  stays: what ${step} did on ${host}: ${oneLine(why)}`)),
    '',
    ...writeLineLines(view, page),
    'Nothing was changed.',
  ].join('\n');
}

function writeLineLines({ run, to, writeLine }: RollbackView, page: Page): string[] {
  const paint = createPaint(page.colour);
  if (!writeLine) return [paint.good('The write line is not crossed: nothing that was written is lost.')];
  const head = `The write line was crossed at ${writeLine.step}, ${moment(writeLine.at)}: going back gives up what was written since.`;
  return [
    ...wrapText(head, page.width).map(paint.bad),
    ...(writeLine.written.length === 0
      ? ['  Nothing was written since.']
      : writeLine.written.map((line) => `  ${oneLine(line)}`)),
    `To go back all the same:  ${paint.accent(`ferry rollback ${run}${to ? ` --to ${to}` : ''} --discard-writes`)}`,
  ];
}
