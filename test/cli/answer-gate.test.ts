import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { wire } from '../../src/cli/wire.ts';
import type { Event } from '../../src/engine/events.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import { modelWire, typed } from '../kit/ferry.ts';
import { RUN } from '../kit/plans.ts';
import { PrivateHost } from '../kit/private-host.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const RUNBOOK = `ferry: 1
name: asks
roles: { here: {} }
steps:
  - { id: go, host: here, uses: gate.confirm, with: { question: "Users cannot work from here on. Go on?" } }
  - { id: sure, host: here, uses: gate.confirm, with: { question: Really? } }
`;

let host: PrivateHost;
let dir: string;
let children: ChildProcess[];
beforeEach(async () => {
  host = new PrivateHost();
  ({ dir } = host);
  children = [];
  await host.start(RUNBOOK);
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  host.remove();
});

const around = () => ['--state-dir', join(dir, 'state')];

/** A Ferry in a process of its own, where nobody sits; `events` are those it has told so far. */
function elsewhere(...words: string[]) {
  const child = spawn(process.execPath, [MAIN, ...words, '--json', ...around()], {
    cwd: dir,
    env: { PATH: process.env.PATH, HOME: dir, NO_COLOR: '1', CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (said.out += chunk));
  child.stderr.on('data', (chunk) => (said.err += chunk));
  const ended = new Promise<{ code: number | null; err: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, err: said.err })),
  );
  const events = () => said.out.split('\n').flatMap((line) => (line.startsWith('{"') ? [JSON.parse(line) as Event] : []));
  return { events, ended };
}

/** A verb in this process, on the same state folder. */
async function ferry(...words: string[]) {
  const one = typed([...words, ...around()], { wire });
  return { code: await one.exit, out: one.out.text(), err: one.err.text() };
}

describe('ferry approve', () => {
  it('is heard by the Ferry that waits for it and holds the lock of the run, and so is ferry reject', async () => {
    const run = elsewhere('run', join(dir, 'runbook.yaml'), '--wait', '1m');
    const waiting = () => run.events().filter(({ type }) => type === 'gate.waiting').length;
    await expect.poll(waiting, { timeout: 20_000 }).toBe(1);
    const approval = await ferry('approve', '--comment', 'counts agree');
    expect(approval).toMatchObject({ code: 0, out: expect.stringContaining('The Ferry that waits for it goes on') });
    expect(approval.err).toContain('Users cannot work from here on. Go on?');
    await expect.poll(waiting, { timeout: 20_000 }).toBe(2);
    expect(await ferry('reject', '--reason', 'not tonight')).toMatchObject({ code: 0 });
    expect(await run.ended).toMatchObject({ code: 3, err: expect.stringContaining('GATE_REJECTED') });
    const status = await ferry('status');
    expect(status.out).toMatch(/gate +go: approved by \S+@\S+, .*\(counts agree\)/);
    expect(status.out).toMatch(/gate +sure: rejected by \S+@\S+, .*\(not tonight\)/);
    // Numbered without gaps, whoever wrote them.
    const journal = openSqliteJournal(join(dir, 'state'));
    const [{ run: id = '' } = {}] = journal.runs();
    const records = journal.read(id);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    expect(journal.readAfter(id, records.length - 2)).toEqual(records.slice(-2));
    journal.close();
  }, 60_000);

  it('lets a paused run go on without being asked again, also when it came before the step', async () => {
    const paused = await ferry('run', join(dir, 'runbook.yaml'));
    expect(paused).toMatchObject({ code: 3, err: expect.stringContaining('waits for a yes') });
    expect(paused.out).toMatch(/ferry approve r-\S+ go --state-dir \S+ {3}and {3}ferry resume/);
    expect((await ferry('status')).out).toMatch(/gate +go waits for a person since .*Z: Users cannot work/);
    const run = /r-\d{8}-\d{6}-[0-9a-f]{4}/.exec(paused.out)?.[0] ?? '';
    expect((await ferry('approve', run, 'go', '--digest', 'feedfeed')).err).toContain('APPROVAL_STALE');
    for (const less of ['', 'feed', 'no digest at all'])
      expect(await ferry('approve', run, 'go', '--digest', less)).toMatchObject({
        code: 64,
        err: expect.stringContaining('USAGE_WRONG'),
      });
    expect(await ferry('approve', run, 'go')).toMatchObject({ code: 0, out: expect.stringContaining(`ferry resume ${run}`) });
    const early = await ferry('approve', run, 'sure');
    expect(early).toMatchObject({ code: 0, err: expect.stringContaining('not asked yet: this is its line in the plan') });
    expect(await ferry('resume')).toMatchObject({ code: 0, err: expect.stringMatching(/go: approved by \S+@/) });
    expect((await ferry('approve', run, 'go')).err).toContain('RUN_OVER');
    expect((await ferry('audit', '--offline')).out).toMatch(/\S+@\S+ .*go on here: approved: Users cannot work from here on/);
  });
});

describe('in a terminal', () => {
  it('whoever does not name the step is asked once more, and what is approved is shown before', async () => {
    const { wire, calls } = modelWire();
    const ferry = typed('approve', { wire, terminal: true });
    await expect.poll(() => ferry.err.text()).toContain('Approve it? [y/N]');
    expect(ferry.err.text()).toMatch(/engine {2}go[\s\S]*Users cannot work from here on/);
    ferry.type('n\r');
    expect(await ferry.exit).toBe(5);
    expect(calls.map(([verb]) => verb)).toEqual(['gate']);
    const named = typed(['approve', RUN, 'go', '--comment', 'fine'], { wire, terminal: true });
    expect(await named.exit).toBe(0);
    expect(calls.at(-1)).toEqual(['answer', 'go', 'approved', 'fine']);
    expect(await typed('approve --json', { wire }).exit).toBe(0);
  });
});
