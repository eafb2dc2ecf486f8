import { describe, expect, it } from 'vitest';
import { readTerms } from '../../src/runbook/read-terms.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';

describe('the terms of a step', () => {
  it.each([
    [
      { cpuWeight: 20, ioWeight: 30, memoryMax: '2GiB' },
      '10m',
      { limits: { cpuWeight: 20, ioWeight: 30, memoryMaxBytes: 2 ** 31 }, stallAfterMs: 600_000 },
    ],
    [{ memoryMax: '1.5 GB' }, undefined, { limits: { memoryMaxBytes: 1_500_000_000 } }],
    [undefined, '90s', { stallAfterMs: 90_000 }],
    [undefined, undefined, undefined],
    // What the schema refuses is told by the schema.
    [{ memoryMax: 'much' }, 'soon', undefined],
  ])('%j and %j', (limits, stallAfter, terms) => {
    expect(readTerms(limits, stallAfter)).toEqual(terms);
  });

  it('are in the plan', async () => {
    const limited = { ...step('send', 'model.detached', { key: 'log', value: 'x' }), terms: { limits: { cpuWeight: 20 } } };
    const run = new ModelRun(runbookOf([limited]), { 'a/log': 'start.' });
    await run.start();
    expect(run.state.plan.lines[0]?.notes).toEqual(['long commands: CPU weight 20']);
  });
});
