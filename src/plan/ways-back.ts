import type { Plan, PlanLine, WayBackView } from './plan.ts';

/**
 * What a rollback from the end of a plan would be: to before its first step, and to each checkpoint. `isChanging` tells of a
 * line that is known later whether its step type ever changes anything.
 */
export function waysBack(
  lines: readonly PlanLine[],
  checkpoints: Plan['checkpoints'],
  isChanging: (line: PlanLine) => boolean,
): WayBackView[] {
  return [{ name: null, afterStep: 0 }, ...checkpoints].map(({ name, afterStep }) =>
    wayBackTo(name, lines.slice(afterStep), isChanging),
  );
}

function wayBackTo(to: string | null, range: readonly PlanLine[], isChanging: (line: PlanLine) => boolean): WayBackView {
  const mayChange = range.filter((line) => line.kind === 'change' || (line.kind === 'later' && isChanging(line)));
  const line = range.findIndex(({ writeLine }) => writeLine);
  const writers = line < 0 ? undefined : range.slice(line + 1).find((one) => mayChange.includes(one));
  const named = (kept: (line: PlanLine) => boolean) =>
    mayChange
      .filter(kept)
      .map(({ step }) => step)
      .reverse();
  return {
    to,
    undoes: named((one) => one.kind === 'change' && one.undo !== null),
    unsure: named((one) => one.kind === 'later'),
    stays: named((one) => one.irreversible !== null),
    losesFrom: writers?.step ?? null,
  };
}
