import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/engine/events.ts';
import { createOutcome } from '../../src/renderers/outcome.ts';
import { eventsAt, movePlan, planLine, RUN, restoreFailed } from '../kit/plans.ts';

const restoreStep = { step: 'restore', host: 'newdb' };
const page = { width: 100, colour: false };
const ended = (step: string, outputs: Record<string, number | string | boolean>) =>
  ({
    type: 'step.ended',
    step,
    host: 'engine',
    outcome: 'ok',
    summary: `${step} holds`,
    ms: 1000,
    outputs,
    error: null,
  }) as const;

function after(events: readonly Event[]) {
  const teller = createOutcome();
  for (const event of events) teller.hear(event);
  return teller;
}

describe('the closing lines of a run', () => {
  it('say what was done, what the comparison found, and that going back is lossy after the write line', () => {
    const teller = after(
      eventsAt(
        [0, { type: 'run.started', plan: movePlan(), resumed: false, done: [] }],
        [60, ended('compare', { equal: true, tables: 156, rows: 1_204_332, sequences: 42 })],
        [130, { type: 'run.finished', ms: 130_000, steps: 7 }],
      ),
    );
    expect(teller.text({ outcome: 'finished', run: RUN, error: null }, page)).toBe(
      [
        'Done: migrate-engine-db, 7 steps in 2 min 10 s.',
        '  compare  156 tables, 1,204,332 rows, 42 sequences: equal',
        '',
        `go back  ferry rollback ${RUN} --plan   (gives up what was written since the write line)`,
      ].join('\n'),
    );
  });

  it('say how a rollback that stopped goes on, and never to resume the run it takes back', () => {
    const teller = after(
      eventsAt([0, { type: 'rollback.started', steps: [{ ...restoreStep, summary: 'empty it' }], irreversible: [], to: null }]),
    );
    const text = teller.text({ outcome: 'paused', run: RUN, error: { ...restoreFailed, hint: null } }, page);
    expect(text).toContain('Not rolled back yet.');
    expect(text).toContain(`ferry rollback ${RUN}   (goes on with what is left of it)`);
    expect(text).not.toContain('ferry resume');
    const unread = { code: 'PROOF_UNREAD', message: 'newdb does not answer.', hint: null, left: null };
    expect(teller.text({ outcome: 'paused', run: RUN, error: unread }, page)).toMatch(/^Undone, and not proven yet\./);
  });

  it('name what a rollback could not take back beside its proof', () => {
    const why = 'what the command did: mail is sent';
    const teller = after(
      eventsAt(
        [0, { type: 'rollback.started', steps: [], irreversible: [], to: null }],
        [1, { type: 'run.rolled-back', to: null, proof: [], kept: [`he1: ${why}`], ms: 3000 }],
      ),
    );
    expect(teller.text({ outcome: 'rolled-back', run: RUN, error: null }, page)).toContain(`  stays: he1: ${why}`);
  });

  it('leave out reads, which only hand values on, and steps that are no checks', () => {
    const plan = movePlan({
      lines: [
        planLine({ step: 'read-conf', host: 'engine', kind: 'check', uses: 'config.read' }),
        planLine({ step: 'dump', host: 'engine' }),
      ],
    });
    const teller = after(
      eventsAt(
        [0, { type: 'run.started', plan, resumed: false, done: [] }],
        [1, ended('read-conf', { port: 5432 })],
        [2, ended('dump', { bytes: 61 })],
      ),
    );
    expect(teller.text({ outcome: 'finished', run: RUN, error: null }, page)).not.toMatch(/5,432|61/);
  });

  it('say at which step a run was paused, why, and both ways on', () => {
    const teller = after(
      eventsAt(
        [0, { type: 'run.started', plan: movePlan(), resumed: false, done: [] }],
        [9, { type: 'run.paused', reason: 'failure', step: 'restore', error: restoreFailed }],
      ),
    );
    expect(teller.text({ outcome: 'paused', run: RUN, error: restoreFailed }, page)).toBe(
      `
Paused: restore failed.
error COMMAND_FAILED  restore on newdb ended with exit code 1: pg_restore: error: could not write:
  No space left on device
  Nothing is left of the half restore on newdb.
  ferry resume

go on    ferry resume ${RUN}
go back  ferry rollback ${RUN} --plan`.trimStart(),
    );
  });

  it('say how to go on where other hands changed something: to resume alone would be refused again', () => {
    const drift = eventsAt([0, { type: 'run.paused', reason: 'drift', step: 'restore', error: restoreFailed }]);
    const text = after(drift).text({ outcome: 'failed', run: RUN, error: restoreFailed }, page);
    expect(text).toContain(`go on    ferry resume ${RUN} --replan`);
  });

  it('say of a second run that it is already done', () => {
    expect(createOutcome().text({ outcome: 'already-done', run: null, error: null }, page)).toBe(
      'Already done: nothing was changed.',
    );
  });

  it('end a rollback with its proof', () => {
    const proof = [
      { host: 'he1', key: 'maintenanceMode()', verdict: 'differs', before: 'none', now: 'global', why: null },
      {
        host: 'newdb',
        key: 'pgDatabase(5432, engine_kept)',
        verdict: 'kept',
        before: 'absent',
        now: 'exists',
        why: 'the new database',
      },
      { host: 'engine', key: 'unitState(x)', verdict: 'equal', before: 'active', now: 'active', why: null },
    ] as const;
    const teller = after(eventsAt([0, { type: 'run.rolled-back', to: null, proof, kept: [], ms: 3000 }]));
    expect(teller.text({ outcome: 'rolled-back', run: RUN, error: null }, page)).toBe(
      `
Rolled back to before the run in 3.0 s.
Proof: 3 facts read again: 1 equal, 1 kept on purpose, 1 differs.
  differs  he1  maintenanceMode()
           none -> global
  kept     newdb  pgDatabase(5432, engine_kept)
           absent -> exists: the new database`.trimStart(),
    );
  });
});
