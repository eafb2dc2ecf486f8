import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../src/engine/events.ts';
import { type NoticedEnd, NoticeWriter } from '../../src/notify/notice.ts';
import { eventsAt, movePlan, RUN, restoreFailed } from '../kit/plans.ts';

const end = (outcome: NoticedEnd['outcome'], code?: string, goesBack = false): NoticedEnd => ({
  outcome,
  goesBack,
  error: code ? { ...restoreFailed, code } : null,
});
/** What is told of these events and this end, in order. */
function told(bodies: EventBody[], last?: NoticedEnd) {
  const writer = new NoticeWriter(RUN);
  const heard = eventsAt(...bodies.map((body, index) => [index, body] as const)).flatMap((event) => writer.hear(event));
  return last ? [...heard, ...writer.ended(last)] : heard;
}
const gate = (isHeld: boolean): EventBody => ({
  ...{ type: 'gate.waiting', step: 'go', host: 'engine', question: 'Go on?', summary: 'asks for a yes', diff: [] },
  ...{ digest: 'ab'.repeat(32), isHeld, until: null },
});
const failed = (reason: 'failure' | 'drift' = 'failure'): EventBody => ({
  ...{ type: 'run.paused', reason, step: 'restore', error: restoreFailed },
});
const begun: EventBody = { type: 'run.started', plan: movePlan(), resumed: false, done: [] };

