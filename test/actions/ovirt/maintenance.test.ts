import { describe, expect, test } from 'vitest';
import maintenance from '../../../src/actions/ovirt/maintenance.ts';
import { type MaintenanceMode, maintenanceMode } from '../../../src/facts/maintenance-mode.ts';
import { factOf, siteOf } from '../../kit/facts.ts';

describe('ovirt.maintenance', () => {
  const plan = (mode: MaintenanceMode, now: MaintenanceMode | undefined, earlier: { undo: { mode: string } } | null = null) =>
    maintenance.plan({ mode }, { mode: factOf(maintenanceMode().on('he1'), now) }, { ...siteOf('he1'), earlier });

  test('undo is the mode from before', () => {
    expect(plan('global', 'none')).toMatchObject({
      summary: 'maintenance: none -> global',
      undo: { mode: 'none' },
      undoSummary: 'lift it',
      outputs: { before: 'none' },
    });
    expect(plan('none', 'local')).toMatchObject({ undo: { mode: 'local' }, undoSummary: 'back to local' });
  });

  test('the mode it is in already is no change, and a second attempt remembers the first', () => {
    expect(plan('global', 'global')).toMatchObject({ kind: 'no-change', outputs: { before: 'global' } });
    expect(plan('global', 'global', { undo: { mode: 'none' } }).outputs).toEqual({ before: 'none' });
  });

  test('a host without hosted-engine blocks', () => {
    expect(plan('global', undefined)).toMatchObject({ kind: 'blocked', summary: 'hosted-engine is not installed on he1' });
  });
});
