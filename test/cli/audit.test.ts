import { describe, expect, it } from 'vitest';
import { auditRun } from '../../src/cli/audit.ts';
import { trailOf } from '../../src/cli/audit-trail.ts';
import { hashOf, headOf } from '../../src/journal/chain.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import { auditMarkdown, auditText } from '../../src/renderers/audit.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { ModelRun, runbookOf, step } from '../kit/model-run.ts';
import { inventoryOfModel, takeOver } from '../kit/taking-over.ts';

const page = { width: 110, colour: false };
const moved = () =>
  new ModelRun(
    runbookOf([
      step('conf', 'model.atomic', { key: 'conf', value: 'new' }),
      step('ask', 'model.gate', { question: 'start | it?' }),
      step('start', 'model.atomic', { key: 'conf', value: 'new' }, { role: 'b' }),
    ]),
    { 'a/conf': 'old', 'b/conf': 'old' },
  );
const audit = (
  run: ModelRun,
  records: readonly JournalRecord[] | (() => readonly JournalRecord[]) = run.journal.read('r-model'),
  offline = false,
) => {
  const options = {
    inventory: inventoryOfModel,
    inputs: new Map(),
    secrets: new Map(),
    roles: new Map(),
    yes: false,
    json: false,
    offline,
  };
  return auditRun('r-model', typeof records === 'function' ? records : () => records, options, () => run.world);
};
/** The same records with one changed, and all hashes from it on made anew, as one does who can write the file. */
function rewritten(records: readonly JournalRecord[], seq: number, change: Partial<JournalRecord>): JournalRecord[] {
  const made: JournalRecord[] = [];
  for (const record of records) {
    const next = record.seq === seq ? { ...record, ...change } : record;
    made.push({ ...next, hash: hashOf(headOf('r-model', made), next) });
  }
  return made;
}

