import type { Step } from '../runbook/runbook.ts';

/**
 * Those of several steps that may be under way at once: of the parts of a step on many hosts no more than the runbook says,
 * those that were begun first. Pure.
 */
export function inTurn(open: readonly Step[], isBegun: (step: Step) => boolean): readonly Step[] {
  const taken = new Map<string, number>();
  const hasRoom = new Set<Step>();
  for (const step of [...open.filter(isBegun), ...open.filter((one) => !isBegun(one))]) {
    const { of = step.id, concurrency = null } = step.part ?? {};
    const before = taken.get(of) ?? 0;
    taken.set(of, before + 1);
    if (concurrency === null || before < concurrency) hasRoom.add(step);
  }
  return open.filter((step) => hasRoom.has(step));
}
