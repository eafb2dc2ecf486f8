import { describe, expect, it } from 'vitest';
import { onFailureOf } from '../../src/cli/running-options.ts';
import { loadRunbook } from '../../src/runbook/load.ts';
import { parseOnFailure } from '../../src/runbook/on-failure.ts';

describe('what becomes of a run that fails', () => {
  it.each([
    ['pause', null],
    ['rollback', 0],
    ['pause 20m, then rollback', 20 * 60_000],
    ['pause 1h30m,then rollback', 90 * 60_000],
    ['  pause  90s , then  rollback ', 90_000],
  ])('reads %j', (text, rollBackAfterMs) => {
    expect(parseOnFailure(text)).toEqual({ rollBackAfterMs });
  });

  it.each([
    '',
    'pause 20m',
    'rollback 20m',
    'pause twenty, then rollback',
    'pause 20m, then resume',
    'pause, then rollback',
    'PAUSE',
  ])('reads nothing from %j', (text) => {
    expect(parseOnFailure(text)).toBeNull();
  });

  const load = (onFailure: string) =>
    loadRunbook('r.yaml', {
      readFile: async () =>
        `ferry: 1\nname: book\nonFailure: ${onFailure}\nroles: { a: }\nsteps:\n  - { id: one, host: a, uses: service.read, with: { units: [x] } }\n`,
    });

  it('is what was typed, else what the runbook says, else a pause', async () => {
    const loaded = await load('pause 20m, then rollback');
    const runbook = 'runbook' in loaded ? loaded.runbook : {};
    expect(onFailureOf(runbook, {})).toEqual({ rollBackAfterMs: 1_200_000 });
    expect(onFailureOf(runbook, { onFailure: 'pause' })).toEqual({ rollBackAfterMs: null });
    expect(onFailureOf({}, {})).toEqual({ rollBackAfterMs: null });
  });

  it('is refused in a runbook in other words', async () => {
    const loaded = await load('retry');
    expect('diagnostics' in loaded && loaded.diagnostics.map(({ message }) => message).join()).toContain(
      'pause 20m, then rollback',
    );
  });
});
