import type { Plan, PlanLine } from '../plan/plan.ts';
import { planSigns, type Sign } from './plan-signs.ts';

/** What of a plan is shown as one: a line, or the lines of a step on several hosts that are the same but for the host. */
export interface PlanRow {
  readonly line: PlanLine;
  readonly sign: Sign;
  /** Which lines of the plan it is: `4`, or `4-6`. */
  readonly number: string;
  /** How many lines of the plan there are up to its first one. */
  readonly before: number;
  /** Every host it is shown for. */
  readonly hosts: readonly string[];
}

/** The lines of a plan as they are shown, in order: parts of one step that do the same become one row. */
export function planRows(plan: Plan): PlanRow[] {
  const signs = planSigns(plan);
  const groups = new Map<string, number[]>();
  for (const [index, line] of plan.lines.entries()) {
    const key = line.part ? `${line.part.of} ${sameness(line, signs[index] ?? '~')}` : line.step;
    groups.set(key, [...(groups.get(key) ?? []), index]);
  }
  return [...groups.values()].map((indices) => {
    const lines = indices.map((index) => plan.lines[index] as PlanLine);
    const first = lines[0] as PlanLine;
    const [from = 0] = indices;
    const line = lines.length === 1 ? first : { ...(named(first, first) as PlanLine), host: `${lines.length} hosts` };
    return {
      line: { ...line, summary: allNamed(line.summary, plan) },
      sign: signs[from] ?? '~',
      number: numbers(indices),
      before: from,
      hosts: lines.map(({ host }) => host),
    };
  });
}

/** All a line shows but where, as text. */
function sameness(line: PlanLine, sign: Sign): string {
  const { kind, stamp, summary, notes, diff, undo, undoDiff, irreversible, after, writeLine } = line;
  const shown = [sign, kind, stamp, summary, notes, diff, undo, undoDiff, irreversible, after, writeLine];
  return JSON.stringify(named(line, shown));
}

/** What a line says, with the whole step's id and title for those of its part, wherever they stand in it. */
function named({ step, part }: PlanLine, said: unknown): unknown {
  const own = step.slice(part?.of.length);
  const put = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(own, '');
    if (Array.isArray(value)) return value.map(put);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, put(member)]));
  };
  return put(said);
}

/** A text in which all parts of a step, one after the other, are the whole step. */
function allNamed(text: string, { lines }: Plan): string {
  const parts = Map.groupBy(
    lines.filter(({ part }) => part),
    ({ part }) => part?.of ?? '',
  );
  return [...parts].reduce((said, [of, all]) => said.replaceAll(all.map(({ step }) => step).join(', '), of), text);
}

function numbers(indices: readonly number[]): string {
  const [first = 0] = indices;
  const last = indices.at(-1) ?? first;
  if (indices.length === 1) return String(first + 1);
  return last - first === indices.length - 1 ? `${first + 1}-${last + 1}` : indices.map((index) => index + 1).join(',');
}
