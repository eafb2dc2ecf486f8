import { refuseOtherMachines } from './leases.ts';
import { refuseOvertaken } from './overtaken.ts';
import { previewSteps, type RollbackPreview } from './preview-rollback.ts';
import type { RunContext } from './run-context.ts';
import { rollbackTarget, wayBack, withWrites, writtenSince } from './way-back.ts';

/** What a rollback would do, changing nothing. `msOf` tells how long it takes to undo these steps. */
export async function lookBack(
  context: RunContext,
  { to: asked, overNewer = false }: { readonly to?: string; readonly overNewer?: boolean },
  msOf: (steps: readonly string[]) => number,
): Promise<RollbackPreview> {
  const there = await refuseOtherMachines(context, new Map());
  const newer = refuseOvertaken(context, there, { verb: 'roll back', overNewer });
  const to = rollbackTarget(context.state, asked);
  const way = await withWrites(context, wayBack(context, to));
  return context.ports.redact({
    run: context.state.run,
    to: to ?? null,
    newer,
    steps: await previewSteps(context, way),
    ms: msOf(way.steps.map(({ step }) => step.id)),
    irreversible: way.irreversible,
    writeLine: way.writeLine && {
      step: way.writeLine.step.id,
      at: way.writeLine.at,
      written: await writtenSince(context, way.writeLine),
    },
  });
}
