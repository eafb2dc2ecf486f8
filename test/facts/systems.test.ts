import { describe, expect, test } from 'vitest';
import { commandCheck } from '../../src/facts/command-check.ts';
import { maintenanceMode } from '../../src/facts/maintenance-mode.ts';
import { packageVersion } from '../../src/facts/package-version.ts';
import { unitState } from '../../src/facts/unit-state.ts';
import { answer, readHere } from '../kit/read-here.ts';

describe('unitState', () => {
  const parse = (stdout: string) => unitState.definition.parse(answer(stdout), 'x.service');

  test.each([
    ['LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n', { active: true, moving: false, enabled: 'enabled' }],
    ['LoadState=loaded\nActiveState=failed\nUnitFileState=disabled\n', { active: false, moving: false, enabled: 'disabled' }],
    ['LoadState=loaded\nActiveState=activating\nUnitFileState=static\n', { active: false, moving: true, enabled: 'static' }],
    ['LoadState=masked\nActiveState=inactive\nUnitFileState=masked\n', { active: false, moving: false, enabled: 'masked' }],
    ['LoadState=loaded\nActiveState=inactive\nUnitFileState=\n', { active: false, moving: false, enabled: 'static' }],
  ])('%j is read', (stdout, expected) => {
    expect(parse(stdout)).toEqual({ state: 'value', value: expected });
  });

  test('a unit that is not installed is absent, one that cannot be loaded is unreadable', () => {
    expect(parse('LoadState=not-found\nActiveState=inactive\nUnitFileState=\n')).toEqual({ state: 'absent' });
    expect(parse('LoadState=bad-setting\nActiveState=inactive\n')).toMatchObject({ state: 'unreadable' });
    expect(unitState.definition.parse(answer('', { code: 127, stderr: 'sh: systemctl: not found\n' }))).toMatchObject({
      why: 'sh: systemctl: not found',
    });
  });

  test('a unit in motion is neither stopped nor running for verification', () => {
    const { meets } = unitState.definition;
    const moving = { active: false, moving: true, enabled: 'enabled' };
    expect(meets(moving, { active: false, moving: false, enabled: 'enabled' })).toBe(false);
    expect(meets(moving, { active: true, moving: false, enabled: 'enabled' })).toBe(false);
  });
});

describe('maintenanceMode', () => {
  const status = (own: string, more: object) => `id 2\n${own}\n---\n${JSON.stringify(more)}\n`;
  const parse = (stdout: string, code = 0) => maintenanceMode.definition.parse(answer(stdout, { code }));
  const hosts = { '1': { hostname: 'he1', maintenance: true }, '2': { hostname: 'he2', maintenance: false } };

  test('global beats local, and local is that of the host that was asked', () => {
    expect(parse(status('he2', { ...hosts, global_maintenance: true }))).toEqual({ state: 'value', value: 'global' });
    expect(parse(status('he2', { ...hosts, global_maintenance: false }))).toEqual({ state: 'value', value: 'none' });
    expect(parse(`he1\n---\n${JSON.stringify({ ...hosts, global_maintenance: false })}`)).toEqual({
      state: 'value',
      value: 'local',
    });
  });

  test('a Python dict on stdout is an error to be shown, not a state', () => {
    expect(parse("he1\n---\n{'exception': 'Connection refused'}\n", 1)).toMatchObject({
      state: 'unreadable',
      why: expect.stringContaining("exit code 1: {'exception': 'Connection refused'}"),
    });
    expect(parse('he1\n---\n{}')).toMatchObject({ state: 'unreadable' });
    expect(parse('he1\n---\nnonsense')).toMatchObject({ state: 'unreadable' });
  });

  test('it is absent where hosted-engine is not installed', () => {
    expect(readHere(maintenanceMode().on('one'))).toEqual({ state: 'absent' });
  });
});

describe('packageVersion', () => {
  const parse = (stdout: string) => packageVersion.definition.parse(answer(stdout), 'x');

  test.each([
    ['dpkg\ninstalled 15.20-1\n', { state: 'value', value: { version: '15.20-1' } }],
    ['dpkg\nconfig-files 15.20-1\n', { state: 'absent' }],
    ['dpkg\n', { state: 'absent' }],
    ['rpm\ninstalled 13.22-1.el9\n', { state: 'value', value: { version: '13.22-1.el9' } }],
  ])('%j is read', (stdout, expected) => {
    expect(parse(stdout)).toEqual(expected);
  });

  test('no package tool is no answer', () => {
    expect(parse('none\n')).toMatchObject({ state: 'unreadable' });
  });

  test('any version meets a prediction without one', () => {
    expect(packageVersion.definition.meets({ version: '1' }, { version: null })).toBe(true);
    expect(packageVersion.definition.meets({ version: '1' }, { version: '2' })).toBe(false);
  });
});

describe('commandCheck', () => {
  test('the exit code is the answer; a check that cannot be run is none', () => {
    expect(readHere(commandCheck('test -d /', 'root').on('one'))).toEqual({ state: 'value', value: { holds: true } });
    expect(readHere(commandCheck('test -d /none # so', 'root').on('one'))).toEqual({ state: 'value', value: { holds: false } });
    expect(readHere(commandCheck('exit 3', 'root').on('one'))).toEqual({ state: 'value', value: { holds: false } });
    expect(readHere(commandCheck('no-such-program-here', 'root').on('one'))).toMatchObject({ state: 'unreadable' });
  });
});
