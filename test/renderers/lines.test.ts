import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/engine/events.ts';
import { createLines } from '../../src/renderers/lines.ts';
import { eventsAt, movePlan, RUN, restoreFailed } from '../kit/plans.ts';

const restore = { step: 'restore', host: 'newdb' } as const;
const started = {
  type: 'step.started',
  ...restore,
  attempt: 1,
  title: 'Restore',
  summary: 'into engine',
  reattached: false,
} as const;
const progress = (bytes: number) =>
  ({ type: 'step.progressed', ...restore, note: 'restoring', bytes, totalBytes: 1_000_000, log: null }) as const;

function tell(events: readonly Event[]): string {
  let text = '';
  const lines = createLines((piece) => {
    text += piece;
  });
  for (const event of events) lines.emit(event);
  return text;
}

describe('a run told line by line', () => {
  it('has what a person decided about a step, and what comes of it', () => {
    const answered = { type: 'failure.answered', ...restore, by: 'me@here', reason: 'no time' } as const;
    const text = tell(eventsAt([1, { ...answered, answer: 'skip', warnings: ['compare will miss rows.'] }]));
    expect(text).toBe('2026-01-01 02:00:01Z  newdb  restore: skipped by me@here: no time\n      compare will miss rows.\n');
  });

  it('has each event with its moment, and an error with what was left and what to type', () => {
    const text = tell(
      eventsAt(
        [0, { type: 'run.started', plan: movePlan(), resumed: false, done: [] }],
        [1, started],
        [
          9,
          {
            type: 'step.ended',
            ...restore,
            outcome: 'failed',
            summary: 'into engine',
            ms: 8000,
            outputs: {},
            error: restoreFailed,
          },
        ],
        [9, { type: 'run.paused', reason: 'failure', step: 'restore', error: restoreFailed }],
      ),
    );
    expect(text).toBe(
      `
2026-01-01 02:00:00Z  run ${RUN} of migrate-engine-db started: 7 steps
2026-01-01 02:00:01Z  newdb  restore: into engine
2026-01-01 02:00:09Z  newdb  restore: failed after 8.0 s
    error COMMAND_FAILED  restore on newdb ended with exit code 1: pg_restore: error: could not write: No space
      left on device
      Nothing is left of the half restore on newdb.
      ferry resume
2026-01-01 02:00:09Z  run paused: failure at restore
`.trimStart(),
    );
  });

  it('tells progress at every tenth of the way, or after five seconds, and not more', () => {
    const text = tell(
      eventsAt(
        [0, started],
        [1, progress(20_000)],
        [2, progress(90_000)],
        [3, progress(150_000)],
        [4, progress(200_000)],
        [8.5, progress(210_000)],
      ),
    );
    expect(
      text
        .split('\n')
        .filter((line) => line.includes('restoring'))
        .map((line) => line.slice(11, 20)),
    ).toEqual(['02:00:03Z', '02:00:08Z']);
  });

  it('says when a command was joined again and when a step is tried again', () => {
    expect(tell(eventsAt([0, { ...started, reattached: true }]))).toContain('into engine (joined again)');
    expect(tell(eventsAt([0, { ...started, attempt: 2 }]))).toContain('into engine (attempt 2)');
  });

  it('tells undos with what they kept', () => {
    const text = tell(
      eventsAt(
        [0, { type: 'rollback.started', steps: [{ ...restore, summary: 'empty it' }], irreversible: [], to: 'quiesced' }],
        [1, { type: 'undo.started', ...restore, summary: 'empty it' }],
        [
          2,
          {
            type: 'undo.ended',
            ...restore,
            outcome: 'ok',
            ms: 900,
            kept: ['database engine as engine_kept'],
            error: null,
            waitsFor: [],
          },
        ],
        [3, { type: 'run.rolled-back', to: 'quiesced', proof: [], kept: [], ms: 3000 }],
      ),
    );
    expect(text).toBe(
      `
2026-01-01 02:00:00Z  rollback started to checkpoint quiesced: 1 step, last first
2026-01-01 02:00:01Z  newdb  restore: undo: empty it
2026-01-01 02:00:02Z  newdb  restore: undo done in 900 ms
      kept: database engine as engine_kept
2026-01-01 02:00:03Z  rolled back to checkpoint quiesced in 3.0 s
`.trimStart(),
    );
  });

  it('keeps still while a question stands and tells the rest after it', async () => {
    const said: string[] = [];
    const lines = createLines((piece) => said.push(piece));
    await lines.suspend();
    for (const event of eventsAt([0, started])) lines.emit(event);
    expect(said).toEqual([]);
    lines.resume();
    expect(said).toEqual(['2026-01-01 02:00:00Z  newdb  restore: into engine\n']);
  });
});
