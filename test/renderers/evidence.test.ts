import { describe, expect, it } from 'vitest';
import { evidenceLines } from '../../src/renderers/evidence.ts';
import { partlyDone } from '../kit/plans.ts';

describe('the evidence on a step in doubt', () => {
  it('says per host what its attempt left, per fact what it was, was to be and is, and then the verdict', () => {
    expect(evidenceLines(partlyDone, { width: 110, colour: false }).join('\n')).toBe(
      `
  newdb   attempt 2: make ended with exit code 0, load left no exit code (it was killed by SIGKILL)
  engine  attempt 2: never opened here
  he1     attempt 2: opened, nothing was run
  pgDatabase(5432, engine) on newdb: absent -> 156 tables; now 12 tables (neither as it was nor as foreseen)
  pgRole(5432, engine) on newdb: absent -> there; now there (as planned)
  diskMount(/) on newdb: was a; now b (neither as it was nor as foreseen)
  It is partly done: a new attempt does the rest; what undoes it is on record.`.slice(1),
    );
  });

  it('cuts a list of commands that would fill the screen, and keeps control characters of a host away', () => {
    const commands = Array.from({ length: 20 }, (_, index) => ({
      ...{ name: `c${index}\u001b[2J`, detached: true, code: null, why: null },
      state: 'running' as const,
    }));
    const text = evidenceLines(
      { attempt: 1, verdict: 'running', hosts: [{ host: 'a', commands }], facts: [] },
      { width: 400, colour: false },
    ).join('\n');
    expect(text).toContain('and 12 commands more');
    expect(text).not.toContain('\u001b');
  });
});
