import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fleet } from '../../src/hosts/fleet.ts';
import type { AttemptId } from '../../src/hosts/layout.ts';
import { sh } from '../../src/hosts/sh.ts';
import { hashOf, headOf, lineOf } from '../../src/journal/chain.ts';
import type { JournalRecord } from '../../src/journal/journal.ts';
import { fleetHere } from '../kit/fleet-here.ts';
import { soon } from '../kit/soon.ts';

// What a host keeps of a run's records: real scripts, on this machine's own shell.
const signal = new AbortController().signal;
let folder: string;
let fleet: Fleet;
let records: JournalRecord[];
const copy = () => join(folder, 'lib', 'r-1', 'journal');
const copied = () => readFileSync(copy(), 'utf8');
const lease = { run: 'r-1', holder: 'me@here', since: '2026-01-01T00:00:00Z' };
const attempt = (step: string, epoch = 1): AttemptId => ({ run: 'r-1', step, attempt: 1, epoch, undo: false });

function record(type: string, body: JournalRecord['body'] = {}): void {
  const next = { seq: records.length + 1, at: 'then', epoch: 1, type, step: null, host: null, body };
  records.push({ ...next, hash: hashOf(headOf('r-1', records), next) });
}
const linesAfter = (of: readonly JournalRecord[]) => (seq: number) => ({
  previous: of[seq - 1]?.hash ?? null,
  lines: of.slice(seq).map(lineOf),
});
const after = (seq: number) => linesAfter(records)(seq);
const all = () => records.map((one) => `${lineOf(one)}\n`).join('');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-copy-'));
  fleet = fleetHere(folder);
  records = [];
  record('run.started', { text: 'é "quoted" $HOME `x` \\n' });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')("a host's copy of the records", () => {
  it('is there before the host is taken, and whole before an attempt counts as opened', async () => {
    expect(await fleet.takeLease('here', lease, 1, after)).toBe(null);
    expect(copied()).toBe(all());
    record('lease.taken');
    record('step.intended', { big: 'x'.repeat(300_000) });
    expect(await fleet.openAttempt('here', attempt('s1'), '{"a": "é"}', after)).toBe(true);
    expect(copied()).toBe(all());
    expect(readFileSync(join(folder, 'lib', 'r-1', 's1.1', 'intent.json'), 'utf8')).toBe('{"a": "é"}');
    expect(readdirSync(join(folder, 'lib', 'r-1', 's1.1')).sort()).toEqual(['intent.json', 'intent.lock']);
    expect((statSync(copy()).mode & 0o777).toString(8)).toBe('600');
    expect(await fleet.journalCopy('here', 'r-1')).toBe(all());
    expect(await fleet.journalCopy('here', 'r-2')).toBe(null);
  });

  it('has each record once, however many attempts are opened at once and by whom', async () => {
    await fleet.takeLease('here', lease, 1, after);
    const second = fleetHere(folder);
    await Promise.all(
      Array.from({ length: 8 }, (_, index) => {
        record('step.intended', { index });
        return (index % 2 ? fleet : second).openAttempt('here', attempt(`s${index}`), '{}', after);
      }),
    );
    expect(copied()).toBe(all());
  });

  it('is gone on with by a new process, which asks what is there before it sends', async () => {
    await fleet.takeLease('here', lease, 1, after);
    record('step.intended');
    const next = fleetHere(folder);
    expect(await next.knowsRun('here', 'r-1')).toEqual({ newer: [], isTakenBack: false });
    const sent: number[] = [];
    await next.openAttempt('here', attempt('s1'), '{}', (seq) => {
      sent.push(seq);
      return after(seq);
    });
    expect([sent, copied()]).toEqual([[1], all()]);
  });

  it('loses a last line that died half-way, also one of zeros, and gets it whole', async () => {
    await fleet.takeLease('here', lease, 1, after);
    record('step.intended');
    for (const torn of [lineOf(records[1] as JournalRecord).slice(0, 30), '\0\0\0\0']) {
      writeFileSync(copy(), `${lineOf(records[0] as JournalRecord)}\n${torn}`);
      await fleetHere(folder).openAttempt('here', attempt('s1'), '{}', after);
      expect(copied()).toBe(all());
    }
  });

  it('is made whole where it was lost', async () => {
    await fleet.takeLease('here', lease, 1, after);
    rmSync(copy());
    record('step.intended');
    await fleet.openAttempt('here', attempt('s1'), '{}', after);
    expect(copied()).toBe(all());
  });

  it('refuses a journal that lacks what it has, and one that has something else', async () => {
    const older = [...records];
    record('step.intended', { by: 'the one that went on' });
    await fleet.takeLease('here', lease, 1, after);
    const stale = fleetHere(folder);
    await expect(stale.takeLease('here', lease, 1, linesAfter(older))).rejects.toMatchObject({
      code: 'JOURNAL_FORKED',
      args: { host: 'here', run: 'r-1', seq: 2 },
    });
    const whole = copied();
    records = older;
    record('run.resumed');
    record('step.intended', { by: 'the older copy' });
    await expect(stale.openAttempt('here', attempt('s1'), '{}', after)).rejects.toMatchObject({
      code: 'JOURNAL_FORKED',
      args: { seq: 2 },
    });
    expect(copied()).toBe(whole);
    expect(existsSync(join(folder, 'lib', 'r-1', 's1.1', 'intent.json'))).toBe(false);
  });

  it('says so when it cannot be written, and the attempt does not count as opened', async () => {
    await fleet.takeLease('here', lease, 1, after);
    rmSync(copy());
    // A folder in its place; root may write any file.
    mkdirSync(copy());
    record('step.intended');
    await expect(fleet.openAttempt('here', attempt('s1'), '{}', after)).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect(existsSync(join(folder, 'lib', 'r-1', 's1.1', 'intent.json'))).toBe(false);
  });
});

