import type { RunbookChange } from '../runbook/diff-runbooks.ts';
import type { Runbook } from '../runbook/runbook.ts';
import type { RunState } from './state.ts';

/** Why an edited runbook cannot be taken by a run as far as it has come: a step that was begun, and what the edit does to it. */
export interface Begun {
  readonly step: string;
  readonly why: string;
}

/**
 * Which steps stand in the way of going on with an edited runbook: those that were begun and are not the same in it, in the order
 * of the run. Empty when it can be taken. Pure.
 */
export function judgeEdit(state: RunState, edited: Runbook, changes: readonly RunbookChange[]): Begun[] {
  const isBegun = (step: string): boolean => (state.steps.get(step)?.phase ?? 'waiting') !== 'waiting';
  const changed = new Map(changes.flatMap(({ what, name, how }) => (what === 'step' && how !== 'added' ? [[name, how]] : [])));
  const needs = new Map(edited.steps.map((step) => [step.id, step.needs]));
  return state.plan.lines.flatMap(({ step }): Begun[] => {
    if (!isBegun(step)) return [];
    const how = changed.get(step);
    if (how !== undefined) return [{ step, why: how }];
    const late = needs.get(step)?.find((need) => !isBegun(need));
    return late === undefined ? [] : [{ step, why: `it would come after ${late}, which was not done` }];
  });
}
