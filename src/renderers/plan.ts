import type { Diagnostic } from '../errors/diagnostic.ts';
import { plural, printable } from '../lib/text.ts';
import type { Estimate } from '../plan/estimate.ts';
import type { Plan, PlanLine } from '../plan/plan.ts';
import { diffLines } from './diff.ts';
import { roughly } from './forecast.ts';
import { oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page, type Paint } from './paint.ts';
import { type PlanRow, planRows } from './plan-rows.ts';
import type { Sign } from './plan-signs.ts';
import { shown } from './shown.ts';

/** A plan for a person: what stands in the way, each step with its proof and its way back, and what it adds up to. */
export function planText(made: Plan, page: Page, estimate?: Estimate): string {
  const plan = shown(made);
  const paint = createPaint(page);
  return [
    ...headLines(plan, estimate, paint, page.width),
    ...[...plan.blockers, ...plan.warnings].flatMap((found) => findingLines(found, paint, page.width)),
    '',
    ...(plan.alreadyDone
      ? [paint.good('Already done: every check under "done" holds, so there is nothing to do.')]
      : bodyLines(plan, paint, page)),
    ...(plan.alreadyDone
      ? ['Nothing was changed.']
      : [...wayBackLines(plan, estimate, paint, page.width), '', closingLine(plan)]),
    ...(plan.blockers.length > 0 ? [paint.bad(`It cannot run: ${plural(plan.blockers.length, 'blocker')}, see above.`)] : []),
  ].join('\n');
}

/** `14 steps: 9 exact, 5 predicted, 0 opaque. Nothing was changed.` */
export function closingLine(plan: Plan): string {
  const planned = plan.lines.filter((line) => line.kind !== 'skipped');
  const stamps = (['exact', 'predicted', 'opaque'] as const).map(
    (stamp) => `${planned.filter((line) => line.stamp === stamp).length} ${stamp}`,
  );
  const skipped = plan.lines.length - planned.length;
  return `${plural(planned.length, 'step')}: ${stamps.join(', ')}${skipped > 0 ? `; ${skipped} skipped` : ''}. Nothing was changed.`;
}

function headLines(plan: Plan, estimate: Estimate | undefined, paint: Paint, width: number): string[] {
  const hosts = new Set(plan.lines.flatMap((line) => line.hosts));
  const parts = [
    paint.strong(plan.runbook.name),
    ...(plan.alreadyDone ? [] : [`${plural(plan.lines.length, 'step')} on ${plural(hosts.size, 'host')}`]),
    paint.quiet(`plan ${plan.digest.slice(0, 8)}`),
  ];
  const title = plan.runbook.title === plan.runbook.name ? '' : plan.runbook.title;
  return [
    parts.join('   '),
    ...(title ? wrapText(title, width).map(paint.quiet) : []),
    ...(estimate && !plan.alreadyDone ? wrapText(durations(estimate), width) : []),
  ];
}

/** `about 4 min, downtime about 2 min 10 s`; that it is a guess, when nothing like it is on record. */
function durations({ totalMs, downtimeMs, isGuess }: Estimate): string {
  const downtime = downtimeMs === null ? '' : `, downtime about ${roughly(downtimeMs)}`;
  return `about ${roughly(totalMs)}${downtime}${isGuess ? ' (a guess: it has not run here before)' : ''}`;
}

function findingLines(found: Diagnostic, paint: Paint, width: number): string[] {
  const label = found.severity === 'error' ? 'blocker' : 'warning';
  const mark = found.severity === 'error' ? paint.bad : paint.warn;
  const lines = wrapText(`${found.code}  ${found.message}`, width - 9);
  return [
    ...lines.map((line, index) => `${index === 0 ? mark(label.padEnd(7)) : ' '.repeat(7)}  ${line}`),
    // A warning is about the runbook: its place is where one would mend it. A blocker is about a host, which it names.
    ...(found.at && found.severity === 'warning'
      ? [`${' '.repeat(9)}${paint.quiet(`${found.at.file}:${found.at.line}:${found.at.column}`)}`]
      : []),
    // Never wrapped, so that a command can be copied.
    ...(found.hint ? printable(found.hint).split('\n') : []).map((line) => `${' '.repeat(9)}${paint.command(line)}`),
  ];
}

