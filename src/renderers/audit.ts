import { moment, oneLine, table, wrapText } from './layout.ts';
import { createPaint, type Page } from './paint.ts';
import { shown } from './shown.ts';

/** One thing that somebody did, or that came of it. */
export interface TrailEntry {
  readonly seq: number;
  readonly at: string;
  /** `user@machine`; null where the records do not tell. */
  readonly by: string | null;
  readonly what: string;
}

/** What one host's copy of the records says of the journal. */
export interface Witness {
  readonly host: string;
  /** How many records it has; null when it has none or was not asked. */
  readonly records: number | null;
  /** Why it was not asked. */
  readonly silent: string | null;
}

/** Whether the records of a run are those that were written, and what they tell. */
export interface AuditReport {
  readonly run: string;
  readonly runbook: string;
  readonly records: number;
  /** How many of the first have no hash of their own, because an older release wrote them. */
  readonly unchained: number;
  readonly fault: { readonly seq: number; readonly why: string } | null;
  readonly witnesses: readonly Witness[];
  readonly trail: readonly TrailEntry[];
}

/** The report for a person: who did what when, then what vouches for it. */
export function auditText(found: AuditReport, page: Page): string {
  const report = shown(found);
  const paint = createPaint(page);
  const who = Math.max(0, ...report.trail.map(({ by }) => by?.length ?? 0));
  const lines = report.trail.flatMap(({ seq, at, by, what }) => {
    const head = `${String(seq).padStart(5)}  ${moment(at)}  ${(by ?? '').padEnd(who)}  `;
    const wrapped = wrapText(oneLine(what), Math.max(40, page.width - head.length));
    return wrapped.map((line, index) => (index === 0 ? `${paint.quiet(head)}${line}` : `${' '.repeat(head.length)}${line}`));
  });
  const verdict = verdictOf(report);
  return [
    `${paint.strong(report.run)}   ${report.runbook}`,
    ...['', ...lines, ''],
    ...wrapText(verdict, page.width).map((line) => (report.fault ? paint.bad(line) : paint.good(line))),
    ...table(report.witnesses.map((witness) => [`  ${witness.host}`, witnessWords(witness)])),
  ].join('\n');
}

/** The same as a Markdown page. */
export function auditMarkdown(found: AuditReport): string {
  const report = shown(found);
  const cell = (text: string) => oneLine(text).replaceAll('|', '\\|');
  return [
    ...[`# Run ${report.run}: ${report.runbook}`, '', verdictOf(report), ''],
    ...report.witnesses.map((witness) => `- ${witness.host}: ${witnessWords(witness)}`),
    ...['', '| # | when | who | what |', '|---|---|---|---|'],
    ...report.trail.map(({ seq, at, by, what }) => `| ${seq} | ${moment(at)} | ${cell(by ?? '')} | ${cell(what)} |`),
  ].join('\n');
}

function verdictOf({ records, unchained, fault, witnesses }: AuditReport): string {
  if (fault) return `Not intact: record ${fault.seq}: ${fault.why}.`;
  const known = Math.max(0, ...witnesses.map((witness) => witness.records ?? 0));
  const old = unchained > 0 ? ` The first ${unchained} are of an older release and vouched for only by those after them.` : '';
  const anchored = known > 0 ? `, the first ${known} as hosts have them too` : ', by no host';
  return `Intact: ${records} records in one chain${anchored}.${old}`;
}

function witnessWords({ records, silent }: Witness): string {
  if (silent !== null) return `not asked: ${silent}`;
  return records === null ? 'has no records of it' : `has the first ${records}`;
}
