import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wire } from '../../src/cli/wire.ts';
import { FerryError } from '../../src/errors/ferry-error.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { eventsAt, movePlan, restoreFailed } from '../kit/plans.ts';
import { PrivateHost } from '../kit/private-host.ts';

const busy = {
  resumeRun: async () => {
    throw new FerryError('RUN_BUSY', { run: 'r-1', pid: 1, since: 'then' });
  },
};

describe('the commands that lead on', () => {
  it('carry the state folder that was typed, in text and in JSON', async () => {
    const status = typed(['status', '--state-dir', '/my runs']);
    expect(await status.exit).toBe(0);
    expect(status.out.text()).toMatch(/^go on +ferry resume \S+ --state-dir '\/my runs'$/m);
    expect(status.out.text()).toMatch(/^go back +ferry rollback \S+ --plan --state-dir '\/my runs'$/m);
    const json = typed(['resume', '--json', '--state-dir', '/s'], { wire: modelWire(undefined, busy).wire });
    await json.exit;
    expect(json.err.text()).toContain('ferry status r-1 --state-dir /s;');
  });

  it('need none where FERRY_STATE_DIR names it', async () => {
    const status = typed('status', { env: { FERRY_STATE_DIR: '/s' } });
    await status.exit;
    expect(status.out.text()).not.toContain('--state-dir');
  });

  it.each([
    ['a log', ['--yes'], {}],
    ['a terminal', ['--yes'], { terminal: true, columns: 300 }],
    ['a program', ['--json'], {}],
  ])('carry it while a run goes on, in what is told %s', async (_to, words, around) => {
    const plan = movePlan();
    const { step, host, summary } = plan.lines[0] ?? { step: '', host: '', summary: '' };
    const on = { step, host, summary };
    const asked = { question: 'Go on?', diff: [], digest: 'ab'.repeat(32), isHeld: true, until: null };
    const events = eventsAt(
      [0, { type: 'run.started', plan, resumed: false, done: [] }],
      [1, { type: 'gate.waiting', ...on, ...asked }],
      [2, { type: 'step.ended', ...on, outcome: 'failed', ms: 1, outputs: {}, error: restoreFailed }],
    );
    const { wire } = modelWire(plan, {
      async runRunbook(_path, _options, io) {
        for (const event of events) io.emit(event);
        return { outcome: 'refused', run: null, error: null, exit: 5 };
      },
    });
    const run = typed(['run', 'move.yaml', ...words, '--state-dir', '/s'], { wire, ...around });
    expect(await run.exit).toBe(5);
    const told = run.out.text() + run.err.text();
    expect(told).toContain('ferry resume --state-dir /s');
    if (!words.includes('--json')) expect(told).toMatch(/from elsewhere: ferry approve \S+ \S+ --state-dir \/s {3}or/);
  });

  it('carry the inventory that was found beside the runbook, where they know no other', async () => {
    const host = new PrivateHost();
    onTestFinished(() => host.remove());
    const gate = '{ id: go, host: here, uses: gate.confirm, with: { question: Go on? } }';
    const put = `{ id: put, host: here, uses: file.put, with: { path: ${host.dir}/x, content: x } }`;
    await host.start(`ferry: 1\nname: asks\nroles: { here: {} }\nsteps: [ ${gate}, ${put} ]\n`);
    const ferry = (...words: string[]) => typed([...words, '--state-dir', `${host.dir}/state`], { wire });
    expect(await ferry('run', `${host.dir}/runbook.yaml`, '--json').exit).toBe(3);
    const unlock = `ferry unlock here --abandon -i ${host.dir}/inventory.yaml --state-dir ${host.dir}/state`;
    const plan = ferry('plan', `${host.dir}/runbook.yaml`);
    expect(await plan.exit).toBe(5);
    expect(plan.out.text()).toContain(`${unlock}   gives it up`);
    const json = ferry('unlock', 'here', '--json');
    expect(await json.exit).toBe(5);
    expect(json.err.text()).toContain(`${unlock}"`);
    const again = ferry('run', `${host.dir}/runbook.yaml`, '--json');
    expect(await again.exit).toBe(5);
    expect(JSON.parse(again.err.text()).error.findings[0].hint).toContain(unlock);
  });
});

describe('a state folder without the run', () => {
  it('is named, with the way on where it was lost', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'ferry-empty-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    for (const words of [['status'], ['resume'], ['rollback', '--plan'], ['status', 'r-1']]) {
      const ferry = typed([...words, '--state-dir', dir], { wire });
      expect(await ferry.exit).toBe(64);
      expect(ferry.err.text().replaceAll(/\s+/g, ' ')).toContain(`in the state folder ${dir}.`);
      expect(ferry.err.text()).toMatch(/If that folder was lost: {2}ferry takeover (RUN|r-1) --from HOST -i FILE --state-dir /);
    }
  });
});

describe('a run that is over', () => {
  it.each([
    ['finished', 'go back  ferry rollback r-1 --plan'],
    ['rolled-back', 'begin again  ferry run move.yaml'],
  ])('leads on when it is %s', (phase, hint) => {
    expect(new FerryError('RUN_OVER', { run: 'r-1', phase, verb: 'resume', path: 'move.yaml' }).hint).toBe(hint);
  });
});
