import { describe, expect, it } from 'vitest';
import { historyLost, readHistory } from '../../../src/actions/ovirt/history.ts';

const whole = readHistory('since=2024-01-01 00:00:00+00\nfilled=calendar\nfilled=host_configuration\n');
const before = { since: '2024-01-01 00:00:00+00', filled: ['calendar', 'host_configuration'] };

describe('the history of a data warehouse', () => {
  it('is read with since when it is there and which tables have rows', () => {
    expect(whole).toEqual(before);
    expect(readHistory('')).toEqual({ since: null, filled: [] });
  });

  it.each([
    ['is whole', before, whole, null],
    ['is there, with more in it', before, { ...whole, filled: [...whole.filled, 'vm_configuration'] }, null],
    ['is there, and nothing is known of before', { since: undefined, filled: [] }, whole, null],
    ['is empty', { since: undefined, filled: [] }, readHistory(''), 'it says of no history when it began'],
    ['lost the rows of a table', before, { ...whole, filled: ['calendar'] }, 'nothing is in host_configuration any more'],
    [
      'was begun anew',
      before,
      { ...whole, since: 'not yet' },
      'its history begins at "not yet" and not at "2024-01-01 00:00:00+00"',
    ],
  ])('%s', (_, then, now, why) => {
    expect(historyLost(then, now)).toBe(why);
  });
});
