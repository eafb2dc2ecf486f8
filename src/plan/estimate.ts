import type { Plan, PlanLine, Reading } from './plan.ts';

/** How long one step, or its undo, took in an earlier run. */
export interface Timing {
  readonly runbook: string;
  /** Of a step on many hosts the whole: what it took on one host tells of the others. */
  readonly step: string;
  readonly uses: string;
  readonly isUndo: boolean;
  readonly ms: number;
  /** What it moved, when that is known. */
  readonly bytes: number | null;
}

export interface StepEstimate {
  readonly step: string;
  readonly ms: number;
  /** 0 when there is nothing to undo. */
  readonly undoMs: number;
  readonly bytes: number | null;
  /** From this step in earlier runs, from other steps of its type, or from nothing but its size. */
  readonly basis: 'step' | 'type' | 'guess';
}

/** How long a plan will take, and what of it is felt. Pure data; milliseconds. */
export interface Estimate {
  readonly steps: readonly StepEstimate[];
  /** The longest way through the steps that need one another, and what it takes. */
  readonly criticalPath: readonly string[];
  readonly totalMs: number;
  /** From the first service that is stopped until all that were stopped run again; null when none is, or they do not. */
  readonly downtimeMs: number | null;
  /** For each of the plan's ways back, in order. */
  readonly waysBackMs: readonly number[];
  /** True when most of the time is a guess. */
  readonly isGuess: boolean;
}

const GUESS = { 'no-change': 200, skipped: 0, blocked: 0, gate: 0, check: 1500, change: 2500, later: 2500 } as const;
const GUESS_BYTES_PER_MS = 20_000;
// What a step needs besides its bytes: a connection, facts, records.
const FIXED_MS = 1500;

/** Estimates a plan from what its steps took before, on what they move now. */
export function estimatePlan(plan: Plan, timings: readonly Timing[]): Estimate {
  const steps = plan.lines.map((line) => estimateStep(plan, line, timings));
  const ms = new Map(steps.map((step) => [step.step, step.ms]));
  const { path, endMs } = longestPath(plan.lines, (line) => ms.get(line.step) ?? 0);
  const totalMs = Math.max(0, ...endMs.values());
  const guessed = steps.filter(({ basis }) => basis === 'guess').reduce((sum, step) => sum + step.ms, 0);
  return {
    steps,
    criticalPath: path,
    totalMs,
    downtimeMs: downtime(plan.lines, (line) => ms.get(line.step) ?? 0, endMs),
    waysBackMs: plan.waysBack.map(({ undoes, unsure }) => rollbackMs({ steps }, [...undoes, ...unsure])),
    isGuess: guessed * 2 > steps.reduce((sum, step) => sum + step.ms, 0),
  };
}

// A rollback ends with the proof: every state fact read again.
const PROOF_MS = 1500;

/** How long it takes to undo these steps, one after the other, and to prove it. */
export function rollbackMs(estimate: Pick<Estimate, 'steps'>, steps: readonly string[]): number {
  const undone = estimate.steps.filter(({ step }) => steps.includes(step));
  return undone.length === 0 ? 0 : undone.reduce((sum, { undoMs }) => sum + undoMs, PROOF_MS);
}

function estimateStep(plan: Plan, line: PlanLine, timings: readonly Timing[]): StepEstimate {
  const { step, uses, bytes, kind } = line;
  const isWork = kind === 'change' || kind === 'check' || kind === 'later';
  const of = (isUndo: boolean, isSame: (one: Timing) => boolean) =>
    isWork ? timings.filter((one) => one.isUndo === isUndo && isSame(one)) : [];
  const own = of(false, (one) => one.runbook === plan.runbook.name && one.step === (line.part?.of ?? step));
  const alike = of(false, (one) => one.uses === uses);
  const undone = of(true, (one) => one.uses === uses);
  const guess = GUESS[kind] + (isWork ? (bytes ?? 0) / GUESS_BYTES_PER_MS : 0);
  return {
    step,
    bytes,
    ms: Math.round(expected(own, bytes) ?? expected(alike, bytes) ?? guess),
    undoMs: line.undo === null ? 0 : Math.round(expected(undone, bytes) ?? GUESS.change),
    basis: own.length > 0 ? 'step' : alike.length > 0 ? 'type' : 'guess',
  };
}

/** The middle of what it took before, each scaled to what is moved now; undefined when nothing is known. */
function expected(timings: readonly Timing[], bytes: number | null): number | undefined {
  const scaled = timings.map((one) => {
    if (!one.bytes || !bytes) return one.ms;
    const fixed = Math.min(FIXED_MS, one.ms);
    return fixed + ((one.ms - fixed) * bytes) / one.bytes;
  });
  return scaled.sort((a, b) => a - b)[Math.floor(scaled.length / 2)];
}

/** When each step ends, counted from the start, and the steps of the way that ends last. */
function longestPath(
  lines: readonly PlanLine[],
  msOf: (line: PlanLine) => number,
): { path: string[]; endMs: ReadonlyMap<string, number> } {
  const endMs = new Map<string, number>();
  const before = new Map<string, string | undefined>();
  const parts = new Map<string | undefined, string[]>();
  for (const line of lines) {
    const byEnd = (steps: readonly string[]) => steps.toSorted((a, b) => (endMs.get(b) ?? 0) - (endMs.get(a) ?? 0));
    const { of, concurrency } = line.part ?? {};
    const others = parts.get(of) ?? [];
    parts.set(of, [...others, line.step]);
    // Where not all parts of a step are done at once, one begins when the first of those under way ends.
    const turn = concurrency ? byEnd(others).slice(concurrency - 1, concurrency) : [];
    const last = byEnd([...line.needs.filter((need) => endMs.has(need)), ...turn])[0];
    before.set(line.step, last);
    endMs.set(line.step, (last === undefined ? 0 : (endMs.get(last) ?? 0)) + msOf(line));
  }
  let at = [...endMs].sort(([, a], [, b]) => b - a)[0]?.[0];
  const path: string[] = [];
  for (; at !== undefined; at = before.get(at)) path.unshift(at);
  return { path, endMs };
}

function downtime(
  lines: readonly PlanLine[],
  msOf: (line: PlanLine) => number,
  endMs: ReadonlyMap<string, number>,
): number | null {
  const down = new Set<string>();
  let fromMs: number | null = null;
  for (const line of lines) {
    for (const [host, byKey] of Object.entries(line.predicts)) {
      for (const [key, reading] of Object.entries(byKey)) {
        const active = key.startsWith('unitState(') ? activeOf(reading) : undefined;
        if (active === undefined) continue;
        const isFirst = !active && down.size === 0 && fromMs === null;
        if (isFirst) fromMs = (endMs.get(line.step) ?? 0) - msOf(line);
        if (active) down.delete(`${host} ${key}`);
        else down.add(`${host} ${key}`);
      }
    }
    if (fromMs !== null && down.size === 0) return (endMs.get(line.step) ?? 0) - fromMs;
  }
  return null;
}

function activeOf(reading: Reading | null): boolean | undefined {
  if (reading?.state !== 'value' || reading.value === null || typeof reading.value !== 'object') return undefined;
  return 'active' in reading.value && typeof reading.value.active === 'boolean' ? reading.value.active : undefined;
}
