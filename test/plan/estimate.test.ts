import { describe, expect, it } from 'vitest';
import { timingsOf } from '../../src/engine/timings.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import { estimatePlan, rollbackMs, type Timing } from '../../src/plan/estimate.ts';
import type { PlanLine } from '../../src/plan/plan.ts';
import { movePlan, planLine } from '../kit/plans.ts';

const unit = (active: boolean) => ({
  engine: { 'unitState(x.service)': { state: 'value' as const, value: { active, enabled: 'enabled' } } },
});
const lines: PlanLine[] = [
  planLine({ step: 'stop', host: 'engine', uses: 'service.stop', predicts: unit(false), needs: [] }),
  planLine({ step: 'dump', host: 'engine', uses: 'postgres.dump', bytes: 200_000_000, needs: ['stop'] }),
  planLine({ step: 'notes', host: 'he1', uses: 'file.put', needs: ['stop'] }),
  planLine({ step: 'start', host: 'engine', uses: 'service.start', predicts: unit(true), needs: ['dump', 'notes'] }),
  planLine({ step: 'tidy', host: 'engine', uses: 'file.remove', undo: null, needs: ['start'] }),
];
const plan = movePlan({ lines });
const took = (step: string, uses: string, ms: number, more: Partial<Timing> = {}): Timing => ({
  ...{ runbook: plan.runbook.name, step, uses, ms, isUndo: false, bytes: null },
  ...more,
});

describe('an estimate', () => {
  it('takes what a step took before, scaled to what it moves now, and says when nothing is known', () => {
    const { steps, isGuess } = estimatePlan(plan, [
      took('stop', 'service.stop', 4000),
      took('dump', 'postgres.dump', 11_500, { bytes: 100_000_000 }),
      took('else', 'file.put', 300, { runbook: 'other' }),
    ]);
    expect(steps.map(({ step, ms, basis }) => [step, ms, basis])).toEqual([
      ['stop', 4000, 'step'],
      ['dump', 21_500, 'step'],
      ['notes', 300, 'type'],
      ['start', 2500, 'guess'],
      ['tidy', 2500, 'guess'],
    ]);
    expect(isGuess).toBe(false);
    expect(estimatePlan(plan, []).isGuess).toBe(true);
  });

  it('takes what a step on many hosts took on one of them for the others, and counts how many are done at once', () => {
    const part = (concurrency: number | null) => ({ of: 'patch', concurrency });
    const over = (concurrency: number | null, hosts: readonly string[]) =>
      movePlan({
        lines: hosts.map((host) => planLine({ step: `patch@${host}`, host, uses: 'service.restart', part: part(concurrency) })),
      });
    const took3 = [took('patch', 'service.restart', 3000)];
    const msOf = (concurrency: number | null) => estimatePlan(over(concurrency, ['w1', 'w2', 'w3']), took3);
    expect(msOf(null)).toMatchObject({ totalMs: 3000, isGuess: false });
    expect(msOf(2)).toMatchObject({ totalMs: 6000, criticalPath: ['patch@w2', 'patch@w3'] });
    expect(msOf(1).totalMs).toBe(9000);
  });

  it('counts steps side by side once: the longest way is what it takes, and downtime ends when what was stopped runs', () => {
    const timings = [
      took('stop', 'service.stop', 1000),
      took('dump', 'postgres.dump', 30_000, { bytes: 200_000_000 }),
      took('notes', 'file.put', 9000),
      took('start', 'service.start', 5000),
      took('tidy', 'file.remove', 2000),
    ];
    const estimate = estimatePlan(plan, timings);
    expect(estimate).toMatchObject({ totalMs: 38_000, downtimeMs: 36_000, criticalPath: ['stop', 'dump', 'start', 'tidy'] });
  });

  it('knows no downtime where nothing is stopped, nor where it does not come back', () => {
    expect(estimatePlan(movePlan({ lines: lines.slice(1, 3) }), []).downtimeMs).toBe(null);
    expect(estimatePlan(movePlan({ lines: lines.slice(0, 3) }), []).downtimeMs).toBe(null);
  });

  it('takes the undo of each step from undos of its type', () => {
    const estimate = estimatePlan(plan, [took('x', 'service.stop', 7000, { isUndo: true })]);
    const { steps } = estimate;
    expect(steps.map(({ undoMs }) => undoMs)).toEqual([7000, 2500, 2500, 2500, 0]);
    // The proof comes on top, and only when there is something to prove.
    expect(rollbackMs(estimate, ['stop', 'dump'])).toBe(11_000);
    expect(rollbackMs(estimate, [])).toBe(0);
    const way = { to: null, undoes: ['dump', 'stop'], unsure: [], stays: [], losesFrom: null };
    expect(estimatePlan({ ...plan, waysBack: [way] }, []).waysBackMs).toEqual([6500]);
  });
});

describe('the timings of a run', () => {
  const record = (second: number, type: string, step: string | null, body: object = {}): JournalRecord => ({
    ...{ seq: second + 1, epoch: 1, type, step, host: null, hash: null },
    at: new Date(1_700_000_000_000 + second * 1000).toISOString(),
    body: body as JournalRecord['body'],
  });
  const first = record(0, 'run.started', null, { plan: JSON.parse(JSON.stringify(plan)) as object });

  it('are those from intent to proof, with what was moved', () => {
    const records = [
      first,
      record(1, 'step.intended', 'dump'),
      record(9, 'step.applied', 'dump'),
      record(10, 'step.verified', 'dump'),
    ];
    expect(timingsOf(records)).toEqual([took('dump', 'postgres.dump', 9000, { bytes: 200_000_000 })]);
  });

  it('leave out what failed, died or was joined again, and know undos', () => {
    const records = [
      first,
      record(1, 'step.intended', 'dump'),
      record(5, 'step.failed', 'dump'),
      record(6, 'step.intended', 'dump'),
      record(900, 'run.resumed', null),
      record(901, 'step.verified', 'dump'),
      record(910, 'step.undoing', 'dump'),
      record(913, 'step.undone', 'dump'),
    ];
    expect(timingsOf(records)).toEqual([took('dump', 'postgres.dump', 3000, { isUndo: true, bytes: 200_000_000 })]);
  });
});