/** Where each column of a body begins and how wide it is; `undo` is 0 when it stands on a line of its own. */
interface Columns {
  readonly number: number;
  readonly host: number;
  readonly step: number;
  readonly summary: number;
  readonly undo: number;
  /** Where the summary begins. */
  readonly indent: number;
}

const STAMP_WIDTH = 'predicted'.length;

function columnsOf(rows: readonly PlanRow[], width: number): Columns {
  const longest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length));
  const number = longest(rows.map((row) => row.number));
  const host = longest(rows.map(({ line }) => line.host));
  const step = longest(rows.map(({ line }) => line.step));
  const indent = 1 + number + 2 + host + 2 + 1 + 1 + step + 2;
  const room = width - indent - STAMP_WIDTH - 2;
  // Beside each other only where both have room to be read.
  const beside = room >= 64;
  const summary = Math.min(
    Math.max(24, beside ? Math.floor(room * 0.58) : room),
    Math.max(24, longest(rows.map(({ line }) => summaryOf(line)))),
  );
  return { number, host, step, indent, summary, undo: beside ? room - summary - 2 : 0 };
}

function bodyLines(plan: Plan, paint: Paint, page: Page): string[] {
  const rows = planRows(plan);
  const columns = columnsOf(rows, page.width);
  const lines: string[] = [];
  const checkpointsLeft = [...plan.checkpoints];
  const rulesBefore = (stepsSeen: number) => {
    while (checkpointsLeft[0] && checkpointsLeft[0].afterStep <= stepsSeen) {
      lines.push(paint.accent(`    ----- checkpoint: ${checkpointsLeft.shift()?.name} -----`));
    }
  };
  for (const row of rows) {
    const { line } = row;
    rulesBefore(row.before);
    lines.push(...stepLines(row, columns, paint, page.width));
    if (line.writeLine) lines.push(paint.warn('    ===== from here, going back loses what is written on the new side ====='));
  }
  rulesBefore(plan.lines.length);
  return lines;
}

function stepLines({ line, sign, number, hosts }: PlanRow, columns: Columns, paint: Paint, width: number): string[] {
  const back = undoOf(line);
  const paintBack = line.irreversible ? paint.bad : paint.quiet;
  const summary = wrapText(summaryOf(line), columns.summary);
  const backBeside = columns.undo > 0 ? wrapText(back, columns.undo) : [];
  const head = ` ${number.padStart(columns.number)}  ${line.host.padEnd(columns.host)}  ${paintSign(sign, paint)} ${paint.strong(line.step.padEnd(columns.step))}  `;
  const stamp = line.kind === 'skipped' ? '' : line.stamp;
  const rows = Array.from({ length: Math.max(summary.length, backBeside.length) }, (_, row) => {
    const cells = [
      (summary[row] ?? '').padEnd(columns.summary),
      row === 0 ? paintStamp(stamp.padEnd(STAMP_WIDTH), paint) : ' '.repeat(STAMP_WIDTH),
      ...(columns.undo > 0 ? [paintBack(backBeside[row] ?? '')] : []),
    ];
    return `${row === 0 ? head : ' '.repeat(columns.indent)}${cells.join('  ')}`.trimEnd();
  });
  const below = columns.undo === 0 && back !== '' ? wrapText(back, width - columns.indent) : [];
  return [
    ...rows,
    ...(hosts.length > 1 ? wrapText(`on ${hosts.join(', ')}`, width - columns.indent) : []).map(
      (text) => `${' '.repeat(columns.indent)}${paint.quiet(text)}`,
    ),
    ...line.notes
      .flatMap((note) => wrapText(note, width - columns.indent))
      .map((text) => `${' '.repeat(columns.indent)}${paint.accent(text)}`),
    ...(line.question && !line.irreversible ? wrapText(`asks: ${oneLine(line.question)}`, width - columns.indent) : []).map(
      (text) => `${' '.repeat(columns.indent)}${paint.accent(text)}`,
    ),
    ...below.map((text) => `${' '.repeat(columns.indent)}${paintBack(text)}`),
    ...diffLines(line.diff, diffIndent(columns.indent, width), width, paint),
    ...undoDiffLines(line, diffIndent(columns.indent, width), width, paint),
  ];
}

