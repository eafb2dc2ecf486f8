import { z } from 'zod';
import { finding } from '../../errors/finding.ts';
import { change, defineAction, noChange } from '../action.ts';
import { toMs } from '../params.ts';
import {
  actOnUnits,
  blockedByMissing,
  fixedFindings,
  nothingToUndo,
  restoreUnits,
  running,
  setEnabled,
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
  summary: 'Stop systemd units and wait until they are inactive.',
  description: 'The units that ran are an output, so that a later step can start exactly those.',
  undone: 'Units that ran are started again, and start at boot again if they did.',
  params: z.strictObject({
    units: unitsParam(),
    disable: z
      .boolean()
      .default(false)
      .describe(
        'Also keep them from starting at boot. A unit that systemctl cannot disable (static, generated) is a warning in the plan.',
      ),
    missing: z.enum(['skip', 'fail']).default('skip').describe('What to do about units that are not installed.'),
    timeout: timeoutParam('90s'),
  }),
  outputs: {
    stopped: 'Units that ran before, in the order given.',
    active: 'Map of unit to whether it ran before.',
    enabled: 'Map of unit to what systemctl is-enabled said before.',
  },
  facts: (site, { units }) => ({ units: unitFacts(site, units) }),
  touches: ({ units, disable }, role) => ({
    changes: unitKeys(units, role),
    effects: units.map((unit) => ({ does: 'stop-unit', role, unit, forGood: disable })),
  }),
  plan({ units, disable, missing, timeout }, facts, { host, earlier }) {
    const stop = missing === 'fail' ? blockedByMissing(facts.units, host) : undefined;
    if (stop) return stop;
    const installed = facts.units.filter((fact) => !fact.absent);
    const runs = running(installed);
    const disables = disable ? installed.filter(({ value }) => value?.enabled === 'enabled').map(unitOf) : [];
    const ran = units.filter((unit) => runs.includes(unit) || earlier?.undo.start.includes(unit));
    const outputs = {
      stopped: ran,
      active: Object.fromEntries(units.map((unit) => [unit, ran.includes(unit)])),
      enabled: Object.fromEntries(
        installed.map((fact) => [
          unitOf(fact),
          earlier?.undo.enable.includes(unitOf(fact)) ? 'enabled' : (fact.value?.enabled ?? ''),
        ]),
      ),
    };
    const absent =
      units.length - installed.length > 0
        ? `; not installed: ${shown(facts.units.filter((fact) => fact.absent).map(unitOf))}`
        : '';
    if (runs.length === 0 && disables.length === 0)
      return noChange(units.length === 0 ? 'no unit to stop' : `already stopped${absent}`, { outputs });
    const undo: UnitsUndo = { ...nothingToUndo, start: runs.toReversed(), enable: disables, waitMs: toMs(timeout) };
    return change({
      summary: `${what(runs, disables)} (${runs.length} of ${units.length} run)${absent}`,
      predicts: installed
        .filter((fact) => runs.includes(unitOf(fact)) || disables.includes(unitOf(fact)))
        .map((fact) =>
          fact.becomes({
            active: false,
            moving: false,
            enabled: disables.includes(unitOf(fact)) ? 'disabled' : (fact.value?.enabled ?? 'disabled'),
          }),
        ),
      outputs,
      undo,
      undoSummary: [runs.length > 0 ? `start ${shown(undo.start)}` : '', disables.length > 0 ? `enable ${shown(disables)}` : '']
        .filter(Boolean)
        .join(', '),
      data: { stop: runs, disable: disables, waitMs: toMs(timeout) },
    });
  },
  preflight({ units, missing, disable }, ask, site) {
    const { units: facts } = ask({ units: unitFacts(site, units) });
    const args = { host: site.host.name, units: shown(units) };
    const isOdd = missing === 'skip' && facts.length > 0 && facts.every(({ absent, read }) => absent && read);
    return {
      findings: [
        ...(isOdd ? [finding('UNITS_ABSENT', args, undefined, { severity: 'warning' as const })] : []),
        ...(disable ? fixedFindings(facts, site.host, 'disabled') : []),
      ],
    };
  },
  async apply({ on, change: { data } }) {
    await actOnUnits(on, 'stop', data.stop, data.waitMs);
    await setEnabled(on, 'disable', data.disable);
  },
  rollback: restoreUnits,
  preview: unitsPreview,
  examples: [
    { title: 'Stop what writes to the engine database', with: { units: ['ovirt-engine.service', 'ovirt-engine-dwhd.service'] } },
    { title: 'Stop a service for good', with: { units: ['ovirt-engine-dwhd'], disable: true } },
  ],
});

function what(runs: readonly string[], disables: readonly string[]): string {
  return [runs.length > 0 ? `stop ${shown(runs)}` : '', disables.length > 0 ? `disable ${shown(disables)}` : '']
    .filter(Boolean)
    .join(', ');
}
