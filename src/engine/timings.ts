import type { JournalRecord } from '../journal/journal.ts';
import type { Timing } from '../plan/estimate.ts';
import type { Plan } from '../plan/plan.ts';

const BEGINS: ReadonlySet<string> = new Set(['step.intended', 'step.undoing']);
const ENDS: ReadonlySet<string> = new Set(['step.verified', 'step.undone']);

/**
 * How long the steps and undos of a run took, as its records tell. Attempts that failed, died or were joined again tell
 * nothing: their time is not that of the work.
 */
export function timingsOf(records: readonly JournalRecord[]): Timing[] {
  const [first] = records;
  if (first?.type !== 'run.started') return [];
  const { plan } = first.body as unknown as { plan: Plan };
  const lines = new Map(plan.lines.map((line) => [line.step, line]));
  const begun = new Map<string, { atMs: number; isUndo: boolean; bytes: number | null }>();
  const timings: Timing[] = [];
  for (const { type, step, at, body } of records) {
    if (type === 'run.resumed') begun.clear();
    const line = step === null ? undefined : lines.get(step);
    if (!line || step === null) continue;
    if (BEGINS.has(type)) begun.set(step, { atMs: Date.parse(at), isUndo: type === 'step.undoing', bytes: line.bytes });
    const work = begun.get(step);
    if (!work) continue;
    // What it moved in the end is better known than what the plan thought.
    const outputs = body.outputs as { readonly bytes?: unknown } | undefined;
    if (type === 'step.applied' && line.bytes === null && typeof outputs?.bytes === 'number') work.bytes = outputs.bytes;
    if (ENDS.has(type)) {
      const ms = Date.parse(at) - work.atMs;
      timings.push({
        runbook: plan.runbook.name,
        step: line.part?.of ?? step,
        uses: line.uses,
        isUndo: work.isUndo,
        ms,
        bytes: work.bytes,
      });
      begun.delete(step);
    }
    if (type === 'step.failed' || type === 'step.lost' || type === 'step.undo-failed') begun.delete(step);
  }
  return [...timings, ...checksOf(records, plan.runbook.name, lines)];
}

/** Checks have one record, at their end: each began when the record before it was written. */
function checksOf(
  records: readonly JournalRecord[],
  runbook: string,
  lines: ReadonlyMap<string, Plan['lines'][number]>,
): Timing[] {
  return records.flatMap((record, index): Timing[] => {
    const line = record.type === 'step.checked' && record.step !== null ? lines.get(record.step) : undefined;
    const before = records[index - 1];
    if (!line || !before || before.type === 'run.resumed' || line.needs.length > 1) return [];
    const ms = Date.parse(record.at) - Date.parse(before.at);
    return [{ runbook, step: line.part?.of ?? line.step, uses: line.uses, isUndo: false, ms, bytes: line.bytes }];
  });
}
