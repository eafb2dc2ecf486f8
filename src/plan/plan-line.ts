import type { Action, Change } from '../actions/action.ts';
import { limitWords } from '../hosts/limits.ts';
import { formatDuration } from '../lib/duration.ts';
import type { Json } from '../lib/json.ts';
import type { Step } from '../runbook/runbook.ts';
import { isToldElsewhere } from './findings.ts';
import type { PlanLine, Reading, Stamp } from './plan.ts';
import type { StepPlan } from './plan-step.ts';
import { publishReading } from './publish.ts';
import { questionBefore } from './question.ts';

/** The line of a step in a plan. */
export function lineOf(step: Step, action: Action, result: StepPlan, host: string): PlanLine {
  const base = {
    step: step.id,
    title: step.title ?? step.id,
    host,
    uses: step.uses,
    needs: step.needs,
    ...(step.part ? { part: step.part } : {}),
    notes: [
      ...(result.kind !== 'skipped' && step.terms?.limits ? [`long commands: ${limitWords(step.terms.limits)}`] : []),
      ...deadManNote(step, result),
    ],
    diff: [],
    undo: null,
    undoDiff: null,
    irreversible: null,
    // Known of a step that is planned later too: a plan without its line would promise that going back loses nothing.
    writeLine: action.written !== undefined && result.kind !== 'skipped',
    bytes: null,
    hosts: [host],
    facts: [],
    predicts: {},
  };
  if (result.kind === 'skipped')
    return { ...base, kind: 'skipped', stamp: 'exact', summary: 'left out: its condition does not hold', after: [] };
  if (result.kind !== 'planned') {
    if (result.kind === 'missing') return { ...base, kind: 'later', stamp: 'opaque', summary: '', after: [] };
    const { after, what, open, hosts } = result;
    const question = questionBefore(step, null);
    const told = `known after ${after.join(', ')}${what.length > 0 ? ` (${what.join(', ')})` : ''}`;
    return {
      ...base,
      kind: 'later',
      stamp: 'opaque',
      summary: open === 'condition' ? `done or left out: ${told}` : told,
      after,
      hosts,
      ...(question === undefined ? {} : { question }),
    };
  }
  const { planned, refs, hosts, on } = result;
  const question = questionBefore(step, planned);
  const changing = planned.kind === 'change' ? planned : null;
  const stamp: Stamp = changing?.opaque || isToldElsewhere(planned) ? 'opaque' : on.length > 0 ? 'predicted' : 'exact';
  return {
    ...base,
    kind: planned.kind,
    stamp,
    summary: planned.summary,
    after: on,
    hosts,
    facts: refs.filter((ref) => ref.kind.class === 'state').map((ref) => [ref.host, ref.key] as const),
    diff: changing?.diff ?? [],
    undo: changing?.undoSummary ?? null,
    undoDiff: changing?.undoDiff ?? null,
    irreversible: changing?.irreversible ?? null,
    ...(question === undefined ? {} : { question }),
    bytes: changing?.bytes ?? null,
    predicts: changing ? publishPredictions(changing) : {},
  };
}

/** That a host puts a change back by itself, where its step says so. */
function deadManNote({ deadMan }: Step, result: StepPlan): string[] {
  const isChange = result.kind === 'later' || (result.kind === 'planned' && result.planned.kind === 'change');
  return deadMan && isChange
    ? [`put back by the host itself after ${formatDuration(deadMan.afterMs)}, unless Ferry can log in anew`]
    : [];
}

/** Predictions in published form, by host and key; null where only apply will tell. */
export function publishPredictions(planned: Pick<Change<Json>, 'predicts'>): {
  [host: string]: { [key: string]: Reading | null };
} {
  const published: { [host: string]: { [key: string]: Reading | null } } = {};
  for (const { host, key, kind, to } of planned.predicts) {
    (published[host] ??= {})[key] = to ? publishReading(kind, to) : null;
  }
  return published;
}
