import { z } from 'zod';
import { change, defineAction, noChange } from '../action.ts';
import { toMs } from '../params.ts';
import {
  actOnUnits,
  blockedByMissing,
  nothingToUndo,
  restoreUnits,
  running,
  shown,
  timeoutParam,
  type UnitsUndo,
  unitFacts,
  unitKeys,
  unitOf,
  unitsParam,
  unitsPreview,
} from './units.ts';

export default defineAction({
  summary: 'Restart systemd units, starting those that do not run.',
  description: 'Acts each time it runs.',
  undone: 'Units that did not run before are stopped; a restart itself leaves nothing to take back.',
  params: z.strictObject({ units: unitsParam(), timeout: timeoutParam('90s') }),
  outputs: { started: 'Units that did not run before, in the order given.' },
  converges: false,
  facts: (site, { units }) => ({ units: unitFacts(site, units) }),
  touches: ({ units }, role) => ({
    changes: unitKeys(units, role),
    effects: units.map((unit) => ({ does: 'restart-unit', role, unit })),
  }),
  plan({ units, timeout }, facts, { host, earlier }) {
    const stop = blockedByMissing(facts.units, host);
    if (stop) return stop;
    if (units.length === 0) return noChange('no unit to restart', { outputs: { started: [] } });
    const ran = running(facts.units);
    const idle = units.filter((unit) => !ran.includes(unit));
    const undo: UnitsUndo = { ...nothingToUndo, stop: idle.toReversed(), waitMs: toMs(timeout) };
    return change({
      summary: `restart ${shown(units)}`,
      predicts: facts.units.map((fact) =>
        fact.becomes({ active: true, moving: false, enabled: fact.value?.enabled ?? 'disabled' }),
      ),
      outputs: { started: units.filter((unit) => idle.includes(unit) || earlier?.undo.stop.includes(unit)) },
      undo,
      undoSummary: idle.length > 0 ? `stop ${shown(undo.stop)}` : 'nothing: they ran before',
      data: { units: facts.units.map(unitOf), waitMs: toMs(timeout) },
    });
  },
  async apply({ on, change: { data } }) {
    await actOnUnits(on, 'restart', data.units, data.waitMs);
  },
  rollback: restoreUnits,
  preview: unitsPreview,
  examples: [{ title: 'Let the engine read its configuration again', with: { units: ['ovirt-engine.service'] } }],
});
