import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import maintenance from '../../../src/actions/ovirt/maintenance.ts';
import { engineLiveliness } from '../../../src/facts/engine-liveliness.ts';
import { type MaintenanceMode, maintenanceMode } from '../../../src/facts/maintenance-mode.ts';
import type { ActingHost } from '../../../src/hosts/host.ts';
import { sh } from '../../../src/hosts/sh.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { actContext, localHost } from '../../kit/local-host.ts';
import { withFolder } from '../../kit/read-here.ts';

describe('ovirt.maintenance', () => {
  const plan = (
    mode: MaintenanceMode,
    now: MaintenanceMode | undefined,
    { earlier = null, up }: { earlier?: { undo: { mode: string } } | null; up?: boolean } = {},
  ) =>
    maintenance.plan(
      maintenance.params.parse({ mode, upTimeout: '3m' }),
      { mode: factOf(maintenanceMode().on('he1'), now), up: factOf(engineLiveliness().on('he1'), up) },
      { ...siteOf('he1'), earlier },
    );

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
    expect(plan('global', 'global', { earlier: { undo: { mode: 'none' } } }).outputs).toEqual({ before: 'none' });
  });

  test('a host without hosted-engine blocks', () => {
    expect(plan('global', undefined)).toMatchObject({ kind: 'blocked', summary: 'hosted-engine is not installed on he1' });
  });

  test('of an engine that answered, undo waits for it; of one that did not, and on the way forward, it does not', () => {
    expect(plan('global', 'none', { up: true })).toMatchObject({
      undo: { mode: 'none', upWithinMs: 180_000 },
      undoSummary: 'lift it once the engine is up',
    });
    expect(plan('global', 'none', { up: false })).toMatchObject({ undo: { mode: 'none' }, undoSummary: 'lift it' });
    expect(plan('none', 'global', { up: true })).toMatchObject({ undo: { mode: 'global' }, undoSummary: 'back to global' });
  });

  // The engine needs minutes to come up; its hosts restarted its machine in the middle of a rollback.
  describe('undone', () => {
    /** hosted-engine on this machine: the engine answers from the given question on, or never. */
    const undone = async (upAfter: number, undo: { mode: string; upWithinMs?: number }, stopped = false) => {
      let seen: object = {};
      await withFolder(async (dir) => {
        const log = `${dir}/log`;
        writeFileSync(
          `${dir}/hosted-engine`,
          `#!/bin/sh
echo "$1 $2" >>${log}
case $1 in
--check-liveliness) [ "$(grep -c check-liveliness ${log})" -ge ${upAfter} ];;
--vm-status) if grep -q set-maintenance ${log}; then echo '{"global_maintenance": false}'; else echo '{"global_maintenance": true}'; fi;;
esac
`,
          { mode: 0o755 },
        );
        const on = localHost();
        const path = sh`PATH=${dir}:$PATH; `;
        const here: ActingHost = {
          ...on,
          run: (script, more) => on.run(sh`${path}${script}`, more),
          change: (name, script, more) => on.change(name, sh`${path}${script}`, more),
        };
        const signal = stopped ? AbortSignal.abort() : new AbortController().signal;
        const ctx = { ...actContext(dir), signal, crossedWriteLine: false };
        const ended = await Promise.resolve(
          maintenance.rollback?.({ ...siteOf('he1'), on: here, onHost: () => here, undo, ctx }),
        ).then(
          () => 'lifted',
          (thrown) => thrown.code,
        );
        const asked = readFileSync(log, 'utf8').split('\n');
        seen = {
          ended,
          lifted: asked.includes('--set-maintenance --mode=none'),
          asked: asked.filter((one) => one.includes('check')).length,
        };
      });
      return seen;
    };

    test('it is lifted when the engine answers, and not before', async () => {
      expect(await undone(3, { mode: 'none', upWithinMs: 20_000 })).toEqual({ ended: 'lifted', lifted: true, asked: 3 });
    });

    test('it stays where the engine does not come up, or nobody waits', async () => {
      const never = { mode: 'none', upWithinMs: 50 };
      expect(await undone(1000, never)).toMatchObject({ ended: 'MAINTENANCE_KEPT', lifted: false });
      expect(await undone(1000, { ...never, upWithinMs: 600_000 }, true)).toMatchObject({ ended: 'MAINTENANCE_KEPT', asked: 1 });
    });

    test('nothing is waited for where the engine was not up before, or nobody wrote down whether it was', async () => {
      expect(await undone(1000, { mode: 'none' })).toEqual({ ended: 'lifted', lifted: true, asked: 0 });
    });
  });
});
