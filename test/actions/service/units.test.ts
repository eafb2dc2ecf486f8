import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import read from '../../../src/actions/service/read.ts';
import restart from '../../../src/actions/service/restart.ts';
import start from '../../../src/actions/service/start.ts';
import stop from '../../../src/actions/service/stop.ts';
import { unitsScript } from '../../../src/actions/service/units.ts';
import { type UnitState, unitState } from '../../../src/facts/unit-state.ts';
import { factOf, siteOf } from '../../kit/facts.ts';
import { withFolder } from '../../kit/read-here.ts';

const site = siteOf('engine');
const up: UnitState = { active: true, moving: false, enabled: 'enabled' };
const down: UnitState = { active: false, moving: false, enabled: 'disabled' };
const coming: UnitState = { active: false, moving: true, enabled: 'enabled' };

/** Facts of units a, b, c, ... in order; undefined is one that is not installed. */
function units(...states: (UnitState | undefined)[]) {
  const names = states.map((_, index) => `${'abcdef'[index]}.service`);
  return { names, facts: { units: names.map((name, index) => factOf(unitState(name).on('engine'), states[index])) } };
}

describe('service.stop', () => {
  const plan = (more: object, ...states: (UnitState | undefined)[]) => {
    const { names, facts } = units(...states);
    return stop.plan(stop.params.parse({ units: names, ...more }), facts, site);
  };

  test('stops those that run, in the order given, and undo starts them in the other order', () => {
    const planned = plan({}, up, down, up, undefined);
    expect(planned).toMatchObject({
      kind: 'change',
      summary: 'stop a, c (2 of 4 run); not installed: d',
      undoSummary: 'start c, a',
      undo: { start: ['c.service', 'a.service'], enable: [] },
      outputs: { stopped: ['a.service', 'c.service'], active: { 'a.service': true, 'b.service': false, 'd.service': false } },
      data: { stop: ['a.service', 'c.service'], disable: [] },
    });
    expect(planned.kind === 'change' && planned.predicts.map(({ key, to }) => [key, to])).toEqual([
      ['unitState(a.service)', { state: 'value', value: { active: false, moving: false, enabled: 'enabled' } }],
      ['unitState(c.service)', { state: 'value', value: { active: false, moving: false, enabled: 'enabled' } }],
    ]);
  });

  test.each([
    ['enabled', [], ['a.service']],
    ['disabled', [], []],
    ['masked', [], []],
    ['indirect', [], []],
    ['static', ['a.service on engine cannot be disabled: it is static'], []],
    ['generated', ['a.service on engine cannot be disabled: it is generated'], []],
  ])('kept from starting at boot: one that is %s', (enabled, warnings, disables) => {
    const state = { ...up, enabled };
    expect(plan({ disable: true }, state)).toMatchObject({ data: { stop: ['a.service'], disable: disables } });
    const { names, facts } = units(state);
    const found = stop.preflight?.(stop.params.parse({ units: names, disable: true }), () => facts as never, {
      ...site,
      hostAt: () => undefined,
    });
    expect(found?.findings?.map(({ message, severity }) => [message.split(',')[0], severity])).toEqual(
      warnings.map((warning) => [warning, 'warning']),
    );
    expect(
      stop.preflight?.(stop.params.parse({ units: names }), () => facts as never, { ...site, hostAt: () => undefined }),
    ).toEqual({
      findings: [],
    });
  });

  test('a unit that waits to be started again is stopped too', () => {
    expect(plan({}, coming)).toMatchObject({ kind: 'change', data: { stop: ['a.service'] } });
  });

  test('no change when none runs, or none is installed, or none is given', () => {
    expect(plan({}, down)).toMatchObject({ kind: 'no-change', summary: 'already stopped', outputs: { stopped: [] } });
    expect(plan({}, undefined)).toMatchObject({ kind: 'no-change', summary: 'already stopped; not installed: a' });
    expect(plan({})).toMatchObject({ kind: 'no-change', summary: 'no unit to stop' });
  });

  test('missing: fail blocks on a unit that is not installed', () => {
    expect(plan({ missing: 'fail' }, up, undefined)).toMatchObject({ kind: 'blocked', summary: 'b is not installed on engine' });
  });

  test('disable takes those that start at boot, running or not, and undo enables them', () => {
    expect(plan({ disable: true }, up, { ...up, active: false }, down)).toMatchObject({
      summary: 'stop a, disable a, b (1 of 3 run)',
      undo: { start: ['a.service'], enable: ['a.service', 'b.service'] },
      undoSummary: 'start a, enable a, b',
    });
  });

  test('killed after two of four, a second attempt hands on all four', () => {
    const { names, facts } = units(down, down, up, up);
    const undo = { start: ['d.service', 'c.service', 'b.service', 'a.service'], stop: [], enable: [], disable: [], waitMs: 1 };
    const planned = stop.plan(stop.params.parse({ units: names }), facts, { ...site, earlier: { undo } });
    expect(planned.outputs).toMatchObject({ stopped: names });
  });
});

