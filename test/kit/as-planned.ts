import { expect } from 'vitest';
import type { JournalRecord } from '../../src/journal/journal.ts';
import { type Json, sameJson } from '../../src/lib/json.ts';
import type { Plan, PlanLine, Reading } from '../../src/plan/plan.ts';

type Predicted = PlanLine['predicts'];

/** What each record that ends or begins a line's work says the line came to. */
const CAME_TO: Readonly<Record<string, PlanLine['kind']>> = {
  'step.intended': 'change',
  'step.unchanged': 'no-change',
  'step.checked': 'check',
  'step.confirmed': 'gate',
  'step.skipped': 'skipped',
};

/**
 * Holds a finished run to the plan it was begun with: each step came to what its line said, an exact line word for word and
 * fact for fact; a predicted one in its kind and in every fact it dared to name. Gives the number of lines by stamp, so that
 * a caller can see that something was compared.
 */
export function expectAsPlanned(records: readonly JournalRecord[]): { exact: number; predicted: number } {
  const [first] = records;
  if (first?.type !== 'run.started') throw new Error('these are not the records of a run from its start');
  const { plan } = first.body as unknown as { plan: Plan };
  const counts = { exact: 0, predicted: 0 };
  const wrong: string[] = [];
  for (const line of plan.lines) {
    if (line.stamp === 'opaque') continue;
    counts[line.stamp] += 1;
    const ofStep = records.filter((record) => record.step === line.step);
    const record = ofStep.find(({ type }) => type in CAME_TO);
    if (!record) wrong.push(`${line.step}: nothing on record`);
    else wrong.push(...against(line, record).map((what) => `${line.step} (${line.stamp}): ${what}`));
  }
  expect(wrong, 'steps that did something else than their line in the plan said').toEqual([]);
  return counts;
}

function against(line: PlanLine, record: JournalRecord): string[] {
  const wrong: string[] = [];
  const cameTo = CAME_TO[record.type];
  if (cameTo !== line.kind) wrong.push(`it was planned as ${line.kind} and came to ${cameTo}`);
  const summary = record.body.summary;
  // Sizes are measured again: a database a service writes to grows between the plan and the step.
  if (line.stamp === 'exact' && typeof summary === 'string' && withoutSizes(summary) !== withoutSizes(line.summary))
    wrong.push(`it said "${line.summary}" and did "${summary}"`);
  if (line.kind !== 'change') return wrong;
  const did = (record.body.change as unknown as { predicts: Predicted }).predicts;
  for (const [host, byKey] of Object.entries(line.predicts)) {
    for (const [key, promised] of Object.entries(byKey)) {
      const made = did[host]?.[key];
      if (promised !== null && !isSame(promised as unknown as Json, made as unknown as Json))
        wrong.push(`it promised ${show(promised)} of ${key} and made ${show(made)}`);
    }
  }
  return wrong;
}

/** Whether what was made fills the promise in: a null in it is what nobody could know then. */
function isSame(promised: Json, made: Json | undefined): boolean {
  if (promised === null) return true;
  if (typeof promised !== 'object' || made === null || typeof made !== 'object') return sameJson(promised, made);
  const [a, b] = [promised as { [key: string]: Json }, made as { [key: string]: Json }];
  return Object.keys(b).every((key) => key in a) && Object.entries(a).every(([key, member]) => isSame(member, b[key]));
}

function show(reading: Reading | null | undefined): string {
  return JSON.stringify(reading ?? null).slice(0, 300);
}

function withoutSizes(text: string): string {
  return text.replaceAll(/\d[\d.,]* (B|kB|MB|GB|KiB|MiB|GiB)/g, 'SIZE');
}
