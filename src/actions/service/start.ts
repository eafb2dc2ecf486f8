import { z } from 'zod';
import { blocked, change, defineAction, noChange } from '../action.ts';
import { toMs } from '../params.ts';
import {
  actOnUnits,
  blockedByMissing,
  fixedFindings,
  nothingToUndo,
  restoreUnits,
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
  summary: 'Start systemd units and wait until they are active.',
  description: 'A unit that ends by itself (a oneshot without RemainAfterExit) is not for this step.',
  undone: 'Units that did not run before are stopped, and start at boot only if they did before.',
  params: z.strictObject({
    units: unitsParam(),
    enable: z
      .boolean()
      .default(false)
      .describe('Also let them start at boot. A unit that systemctl cannot enable (static, generated) is a warning in the plan.'),
    missing: z.enum(['skip', 'fail']).default('fail').describe('What to do about units that are not installed.'),
    timeout: timeoutParam('90s'),
  }),
  outputs: { started: 'Units that did not run before, in the order given.' },
  facts: (site, { units }) => ({ units: unitFacts(site, units) }),
  touches: ({ units }, role) => ({
    changes: unitKeys(units, role),
    effects: units.map((unit) => ({ does: 'start-unit', role, unit })),
  }),
  plan({ units, enable, missing, timeout }, facts, { host, earlier }) {
    const stop = missing === 'fail' ? blockedByMissing(facts.units, host) : undefined;
    if (stop) return stop;
    const installed = facts.units.filter((fact) => !fact.absent);
    const masked = installed.filter(({ value }) => value?.enabled.startsWith('masked')).map(unitOf);
    if (masked.length > 0)
      return blocked(
        `${shown(masked)} cannot be started on ${host.name}: masked`,
        `On ${host.name}:  systemctl unmask ${masked.join(' ')}`,
      );
    const starts = installed.filter(({ value }) => !value?.active).map(unitOf);
    const enables = enable ? installed.filter(({ value }) => value?.enabled === 'disabled').map(unitOf) : [];
    const outputs = { started: units.filter((unit) => starts.includes(unit) || earlier?.undo.stop.includes(unit)) };
    if (starts.length === 0 && enables.length === 0)
      return noChange(units.length === 0 ? 'no unit to start' : 'already running', { outputs });
    // One that was on its way up before would have come up without this step, so undo leaves it.
    const still = installed.filter(({ value }) => !value?.active && !value?.moving).map(unitOf);
    const undo: UnitsUndo = { ...nothingToUndo, stop: still.toReversed(), disable: enables, waitMs: toMs(timeout) };
    return change({
      summary: [starts.length > 0 ? `start ${shown(starts)}` : '', enables.length > 0 ? `enable ${shown(enables)}` : '']
        .filter(Boolean)
        .join(', '),
      predicts: installed
        .filter((fact) => starts.includes(unitOf(fact)) || enables.includes(unitOf(fact)))
        .map((fact) =>
          fact.becomes({
            active: true,
            moving: false,
            enabled: enables.includes(unitOf(fact)) ? 'enabled' : (fact.value?.enabled ?? 'disabled'),
          }),
        ),
      outputs,
      undo,
      undoSummary:
        [still.length > 0 ? `stop ${shown(undo.stop)}` : '', enables.length > 0 ? `disable ${shown(enables)}` : '']
          .filter(Boolean)
          .join(', ') || 'nothing: they were on their way up',
      data: { start: starts, enable: enables, waitMs: toMs(timeout) },
    });
  },
  preflight({ units, enable }, ask, site) {
    return enable ? { findings: fixedFindings(ask({ units: unitFacts(site, units) }).units, site.host, 'enabled') } : {};
  },
  async apply({ on, change: { data } }) {
    await setEnabled(on, 'enable', data.enable);
    await actOnUnits(on, 'start', data.start, data.waitMs);
  },
  rollback: restoreUnits,
  preview: unitsPreview,
  examples: [{ title: 'Start a service now and at boot', with: { units: ['ovirt-engine-dwhd.service'], enable: true } }],
});