describe('service.start', () => {
  const plan = (more: object, ...states: (UnitState | undefined)[]) => {
    const { names, facts } = units(...states);
    return start.plan(start.params.parse({ units: names, ...more }), facts, site);
  };

  test('starts those that do not run and undo stops them', () => {
    expect(plan({}, up, down)).toMatchObject({
      summary: 'start b',
      undo: { stop: ['b.service'] },
      outputs: { started: ['b.service'] },
    });
  });

  test('one on its way up is waited for, and undo leaves it', () => {
    expect(plan({}, coming)).toMatchObject({
      kind: 'change',
      undo: { stop: [] },
      undoSummary: 'nothing: they were on their way up',
    });
  });

  test('enable only touches what is disabled', () => {
    expect(plan({ enable: true }, up, down, { ...up, enabled: 'static' })).toMatchObject({
      summary: 'start b, enable b',
      undo: { stop: ['b.service'], disable: ['b.service'] },
    });
  });

  test('a masked unit and a missing one block with what to type', () => {
    expect(plan({}, { ...down, enabled: 'masked' })).toMatchObject({
      kind: 'blocked',
      hint: 'On engine:  systemctl unmask a.service',
    });
    expect(plan({}, undefined)).toMatchObject({ kind: 'blocked' });
    expect(plan({ missing: 'skip' }, undefined)).toMatchObject({ kind: 'no-change' });
  });
});

describe('service.restart', () => {
  test('always acts; undo stops only what did not run', () => {
    const { names, facts } = units(up, down);
    expect(restart.converges).toBe(false);
    expect(restart.plan(restart.params.parse({ units: names }), facts, site)).toMatchObject({
      summary: 'restart a, b',
      undo: { stop: ['b.service'], start: [] },
      undoSummary: 'stop b',
    });
  });
});

describe('service.read', () => {
  const plan = (more: object, ...states: (UnitState | undefined)[]) => {
    const { names, facts } = units(...states);
    return read.plan(read.params.parse({ units: names, ...more }), facts, site);
  };

  test('tells running, stopped and missing apart', () => {
    expect(plan({}, up, down, undefined).outputs).toEqual({
      active: ['a.service'],
      enabled: ['a.service'],
      installed: ['a.service', 'b.service'],
      states: { 'a.service': 'running', 'b.service': 'stopped', 'c.service': 'missing' },
    });
  });

  test('an expectation that does not hold blocks', () => {
    expect(plan({ expect: 'inactive' }, up, down)).toMatchObject({ kind: 'blocked', summary: 'a on engine is running' });
    expect(plan({ expect: 'active' }, up, undefined)).toMatchObject({ kind: 'blocked', summary: 'b on engine is not running' });
    expect(plan({ expect: 'inactive' }, down, undefined)).toMatchObject({ kind: 'check' });
  });
});

test('a failed systemctl names the units that are not there, with their last journal lines', () =>
  withFolder((folder) => {
    const fake = (name: string, body: string) => {
      writeFileSync(`${folder}/${name}`, `#!/bin/sh\n${body}\n`);
      chmodSync(`${folder}/${name}`, 0o755);
    };
    fake(
      'systemctl',
      'case "$1 $5" in "start "*) exit 1;; "show a.service") echo ActiveState=active;; *) echo ActiveState=failed;; esac',
    );
    fake('journalctl', 'echo "it broke"');
    const ran = spawnSync('sh', ['-c', unitsScript('start', ['a.service', 'b.service'], 5000).text], {
      encoding: 'utf8',
      env: { PATH: `${folder}:${process.env.PATH}` },
    });
    expect([ran.status, ran.stdout, ran.stderr]).toEqual([1, 'failed b.service\n', 'b.service is failed\nit broke\n']);
  }));