describe('an audit', () => {
  it('finds the records of a run intact, and says up to which of them hosts vouch for it', async () => {
    const run = moved();
    await run.start();
    const report = await audit(run);
    const last = run.journal.read('r-model').findLast(({ type }) => type === 'step.intended')?.seq ?? 0;
    expect(report).toMatchObject({ fault: null, unchained: 0, records: run.journal.read('r-model').length });
    expect(report.witnesses).toContainEqual({ host: 'b', records: last, silent: null });
    expect(auditText(report, page)).toContain(`records in one chain, the first ${last} as hosts have them too.`);
  });

  it('finds a record that was changed, also where all hashes after it were made anew', async () => {
    const run = moved();
    await run.start();
    const records = run.journal.read('r-model');
    const change = { body: { ...records[3]?.body, by: 'somebody else' } };
    expect((await audit(run, records.with(3, { ...(records[3] as JournalRecord), ...change }), true)).fault).toMatchObject({
      seq: 4,
    });
    const report = await audit(run, rewritten(records, 4, change));
    expect(report.fault).toMatchObject({ seq: 4, why: expect.stringMatching(/^[ab] has another one there$/) });
    expect((await audit(run, rewritten(records, 4, change), true)).fault).toBe(null);
    expect(auditText(report, page)).toMatch(/^Not intact: record 4:/m);
  });

  it('misses records that were cut off at the end, when a host has them', async () => {
    const run = moved();
    await run.start();
    const records = run.journal.read('r-model');
    const last = records.findLast(({ type }) => type === 'step.intended')?.seq ?? 0;
    expect((await audit(run, records.slice(0, last))).fault).toBe(null);
    expect((await audit(run, records.slice(0, last - 1))).fault).toEqual({
      seq: last,
      why: 'it is not in this journal, and b has it',
    });
    expect((await audit(run, records.slice(0, 1))).fault).toMatchObject({ seq: 2 });
  });

  it('takes no record for one put in that was made while hosts were asked, of a run that goes on', async () => {
    const run = moved();
    await run.start();
    const records = run.journal.read('r-model');
    let reads = 0;
    const growing = () => records.slice(0, (reads += 1) === 1 ? 3 : records.length);
    expect(await audit(run, growing)).toMatchObject({ fault: null, records: records.length });
  });

  it("finds a host's copy that was changed", async () => {
    const run = moved();
    await run.start();
    const lines = run.world.copies.get('b/r-model') ?? [];
    run.world.copies.set('b/r-model', lines.with(2, 'x'));
    expect((await audit(run)).fault).toEqual({ seq: 3, why: 'on b it is no record' });
  });

  it('names a host that cannot be asked, which is no fault', async () => {
    const run = moved();
    await run.start();
    run.world.away.add('b');
    const report = await audit(run);
    expect(report.fault).toBe(null);
    expect(report.witnesses).toContainEqual({ host: 'b', records: null, silent: expect.stringContaining('no route') });
    expect(auditText(report, page)).toMatch(/^ {2}b +not asked: .*no route/m);
  });

  it('tells who did what when, in each form', async () => {
    const run = moved();
    await run.start();
    await takeOver(run, { yes: true }).catch(() => undefined);
    await run.rollBack();
    const trail = trailOf(run.journal.read('r-model'));
    const told = trail.map(({ by, what }) => `${by}: ${what}`);
    expect(told[0]).toMatch(/^null: began model, plan [0-9a-f]{8}$/);
    expect(told).toContain('me@model: ask: answered yes to: start | it? (in the terminal)');
    expect(told).toContain('me@model: began to take it back: start, conf');
    expect(told).toContain('me@model: conf on a: undone');
    expect(told.at(-1)).toMatch(/^me@model: taken back; of \d+ facts \d+ are as before, 0 kept on purpose, 0 differ$/);
    const report = await audit(run);
    expect(auditText(report, page)).toMatch(/^ +\d+ {2}1970-01-01 00:00:00Z {2}me@model {2}conf on a: undone$/m);
    const markdown = auditMarkdown(report);
    expect(markdown).toMatch(/^# Run r-model: model$/m);
    expect(markdown).toContain('| me@model | ask: answered yes to: start \\| it? (in the terminal) |');
  });

  it('tells a record of a type it does not know by what stands in it', () => {
    const record = { seq: 9, at: 'then', epoch: 1, step: 'go', host: null, hash: null };
    const body = { by: 'you@there', reason: 'not now', bulky: {} };
    expect(trailOf([{ ...record, type: 'gate.shrugged', body }])).toEqual([
      { seq: 9, at: 'then', by: 'you@there', what: 'go: gate shrugged: reason not now' },
    ]);
  });

  it('tells what was removed from which host, and which counted as gone', () => {
    const record = { seq: 9, at: '2026-01-01T02:00:00.000Z', epoch: 1, step: null, hash: '' };
    const [one, two] = trailOf([
      { ...record, type: 'host.cleaned', host: 'a', body: { bytes: 2048 } },
      { ...record, type: 'host.cleaned', host: 'b', body: { bytes: 0, lost: true } },
    ]);
    expect(one?.what).toBe('2.0 kB of it removed from a');
    expect(two?.what).toBe('b counted as cleaned: it is lost for good');
  });
});

describe('ferry audit', () => {
  it('ends with 0 where all is intact and with 1 where it is not, after it has shown what it found', async () => {
    expect(await typed('audit').exit).toBe(0);
    const report = { run: 'r-1', runbook: 'move', records: 3, unchained: 0, witnesses: [], trail: [] };
    const { wire } = modelWire(undefined, { auditRun: async () => ({ ...report, fault: { seq: 2, why: 'it is missing' } }) });
    const { exit, out, err } = typed('audit r-1 --json', { wire });
    expect(await exit).toBe(1);
    expect(JSON.parse(out.text())).toMatchObject({ fault: { seq: 2 } });
    expect(JSON.parse(err.text())).toMatchObject({ error: { code: 'AUDIT_BROKEN' } });
  });
});
