import { z } from 'zod';
import { blocked, check, defineAction } from '../action.ts';
import { running, shown, unitFacts, unitKeys, unitOf, unitsParam } from './units.ts';

export default defineAction({
  summary: 'Read which systemd units run and which start at boot.',
  params: z.strictObject({
    units: unitsParam(),
    expect: z
      .enum(['active', 'inactive'])
      .optional()
      .describe('Does not hold when a unit is in the other state; one not installed is inactive.'),
  }),
  outputs: {
    active: 'Units that run, in the order given.',
    enabled: 'Units that start at boot.',
    installed: 'Units that are there at all.',
    states: 'Map of unit to running, stopped or missing.',
  },
  facts: (site, { units }) => ({ units: unitFacts(site, units) }),
  touches: ({ units, expect }, role) => ({
    reads: unitKeys(units, role),
    effects: expect === undefined ? [] : [{ does: 'prove', role }],
  }),
  plan({ units, expect }, facts, { host }) {
    const active = running(facts.units);
    const installed = facts.units.filter((fact) => !fact.absent).map(unitOf);
    const wrong = units.filter((unit) => active.includes(unit) === (expect === 'inactive'));
    if (expect && wrong.length > 0)
      return blocked(
        `${shown(wrong)} on ${host.name} ${wrong.length === 1 ? 'is' : 'are'} ${expect === 'active' ? 'not running' : 'running'}`,
        `Look at:  systemctl status ${wrong.join(' ')}   on ${host.name}.`,
      );
    return check(active.length === 0 ? 'none of them runs' : `running: ${shown(active)}`, {
      outputs: {
        active,
        enabled: facts.units.filter(({ value }) => value?.enabled === 'enabled').map(unitOf),
        installed,
        states: Object.fromEntries(
          units.map((unit) => [unit, active.includes(unit) ? 'running' : installed.includes(unit) ? 'stopped' : 'missing']),
        ),
      },
    });
  },
  examples: [{ title: 'See what runs', with: { units: ['ovirt-engine.service', 'ovirt-engine-dwhd.service'] } }],
});