describe.runIf(process.platform === 'linux')('a host that is given to another controller', () => {
  const other = { run: 'r-1', holder: 'you@there', since: '2026-01-01T01:00:00Z' };
  const stale = { code: 'EPOCH_STALE', exit: 5, args: { ours: 1, theirs: '2' } };

  it('refuses the first in everything, and keeps what the second does', async () => {
    await fleet.takeLease('here', lease, 1, after);
    await fleet.openAttempt('here', attempt('s1'), '{}', after);
    const first = fleet.acting('here', attempt('s1'), signal, () => undefined);
    const count = join(folder, 'count');
    await first.change('one', sh`echo one >>${count}`);

    const taker = fleetHere(folder);
    expect(await taker.raiseEpoch('here', other, 2)).toEqual({ isThere: true, isHeld: true, isBusy: false });
    expect(await taker.lease('here')).toEqual(other);
    const before = copied();
    await expect(first.change('two', sh`echo two >>${count}`)).rejects.toMatchObject({
      ...stale,
      args: { ...stale.args, by: 'you@there' },
    });
    await expect(first.detached('long', sh`echo two >>${count}`, { secrets: { pw: 'x' } })).rejects.toMatchObject(stale);
    expect(existsSync(join(folder, 'run', 'ferry', 'r-1'))).toBe(false);
    await expect(fleet.keep('here', attempt('s1'), [{ name: 'k', path: count }])).rejects.toMatchObject(stale);
    await expect(fleet.endDetached('here', attempt('s1'))).rejects.toMatchObject(stale);
    record('step.intended');
    await expect(fleet.openAttempt('here', attempt('s2'), '{}', after)).rejects.toMatchObject(stale);
    await expect(fleet.takeLease('here', lease, 1, after)).rejects.toMatchObject(stale);
    await expect(fleet.releaseLease('here', 'r-1', 1)).rejects.toMatchObject({ args: { theirs: '2', by: 'you@there' } });
    await expect(fleet.raiseEpoch('here', lease, 1)).rejects.toMatchObject(stale);
    expect([readFileSync(count, 'utf8'), copied()]).toEqual(['one\n', before]);

    expect(await taker.takeLease('here', other, 2, after)).toBe(null);
    expect(await taker.lease('here')).toEqual(other);
    expect(
      await taker.acting('here', attempt('s1', 2), signal, () => undefined).change('one', sh`echo no >>${count}`),
    ).toMatchObject({
      code: 0,
    });
    expect(readFileSync(count, 'utf8')).toBe('one\n');
    await taker.releaseLease('here', 'r-1', 2);
    expect(await taker.lease('here')).toBe(null);
  });

  it('is given only when a short command under way has ended, and no other begins meanwhile', async () => {
    await fleet.takeLease('here', lease, 1, after);
    await fleet.openAttempt('here', attempt('s1'), '{}', after);
    const [gate, begun, told] = ['gate', 'begun', 'told'].map((name) => join(folder, name)) as [string, string, string];
    writeFileSync(gate, '');
    const first = fleet.acting('here', attempt('s1'), signal, () => undefined);
    const short = first.change('short', sh`touch ${begun}; while [ -e ${gate} ]; do sleep 0.02; done; echo short >>${told}`);
    await soon(() => expect(existsSync(begun)).toBe(true));
    const raised = fleetHere(folder)
      .raiseEpoch('here', other, 2)
      .then((answer) => {
        appendFileSync(told, 'raised\n');
        return answer;
      });
    await soon(() => expect(readFileSync(join(folder, 'lib', 'r-1', 'epoch'), 'utf8')).toBe('2\n'));
    await expect(first.change('next', sh`echo next >>${told}`)).rejects.toMatchObject(stale);
    rmSync(gate);
    await Promise.all([short, raised]);
    expect(readFileSync(told, 'utf8')).toBe('short\nraised\n');
  });

  it('keeps the lease of the second when the first gives the host back at the same moment', async () => {
    await fleet.takeLease('here', lease, 1, after);
    const lock = join(folder, 'lib', 'lease.lock');
    const waiting = () =>
      readFileSync('/proc/locks', 'utf8').match(new RegExp(`-> FLOCK .*:${statSync(lock).ino} `, 'g'))?.length ?? 0;
    // Somebody else has the lock until both wait for it.
    const holder = spawn('flock', ['-x', lock, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await new Promise((resolve) => {
      holder.stdout.once('data', resolve);
      holder.stdin.write('locked\n');
    });
    const raised = fleetHere(folder).raiseEpoch('here', other, 2);
    await vi.waitFor(() => expect(waiting()).toBe(1), 5000);
    const released = fleet.releaseLease('here', 'r-1', 1).then(
      () => true,
      (thrown: unknown) => {
        expect(thrown).toMatchObject(stale);
        return false;
      },
    );
    await vi.waitFor(() => expect(waiting()).toBe(2), 5000);
    holder.stdin.end();
    // Whoever comes first: it is the second's, or it was free before.
    const isReleased = await released;
    expect(await raised).toMatchObject({ isHeld: !isReleased });
    expect(await fleet.lease('here')).toEqual(isReleased ? null : other);
  });

  it('can be taken by none before, also where the run has left nothing yet, and is no machine it knows', async () => {
    rmSync(join(folder, 'lib'), { recursive: true });
    expect(await fleet.raiseEpoch('here', other, 2)).toEqual({ isThere: false, isHeld: false, isBusy: false });
    await expect(fleet.takeLease('here', lease, 1, after)).rejects.toMatchObject(stale);
    await expect(fleet.raiseEpoch('here', lease, 1)).rejects.toMatchObject(stale);
    expect([await fleet.knowsRun('here', 'r-1'), await fleet.lease('here')]).toEqual([null, null]);
    expect(await fleet.takeLease('here', other, 2, after)).toBe(null);
    await fleet.releaseLease('here', 'r-1', 2);
    await fleet.cleanRun('here', 'r-1');
    expect(readdirSync(join(folder, 'lib')).filter((name) => name.startsWith('r-'))).toEqual([]);
  });

  it('is not taken from a run that was given up there', async () => {
    await fleet.takeLease('here', lease, 1, after);
    await fleet.fenceRun('here', 'r-1');
    await expect(fleet.raiseEpoch('here', other, 2)).rejects.toMatchObject({ code: 'RUN_SHUT_OUT' });
  });
});