/** The diff of undo, where it is not that of the step the other way round. */
function undoDiffLines({ undoDiff }: PlanLine, indent: number, width: number, paint: Paint): string[] {
  if (!undoDiff) return [];
  return [`${' '.repeat(indent)}${paint.quiet('undo:')}`, ...diffLines(undoDiff, indent + 2, width, paint)];
}

/** For before the run and for each checkpoint: what a rollback to it would be once all is done. */
function wayBackLines(plan: Plan, estimate: Estimate | undefined, paint: Paint, width: number): string[] {
  const ways = plan.waysBack
    .map((way, index) => ({ ...way, ms: estimate?.waysBackMs[index] }))
    .filter(({ undoes, unsure }) => undoes.length + unsure.length > 0);
  if (ways.length === 0) return [];
  const heads = ways.map(({ to, undoes, unsure, ms }) => [
    `  to ${to ?? 'before the run'}`,
    unsure.length === 0 ? plural(undoes.length, 'step') : `${undoes.length} to ${undoes.length + unsure.length} steps`,
    ...(ms === undefined ? [] : [`about ${roughly(ms)}`]),
  ]);
  const rows = table(heads.map((cells) => [...cells, '']));
  const start = Math.max(...rows.map((row) => row.length)) + 2;
  return [
    '',
    'What a rollback undoes once all of it is done:',
    ...ways.flatMap((way, index) => {
      const fate = [
        way.losesFrom ? `loses what is written from ${way.losesFrom} on` : 'nothing that is written is lost',
        ...(way.stays.length > 0 ? [`stays: ${way.stays.join(', ')}`] : []),
      ].join('; ');
      const brush = way.losesFrom ? paint.warn : way.stays.length > 0 ? paint.bad : paint.quiet;
      return wrapText(fate, width - start).map(
        (text, row) => `${(row === 0 ? (rows[index] ?? '') : '').padEnd(start)}${brush(text)}`,
      );
    }),
  ];
}

/** Below the summary; further out where the page has little room beside it. */
function diffIndent(indent: number, width: number): number {
  return width - indent >= 72 ? indent + 2 : Math.min(indent + 2, 8);
}

function summaryOf(line: PlanLine): string {
  if (line.kind === 'later' && !line.summary.includes('known after')) {
    return `${line.summary}${line.summary ? ', ' : ''}known after ${line.after.join(', ')}`;
  }
  if (line.kind === 'skipped' && !line.summary.startsWith('skipped')) return `skipped: ${line.summary}`;
  return line.summary;
}

function undoOf(line: PlanLine): string {
  if (line.irreversible) return `cannot be taken back: ${line.irreversible}`;
  return line.undo ? `undo: ${line.undo}` : '';
}

function paintSign(sign: Sign, paint: Paint): string {
  const brush = {
    '+': paint.good,
    '-': paint.bad,
    '~': paint.warn,
    x: paint.bad,
    '!': paint.accent,
    '?': paint.accent,
    '=': paint.quiet,
    '*': paint.quiet,
    ' ': paint.quiet,
  };
  return brush[sign](sign);
}

function paintStamp(stamp: string, paint: Paint): string {
  return stamp.startsWith('exact') ? paint.good(stamp) : stamp.startsWith('opaque') ? paint.bad(stamp) : paint.warn(stamp);
}
