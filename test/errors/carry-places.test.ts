import { describe, expect, it } from 'vitest';
import { carryHint, carryPlaces } from '../../src/errors/carry-places.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';

describe('a command that is told', () => {
  it('stays as it is where no place was typed', () => {
    expect(carryPlaces('ferry resume r-1', {})).toBe('ferry resume r-1');
    expect(carryPlaces('ferry resume r-1')).toBe('ferry resume r-1');
  });

  it.each([
    ['ferry resume r-1', 'ferry resume r-1 --state-dir /s'],
    [
      'Look at the host, then  ferry resume  (tries again) or  ferry rollback.',
      'Look at the host, then  ferry resume --state-dir /s  (tries again) or  ferry rollback --state-dir /s.',
    ],
    [
      'ferry approve r-1 go   and   ferry resume r-1   go on;',
      'ferry approve r-1 go --state-dir /s   and   ferry resume r-1 --state-dir /s   go on;',
    ],
    [
      'ferry status r-1;  if it hangs:  ferry takeover r-1',
      'ferry status r-1 --state-dir /s;  if it hangs:  ferry takeover r-1 --state-dir /s',
    ],
    [
      'ferry rollback r-1 --to c --discard-writes   goes back',
      'ferry rollback r-1 --to c --discard-writes --state-dir /s   goes back',
    ],
    ['ferry takeover r-1 --from engine --state-dir NEW', 'ferry takeover r-1 --from engine --state-dir NEW'],
    ['ferry resume --help', 'ferry resume --help'],
    ['ferry actions file.put', 'ferry actions file.put'],
  ])('carries the state folder: %s', (told, carried) => {
    expect(carryPlaces(told, { stateDir: '/s' })).toBe(carried);
    expect(carryPlaces(carried, { stateDir: '/s' })).toBe(carried);
  });

  it('names the folder as one word of a shell', () => {
    expect(carryPlaces('ferry resume r-1', { stateDir: "/my runs/it's" })).toBe(
      "ferry resume r-1 --state-dir '/my runs/it'\\''s'",
    );
  });

  it('carries the inventory where a command knows no other, and nothing where it is typed on another machine', () => {
    const places = { stateDir: '/s', inventory: '/i.yaml' };
    const example = { host: 'engine', run: 'r-1', holder: 'root@admin1', since: '2026-01-01T02:00:00Z' };
    const { hint = null } = new FerryError('LEASE_HELD', example);
    expect(carryHint({ hint }, places)?.hint).toBe(
      'ferry resume r-1   or   ferry rollback r-1   on root@admin1; if that machine is lost:  ferry takeover r-1 --from engine -i /i.yaml --state-dir /s;  if that run is given up for good:  ferry unlock engine --abandon -i /i.yaml --state-dir /s',
    );
    expect(carryPlaces('ferry resume r-1', places)).toBe('ferry resume r-1 --state-dir /s');
  });
});
