import type { FactKind } from '../facts/fact.ts';
import { canonicalJson, digestOf } from '../lib/json.ts';
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

/**
 * A saved plan on what is there now: the lines that hang on what has moved, or would do something else, as they are planned
 * now; all others as they were saved.
 */
export function replanned(saved: Plan, fresh: Plan, { moved, changed }: Staleness): Plan {
  const anew = new Set([...changed, ...moved.flatMap(({ steps }) => steps)]);
  const kept = new Map(saved.lines.map((line) => [line.step, line]));
  const { digest: _digest, ...plan } = fresh;
  const made = {
    ...plan,
    lines: fresh.lines.map((line) => (anew.has(line.step) ? line : (kept.get(line.step) ?? line))),
    // A line that is kept may look at what nothing is planned on any more.
    readings: over(saved.readings, fresh.readings),
    stateRefs: over(saved.stateRefs, fresh.stateRefs),
  };
  return { ...made, digest: digestOf(made) };
}

type ByHost<T> = { readonly [host: string]: { readonly [key: string]: T } };

function over<T>(before: ByHost<T>, now: ByHost<T>): ByHost<T> {
  const hosts = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return Object.fromEntries(hosts.map((host) => [host, { ...before[host], ...now[host] }]));
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