describe('what is told of a run', () => {
  it('is its end, with the commands that lead on', () => {
    expect(told([begun], end('finished'))).toEqual([{ type: 'finished', goOn: [`ferry rollback ${RUN} --plan`] }]);
    expect(told([begun], end('rolled-back'))).toEqual([{ type: 'rolled-back', error: null }]);
    expect(told([], end('already-done'))).toEqual([]);
    expect(told([], end('refused', 'LEASE_HELD'))).toMatchObject([{ type: 'refused', error: { code: 'LEASE_HELD' } }]);
    expect(told([begun], end('paused'))).toMatchObject([{ type: 'paused' }]);
    expect(told([begun], end('failed', 'JOURNAL_UNWRITABLE'))).toMatchObject([{ type: 'failed' }]);
  });

  it('is a failure, once, with the moment of the rollback where there is one', () => {
    const ended: EventBody = {
      ...{ type: 'step.ended', step: 'restore', host: 'newdb', outcome: 'failed', summary: '', ms: 0, outputs: {} },
      error: restoreFailed,
    };
    expect(told([begun, ended, failed()], end('failed', restoreFailed.code))).toMatchObject([
      {
        type: 'failed',
        step: 'restore',
        host: 'newdb',
        rollbackAt: null,
        error: restoreFailed,
        goOn: [`ferry resume ${RUN}`, expect.any(String)],
      },
    ]);
    const due: EventBody = { type: 'rollback.due', rollbackAt: '2026-01-01T02:20:00.000Z' };
    expect(told([begun, failed(), due])).toMatchObject([{ type: 'failed', rollbackAt: '2026-01-01T02:20:00.000Z' }]);
    expect(told([failed(), due], end('rolled-back')).map(({ type }) => type)).toEqual(['failed', 'rolled-back']);
    expect(told([failed('drift')], end('failed', restoreFailed.code))).toMatchObject([
      { goOn: [`ferry resume ${RUN} --replan`, expect.any(String)] },
    ]);
  });

  it('is a failure also where the rollback begins at once', () => {
    const back: EventBody = { type: 'rollback.started', steps: [], irreversible: [], to: null };
    expect(told([failed(), back]).map(({ type }) => type)).toEqual(['failed']);
  });

  it('is a question, with commands that approve that one alone, and not the pause it makes besides', () => {
    const paused: EventBody = { type: 'run.paused', reason: 'gate', step: 'go', error: restoreFailed };
    expect(told([gate(false), paused], end('paused', 'GATE_WAITS'))).toMatchObject([
      {
        ...{ type: 'gate', step: 'go', host: 'engine', question: 'Go on?' },
        goOn: [`ferry approve ${RUN} go --digest abababababababab`, `ferry reject ${RUN} go`, `ferry resume ${RUN}`],
      },
    ]);
    const [first, second] = told([gate(true), paused], end('paused', 'GATE_WAITS'));
    expect(first?.goOn).toHaveLength(2);
    expect(second).toMatchObject({ type: 'paused', error: { code: 'GATE_WAITS' } });
    expect(told([gate(false), paused], end('paused', 'GATE_REJECTED')).map(({ type }) => type)).toEqual(['gate', 'paused']);
  });

  it('is a failure while a person is asked about it, and is not told again when they pause', () => {
    const asked: EventBody = { type: 'failure.asked', step: 'restore', host: 'newdb', error: restoreFailed };
    expect(told([begun, asked])).toMatchObject([
      {
        ...{ type: 'failed', step: 'restore', host: 'newdb', error: restoreFailed },
        question: expect.stringContaining('restore on newdb failed. What becomes of it?'),
        goOn: [`ferry takeover ${RUN}`, `ferry resume ${RUN}`],
      },
    ]);
    expect(told([asked, failed()], end('failed', restoreFailed.code))).toHaveLength(1);
    const due: EventBody = { type: 'rollback.due', rollbackAt: '2026-01-01T02:20:00.000Z' };
    expect(told([asked, failed(), due])[1]).toMatchObject({ type: 'failed', rollbackAt: due.rollbackAt });
    const retry: EventBody = {
      ...{ type: 'failure.answered', step: 'restore', host: 'newdb', answer: 'retry', by: 'me', reason: null },
      warnings: [],
    };
    expect(told([asked, retry, asked]).map(({ type }) => type)).toEqual(['failed', 'failed']);
    expect(told([asked, retry, failed()], end('failed', restoreFailed.code))).toHaveLength(2);
    expect(told([asked], end('failed', 'JOURNAL_UNWRITABLE'))[1]).toMatchObject({ error: { code: 'JOURNAL_UNWRITABLE' } });
  });

  it('is a rollback that was announced and does not come, with why', () => {
    const due: EventBody = { type: 'rollback.due', rollbackAt: '2026-01-01T02:20:00.000Z' };
    const off: EventBody = { type: 'rollback.called-off', error: { ...restoreFailed, code: 'ROLLBACK_CALLED_OFF' } };
    const failure = end('failed', restoreFailed.code);
    expect(told([failed(), due, off], failure)).toMatchObject([
      { type: 'failed', rollbackAt: due.rollbackAt },
      {
        ...{ type: 'rollback-stopped', error: { code: 'ROLLBACK_CALLED_OFF' } },
        goOn: [`ferry status ${RUN}`, `ferry resume ${RUN}`, `ferry rollback ${RUN} --plan`],
      },
    ]);
    // Where the waiting itself fails.
    expect(told([failed(), due], end('failed', 'INTERNAL'))[1]).toMatchObject({
      ...{ type: 'rollback-stopped', error: { code: 'INTERNAL' } },
    });
  });

  it.each([
    ['paused', undefined],
    ['paused', 'UNDO_OWED'],
    ['failed', 'JOURNAL_UNWRITABLE'],
    ['failed', restoreFailed.code],
  ] as const)('never names resume for a run that goes back (%s, %s)', (outcome, code) => {
    const back: EventBody = { type: 'rollback.started', steps: [], irreversible: [], to: null };
    const stopped: EventBody = { type: 'run.paused', reason: 'interrupt', step: null, error: null };
    const before = code === restoreFailed.code ? [failed()] : [];
    const notices = told([...before, back, ...(code ? [] : [stopped])], end(outcome, code, true));
    expect(notices.at(-1)).toMatchObject({ type: 'rollback-stopped', goOn: [`ferry rollback ${RUN}`] });
  });

  it('has the form that the schema says', () => {
    const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../schemas/notice.schema.json'), 'utf8'));
    const validate = new Ajv({ strict: false }).compile(schema);
    const rest = { step: null, host: null, question: null, error: null, rollbackAt: null, goOn: [] };
    const about = { version: 1, at: '2026-01-01T02:00:00.000Z', run: RUN, runbook: 'move', by: 'me@here' };
    for (const body of told([gate(true), failed()], end('finished'))) expect(validate({ ...about, ...rest, ...body })).toBe(true);
    expect(validate({ ...about, ...rest, type: 'boom' })).toBe(false);
  });
});
