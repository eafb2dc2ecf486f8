import type { FactKind } from '../facts/fact.ts';
import { canonicalJson } from '../lib/json.ts';
import type { Plan, PlanLine } from './plan.ts';
import { sameReading, showMove } from './publish.ts';

/** A fact that is not any more what a plan was made on. */
export interface MovedFact {
  readonly host: string;
  readonly key: string;
  readonly before: string;
  readonly now: string;
  /** Steps planned on it, and those planned on what they make. */
  readonly steps: readonly string[];
}

/** What tells a plan from the same one made later. */
export interface Staleness {
  readonly moved: readonly MovedFact[];
  /** Steps that would do something else now, in order; sizes and times alone are nothing else. */
  readonly changed: readonly string[];
}

/** Compares a plan with one made of the same runbook and inputs just now. Pure; `kindOf` has every kind of fact in the first. */
export function stalenessOf(saved: Plan, fresh: Plan, kindOf: (kind: string) => FactKind<unknown>): Staleness {
  const moved = Object.entries(saved.stateRefs).flatMap(([host, byKey]) =>
    Object.entries(byKey).flatMap(([key, ref]): MovedFact[] => {
      const kind = kindOf(ref.kind);
      const before = saved.readings[host]?.[key];
      const now = fresh.readings[host]?.[key];
      if (!before || !now || sameReading(kind, before, now)) return [];
      return [{ host, key, ...showMove(kind, before, now), steps: stepsOn(saved, host, key) }];
    }),
  );
  const lines = new Map(saved.lines.map((line) => [line.step, promiseOf(line)]));
  return {
    moved,
    changed: fresh.lines.filter((line) => lines.get(line.step) !== promiseOf(line)).map(({ step }) => step),
  };
}

function stepsOn(plan: Plan, host: string, key: string): string[] {
  const affected = new Set<string>();
  for (const line of plan.lines) {
    const looks = line.facts.some(([on, fact]) => on === host && fact === key);
    if (looks || line.after.some((step) => affected.has(step))) affected.add(line.step);
  }
  return [...affected];
}

/** What a line promises, as text. Its summary and bytes may name a size, which moves while a service runs; notes promise nothing. */
function promiseOf(line: PlanLine): string {
  const { summary: _summary, notes: _notes, bytes: _bytes, facts: _facts, ...promise } = line;
  return canonicalJson(promise);
}
