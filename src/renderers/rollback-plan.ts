import type { RollbackPreview, StepBack } from '../engine/preview-rollback.ts';
import { plural } from '../lib/text.ts';
import { diffLines } from './diff.ts';
import { roughly } from './forecast.ts';
import { moment, oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** A rollback before it is done: what each undo changes, what is kept, and what would be lost. `isAsked` when a question comes after it. */
export function rollbackPlanText(preview: RollbackPreview, page: Page, isAsked = false): string {
  const view = shown(preview);
  const paint = createPaint(page);
  const target = view.to ? `to checkpoint ${view.to}` : 'to before the run';
  const { length } = view.steps;
  return [
    `Rollback of ${view.run} ${target}: ${length === 0 ? 'nothing to undo' : `${plural(length, 'step')}, last first, about ${roughly(view.ms)}`}.`,
    ...(length === 0 ? [] : [paint.quiet('Each diff is from what is on the hosts now to what undo brings back.')]),
    ...stepLines(view.steps, page),
    ...view.irreversible.map(({ step, host, why }) => paint.bad(`  stays: what ${step} did on ${host}: ${oneLine(why)}`)),
    '',
    ...newerLines(view, page),
    ...writeLineLines(view, page, isAsked),
    ...(isAsked ? [] : ['Nothing was changed.']),
  ].join('\n');
}

function stepLines(steps: readonly StepBack[], page: Page): string[] {
  const paint = createPaint(page);
  const digits = String(steps.length).length;
  const heads = table(steps.map(({ host, step }, index) => [` ${String(index + 1).padStart(digits)}`, host, step]));
  const start = Math.max(0, ...heads.map((head) => head.length)) + 2;
  // Diffs need room more than they need to stand under the words.
  const indent = page.width - start >= 72 ? start + 2 : Math.min(start + 2, 8);
  const remark = (brush: (text: string) => string, text: string) =>
    wrapText(oneLine(text), page.width - indent).map((row) => `${' '.repeat(indent)}${brush(row)}`);
  const told = new Set<string>();
  return steps.flatMap((one, index) => {
    const [first = '', ...rest] = wrapText(oneLine(one.summary), page.width - start);
    const head = (heads[index] ?? '').padEnd(start);
    const at = head.lastIndexOf(one.step);
    const isNothing = one.diff?.length === 0 && one.kept.length === 0 && one.stops === null;
    return [
      `${head.slice(0, at)}${paint.strong(one.step)}${head.slice(at + one.step.length)}${first}`.trimEnd(),
      ...rest.map((text) => `${' '.repeat(start)}${text}`),
      ...diffLines(one.diff ?? [], indent, page.width, paint),
      ...(isNothing ? remark(paint.quiet, 'nothing to change: it is so already') : []),
      ...(one.unknown === null ? [] : remark(paint.warn, `what it will change is not known: ${one.unknown}`)),
      // Two steps may keep the same thing, as a restore and the making of its database.
      ...one.kept
        .filter(({ what }) => !told.has(what) && told.add(what))
        .flatMap(({ what }) => remark(paint.warn, `kept: ${what}`)),
      ...(one.stops === null ? [] : remark(paint.bad, `its undo would fail: ${one.stops}`)),
    ];
  });
}

function newerLines({ newer }: RollbackPreview, page: Page): string[] {
  if (newer.length === 0) return [];
  const lines = newer.map(({ host, run, known }) => `  ${host}: run ${run} (${known ?? 'not in this state folder'})`);
  return ['Newer runs have worked on these hosts; going back goes over what they did:', ...lines].map(createPaint(page).bad);
}

function writeLineLines({ run, to, writeLine }: RollbackPreview, page: Page, isAsked: boolean): string[] {
  const paint = createPaint(page);
  if (!writeLine) return [paint.good('The write line is not crossed: nothing that was written is lost.')];
  const head = `The write line was crossed at ${writeLine.step}, ${moment(writeLine.at)}: going back gives up what was written since.`;
  return [
    ...wrapText(head, page.width).map(paint.bad),
    ...(writeLine.written.length === 0
      ? ['  Nothing was written since.']
      : writeLine.written.map((line) => `  ${oneLine(line)}`)),
    ...(isAsked
      ? []
      : [`To go back all the same:  ${paint.command(`ferry rollback ${run}${to ? ` --to ${to}` : ''} --discard-writes`)}`]),
  ];
}
