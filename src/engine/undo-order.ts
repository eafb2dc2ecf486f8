import type { Step } from '../runbook/runbook.ts';
import { inTurn } from './turns.ts';
import type { WayBack } from './way-back.ts';

/** How far the undo of a step has come in the rollback under way; none when it was not begun. */
export type UndoProgress = 'running' | 'undone' | 'failed' | 'owed';

/** What of a way back may be undone now, and what not in this rollback, because of which steps. */
export interface UndoOrder {
  readonly ready: readonly Step[];
  readonly blocked: readonly { readonly step: Step; readonly by: readonly string[] }[];
}

/** What stands before the undo of a step: undos that failed, and whether some are still to come or under way. */
interface Bar {
  readonly causes: Set<string>;
  open: boolean;
}

/**
 * What may be undone next. A step stands on those it needs, so its undo comes before theirs; one that fails blocks theirs
 * and nothing else. One that is owed blocks none: an undo stands on its own record and on bytes of its own host. Of a step on many
 * hosts it does, unless each host goes back by itself: then a part stands on what is of its own host alone. But writers
 * that run since a crossed write line must be stopped before anything is taken from under them: steps before that line wait for
 * every undo after it, whatever needs what, and there one that is owed blocks as one that failed. Pure.
 */
export function undoOrder(
  steps: readonly Step[],
  way: Pick<WayBack, 'steps' | 'writeLine'>,
  progress: ReadonlyMap<string, UndoProgress>,
): UndoOrder {
  const { writeLine } = way;
  const late = new Set(
    writeLine ? steps.slice(steps.findIndex(({ id }) => id === writeLine.step.id) + 1).map(({ id }) => id) : [],
  );
  const inWay = new Set(way.steps.map(({ step }) => step.id));
  const bars = new Map<string, Bar>(steps.map(({ id }) => [id, { causes: new Set(), open: false }]));
  const underWriters: Bar = { causes: new Set(), open: false };
  // Whoever needs a step comes after it in the file: so each bar is whole when it is handed on.
  for (const step of [...steps].reverse()) {
    const bar = bars.get(step.id) as Bar;
    if (inWay.has(step.id) && !late.has(step.id)) add(bar, underWriters);
    const passed: Bar = { causes: new Set(bar.causes), open: bar.open };
    if (inWay.has(step.id)) {
      const at = progress.get(step.id);
      const isOfAll = step.part !== undefined && step.undoNeeds === undefined;
      if (at === 'failed' || (at === 'owed' && (late.has(step.id) || isOfAll))) passed.causes.add(step.id);
      if (at === 'running' || (at === undefined && bar.causes.size === 0)) passed.open = true;
      if (late.has(step.id)) add(underWriters, passed);
    }
    for (const need of step.undoNeeds ?? step.needs) add(bars.get(need), passed);
  }
  const left = way.steps
    .filter(({ step }) => !progress.has(step.id))
    .map(({ step }) => ({ step, bar: bars.get(step.id) as Bar }));
  const running = way.steps.map(({ step }) => step).filter(({ id }) => progress.get(id) === 'running');
  const free = left.filter(({ bar }) => bar.causes.size === 0 && !bar.open).map(({ step }) => step);
  const isRunning = (step: Step) => running.includes(step);
  return {
    ready: inTurn([...running, ...free], isRunning).filter((step) => !isRunning(step)),
    blocked: left.filter(({ bar }) => bar.causes.size > 0).map(({ step, bar }) => ({ step, by: [...bar.causes] })),
  };
}

function add(bar: Bar | undefined, passed: Bar): void {
  if (!bar) return;
  for (const cause of passed.causes) bar.causes.add(cause);
  bar.open ||= passed.open;
}
