import { Redactor } from '../hosts/redactor.ts';
import { Secret } from '../hosts/secret.ts';
import type { Plan, PlanLine } from './plan.ts';

type Told = Pick<Plan, 'lines' | 'readings' | 'blockers' | 'warnings'>;

/**
 * What a plan tells, with every known secret taken out of it: a file may hold one where no key says so. Names, paths and
 * whatever else is used again stay, since a database may well be called what its password is.
 */
export function withoutSecrets(told: Told, values: Iterable<unknown>): Told {
  const redactor = new Redactor();
  for (const value of values) if (value instanceof Secret) redactor.add(value);
  const redact = (text: string) => redactor.redact(text);
  const redactDiff = (diff: PlanLine['diff']) =>
    diff.map((part) => part.map((text, index) => (index === 0 ? text : redact(text))) as unknown as typeof part);
  return {
    lines: told.lines.map((line) => ({
      ...line,
      summary: redact(line.summary),
      notes: line.notes.map(redact),
      diff: redactDiff(line.diff),
      undo: line.undo && redact(line.undo),
      undoDiff: line.undoDiff && redactDiff(line.undoDiff),
      predicts: redactor.redactTexts(line.predicts),
    })),
    readings: redactor.redactTexts(told.readings),
    blockers: redactor.redactTexts(told.blockers),
    warnings: redactor.redactTexts(told.warnings),
  };
}
