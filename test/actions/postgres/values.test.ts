import { describe, expect, test } from 'vitest';
import { inUnit, settingToWrite, shownAs, type Wanted } from '../../../src/actions/postgres/values.ts';
import type { PgSetting } from '../../../src/facts/pg-setting.ts';

type Now = Pick<PgSetting, 'setting' | 'unit' | 'type'>;
const memory = (setting: string, unit = 'kB'): Now => ({ setting, unit, type: 'integer' });
const plain = (setting: string, type: PgSetting['type'] = 'integer'): Now => ({ setting, unit: null, type });

describe('a number in the unit of its setting', () => {
  test.each([
    ['8MB', 'kB', 8192],
    ['8192kB', 'kB', 8192],
    [8192, 'kB', 8192],
    ['128MB', '8kB', 16384],
    ['1.5GB', 'MB', 1536],
    ['5min', 's', 300],
    ['200ms', 'ms', 200],
    ['1e-2', null, 0.01],
    [' 3 ', null, 3],
    ['8MB', null, null],
    ['8 potatoes', 'kB', null],
    ['*', null, null],
  ])('%s in %s is %s', (text, unit, wanted) => {
    expect(inUnit(text, unit)).toBe(wanted);
  });
});

describe('what is written for a setting', () => {
  test.each([
    ['max_connections', { atLeast: 150 }, plain('100'), '150'],
    ['max_connections', { atLeast: 150 }, plain('150'), undefined],
    ['max_connections', { atLeast: 150 }, plain('500'), undefined],
    ['autovacuum_vacuum_scale_factor', { atMost: 0.01 }, plain('0.2', 'real'), '0.01'],
    ['autovacuum_vacuum_scale_factor', { atMost: 0.01 }, plain('0.005', 'real'), undefined],
    ['work_mem', { atLeast: '8MB' }, memory('4096'), '8MB'],
    ['work_mem', { atLeast: '8MB' }, memory('8192'), undefined],
    ['work_mem', { atLeast: 65536 }, memory('65536'), undefined],
    ['work_mem', '8192kB', memory('8192'), undefined],
    ['shared_buffers', '128MB', memory('16384', '8kB'), undefined],
    ['x', { atLeast: 2, atMost: 4 }, plain('9'), '4'],
    ['x', { atLeast: 2, atMost: 4 }, plain('3'), undefined],
    ['fsync', true, plain('on', 'bool'), undefined],
    ['fsync', false, plain('on', 'bool'), 'off'],
    ['fsync', 'yes', plain('on', 'bool'), undefined],
    ['listen_addresses', '*', plain('localhost', 'string'), '*'],
    ['lc_messages', 'en_US.UTF-8', plain('en_us.utf8', 'string'), undefined],
    ['lc_messages', 'en_US.UTF-8', plain('C', 'string'), 'en_US.UTF-8'],
    ['search_path', 'A-b', plain('ab', 'string'), 'A-b'],
    ['password_encryption', 'SCRAM-SHA-256', plain('scram-sha-256', 'enum'), undefined],
  ] as [string, Wanted, Now, string | undefined][])('%s: %j over %j is %s', (name, wanted, now, text) => {
    expect(settingToWrite(wanted, now, name)).toBe(text);
  });
});

test('a written value is shown as the server shows it', () => {
  expect(shownAs('8MB', memory('0'))).toBe('8192');
  expect(shownAs('TRUE', plain('', 'bool'))).toBe('on');
  expect(shownAs('0.010', plain('', 'real'))).toBe('0.01');
  expect(shownAs('Ab', plain('', 'string'))).toBe('Ab');
});
