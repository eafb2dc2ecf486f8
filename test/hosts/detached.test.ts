import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ActingHost, Progress, Terms } from '../../src/hosts/host.ts';
import type { AttemptId } from '../../src/hosts/layout.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';
import { fleetHere } from '../kit/fleet-here.ts';

// Long commands where there is no systemd: real scripts, real processes, on this machine's own shell.
const folder = mkdtempSync(join(tmpdir(), 'ferry-detached-'));
const fleet = fleetHere(folder);
// Its own, because what is ended is found by it, and the same tests may run beside these.
const RUN = `r-here-${randomToken(4)}`;
const signal = new AbortController().signal;
// Real processes: a machine with much else to do takes its time.
const SLOW = { timeout: 60_000 };
const WAIT = { timeout: 20_000 };
const made = (name: string) => join(folder, name);
let count = 0;

const reports: Progress[] = [];

async function attempt(terms: Terms = {}): Promise<{ id: AttemptId; on: ActingHost; inside: (file: string) => string }> {
  count += 1;
  const id = { run: RUN, step: `s${count}`, attempt: 1, epoch: 1, undo: false };
  await fleet.openAttempt('here', id, '{}');
  const on = fleet.acting('here', id, signal, (progress) => void reports.push(progress), terms);
  return { id, on, inside: (file) => join(folder, 'lib', id.run, `${id.step}.1`, 'work', file) };
}
const stateOf = async (id: AttemptId) => (await fleet.effects('here', id))?.[0]?.state;
const begun = (id: AttemptId, file: string) =>
  vi.waitFor(async () => {
    expect(existsSync(file)).toBe(true);
    expect(await stateOf(id)).toBe('running');
  }, WAIT);
const isAlive = (pid: string) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid.trim()}/status`, 'utf8'));
  } catch {
    return false;
  }
};
/** The wrapper: the first process of the command. */
const wrapperOf = (inside: (file: string) => string) => Number(readFileSync(inside('pid'), 'utf8').split(' ')[0]);

beforeAll(async () => {
  await fleet.takeLease('here', { run: RUN, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('a long command where there is no systemd', SLOW, () => {
  it('runs once, whoever asks again, and leaves its exit code and its log', async () => {
    const { id, on, inside } = await attempt();
    const script = sh`echo x >>${made('once')}; echo out; echo err >&2; exit 3`;
    const options = { okCodes: [3] };
    const answers = await Promise.all([on.detached('work', script, options), on.detached('work', script, options)]);
    expect(answers).toEqual(Array.from({ length: 2 }, () => ({ code: 3, stdout: 'out\nerr\n', stderr: '' })));
    expect(readFileSync(made('once'), 'utf8')).toBe('x\n');
    expect(readFileSync(inside('how'), 'utf8')).toBe('setsid\n');
    expect(await stateOf(id)).toBe('exited');
  });

  it('tells what is left out of a long log, and of an error, where a secret may have been cut in two', async () => {
    const { on } = await attempt();
    const lines = sh`i=0; while [ $i -lt 9000 ]; do i=$((i+1)); echo "line $i"; done`;
    const { stdout } = await on.detached('work', lines);
    expect(stdout).toMatch(/^\.\.\. \(the beginning left out\) \.\.\.\nline \d+\n(line \d+\n)+$/);
    expect((await on.change('short', sh`head -c 2000000 /dev/zero | tr '\\0' x; echo end >&2`)).stdout).toMatch(
      /^x{1048576} \.\.\. \(the rest left out\) \.\.\.$/,
    );
    await expect(on.detached('failing', sh`${lines}; exit 7`)).rejects.toMatchObject({
      args: { code: 7, output: expect.stringMatching(/^\.\.\. \(\d+ lines left out\) \.\.\.\n(line \d+\n){5}line 9000$/) },
    });
  });

  it('is ended, with all it started, when its log grows past all measure', async () => {
    const { id, on, inside } = await attempt();
    // A log of that size without the bytes.
    const endless = sh`truncate -s 300M ${inside('out')}; echo $$ >${made('endless')}; sleep 300`;
    await expect(on.detached('work', endless)).rejects.toMatchObject({
      code: 'LOG_TOO_LONG',
      args: { host: 'here', log: `/var/lib/ferry/${RUN}/${id.step}.1/work/out` },
    });
    expect(isAlive(readFileSync(made('endless'), 'utf8'))).toBe(false);
    expect(await stateOf(id)).toBe('lost');
    // One that has ended by then has done what it was to do.
    const other = await attempt();
    expect(await other.on.detached('work', sh`truncate -s 300M ${other.inside('out')}; echo end`)).toMatchObject({ code: 0 });
  });

  it('has a bare environment, no terminal, and its secrets while it runs', async () => {
    const { id, on } = await attempt();
    const { stdout } = await on.detached('work', sh`cat "$FERRY_SECRETS/word"; env | cut -d= -f1 | sort | tr '\\n' ' '; tty`, {
      secrets: { word: 'hidden ' },
      okCodes: [1],
    });
    expect(stdout).toBe('hidden FERRY_EFFECT FERRY_SECRETS LC_ALL PATH PWD not a tty\n');
    expect(existsSync(join(folder, `run/ferry/${RUN}/${id.step}.1.work`))).toBe(false);
  });

  it('keeps its secrets when it takes longer than it may, as it goes on', async () => {
    const { id, on } = await attempt();
    const script = sh`while [ ! -e ${made('late')} ]; do sleep 0.05; done; cat "$FERRY_SECRETS/word"`;
    const work = on.detached('work', script, { secrets: { word: 'hidden' }, timeoutMs: 100 });
    await expect(work).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' });
    writeFileSync(made('late'), '');
    await vi.waitFor(async () => expect(await fleet.effects('here', id)).toMatchObject([{ state: 'exited', code: 0 }]), WAIT);
    expect(existsSync(join(folder, `run/ferry/${RUN}/${id.step}.1.work`))).toBe(false);
  });

  it('goes on when its first process is killed alone, and is lost when the rest has ended', async () => {
    const { id, on, inside } = await attempt();
    const work = on.detached('work', sh`while [ ! -e ${made('go')} ]; do sleep 0.05; done; echo x >>${made('orphan')}`);
    const lost = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST', args: { why: 'its process died' } });
    await begun(id, inside('pid'));
    process.kill(wrapperOf(inside), 'SIGKILL');
    await vi.waitFor(() => expect(isAlive(String(wrapperOf(inside)))).toBe(false), WAIT);
    expect(await stateOf(id)).toBe('running');
    writeFileSync(made('go'), '');
    await lost;
    expect(readFileSync(made('orphan'), 'utf8')).toBe('x\n');
    await expect(on.detached('work', sh`true`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
  });

  it('is ended with everything it started: other sessions, a bare environment, what ignores being asked', async () => {
    const { id, on, inside } = await attempt();
    const others = await attempt();
    const other = others.on.detached('work', sh`echo $$ >${made('other')}; while [ ! -e ${made('end')} ]; do sleep 0.05; done`);
    // Each is out of reach for one of the ways to find it.
    const work = on.detached(
      'work',
      sh`setsid sh -c 'echo $$ >"$1"; exec sleep 300' - ${made('marked')} 6>&- &
setsid env -i sh -c 'echo $$ >"$1"; exec sleep 300' - ${made('locked')} &
env -i sh -c 'trap "" TERM; echo $$ >"$1"; exec sleep 300' - ${made('kin')} 6>&- &
echo $$ >${made('own')}; trap '' TERM; while :; do sleep 0.05; done`,
    );
    const lost = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST', args: { why: 'Ferry ended it' } });
    for (const name of ['own', 'marked', 'locked', 'kin']) await begun(id, made(name));
    await begun(others.id, made('other'));
    await fleet.endDetached('here', id);
    await lost;
    const pids = ['own', 'marked', 'locked', 'kin'].map((name) => readFileSync(made(name), 'utf8'));
    expect(pids.filter(isAlive)).toEqual([]);
    expect(isAlive(String(wrapperOf(inside)))).toBe(false);
    expect(await stateOf(id)).toBe('lost');
    expect(await stateOf(others.id)).toBe('running');
    writeFileSync(made('end'), '');
    expect((await other).code).toBe(0);
  });

  it.each([
    [false, 'is asked to end, and may clean up'],
    [true, 'is killed at once, where its clean-up would destroy more'],
  ])('(kill: %s) %s', async (kill) => {
    const { id, on } = await attempt();
    const cleaned = made(`cleaned-${kill}`);
    const begin = made(`begun-${kill}`);
    const work = on.detached(
      'work',
      sh`trap 'echo x >${cleaned}; exit 1' TERM; echo $$ >${begin}; while :; do sleep 0.05; done`,
      { kill },
    );
    const lost = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await begun(id, begin);
    await fleet.endDetached('here', id);
    await lost;
    expect(existsSync(cleaned)).toBe(!kill);
  });

  it('that has ended is left alone, with what it left behind', async () => {
    const { id, on } = await attempt();
    await on.detached(
      'work',
      sh`setsid sh -c 'echo $$ >"$1"; exec sleep 300' - ${made('daemon')} >/dev/null 2>&1 &
while [ ! -s ${made('daemon')} ]; do sleep 0.05; done`,
    );
    await fleet.endDetached('here', id);
    expect(await stateOf(id)).toBe('exited');
    const pid = readFileSync(made('daemon'), 'utf8');
    expect(isAlive(pid)).toBe(true);
    process.kill(Number(pid), 'SIGKILL');
  });

  it('is told from one that a reboot ended, and from one that never began', async () => {
    const { id, on, inside } = await attempt();
    const work = on.detached('work', sh`sleep 300`);
    const lost = expect(work).rejects.toMatchObject({ code: 'COMMAND_LOST', args: { why: expect.stringContaining('rebooted') } });
    await begun(id, inside('pid'));
    // What a reboot changes, without one.
    writeFileSync(inside('boot'), '00000000-0000-0000-0000-000000000000\n');
    process.kill(-wrapperOf(inside), 'SIGKILL');
    await lost;
    expect(await fleet.effects('here', id)).toMatchObject([{ state: 'lost', why: expect.stringContaining('rebooted') }]);

    const cut = await attempt();
    await cut.on.change('prepare', sh`true`);
    await fleet
      .host('here')
      .run(sh`mkdir ${cut.inside('')}; echo ferry-no-such.service >${cut.inside('unit')}; : >${cut.inside('out')}`);
    expect((await fleet.effects('here', cut.id))?.find(({ name }) => name === 'work')).toMatchObject({
      state: 'lost',
      why: 'it was cut off before it began',
    });
  });

  it('hands on its log while it runs, from where it stands when somebody else takes over, and tells when it stalls and why', async () => {
    const { id, on } = await attempt({ stallAfterMs: 700 });
    const script = sh`i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i of the log"; done
while [ ! -e ${made('say')} ]; do sleep 0.05; done; echo said; while [ ! -e ${made('over')} ]; do sleep 0.05; done; echo end`;
    reports.length = 0;
    const told = (what: (one: Progress) => unknown) => vi.waitFor(() => expect(reports.some(what)).toBe(true), WAIT);
    const work = on.detached('work', script, { diagnose: sh`echo it waits for a word` });
    await told(({ stall }) => stall?.why?.[0] === 'it waits for a word');
    // On a busy machine it may stall before it has begun, and again.
    await told(({ log }) => log?.text.endsWith('line 2000 of the log\n'));
    const stalls = reports.flatMap(({ stall }) => (stall?.why ? [stall.why.slice(1)] : []));
    for (const why of stalls) expect(why).toEqual([expect.stringMatching(/^its processes/)]);
    const log = reports
      .map((one) => one.log?.text ?? '')
      .join('')
      .trimEnd();
    // Of what was there before, its end; each line once, and no part of one.
    expect(log.split('\n').at(-1)).toBe('line 2000 of the log');
    expect(log.split('\n').every((line) => /^line \d+ of the log$/.test(line))).toBe(true);
    expect(new Set(log.split('\n')).size).toBe(log.split('\n').length);

    const later: Progress[] = [];
    const joined = fleet.acting('here', id, signal, (progress) => void later.push(progress)).detached('work', sh`true`);
    await vi.waitFor(() => expect(later.some((one) => one.log?.text.endsWith('line 2000 of the log\n'))).toBe(true), WAIT);
    expect(later.map((one) => one.log?.text ?? '').join('').length).toBeLessThan(4097);
    writeFileSync(made('say'), '');
    await told((one) => one.log?.text === 'said\n');
    await told(({ stall }) => stall !== undefined && stall.why === null);
    writeFileSync(made('over'), '');
    expect((await work).stdout).toMatch(/line 2000 of the log\nsaid\nend\n$/);
    await joined;
  });

  it('runs with less than others where its step says so', async () => {
    const { on } = await attempt({ limits: { cpuWeight: 20, ioWeight: 20 } });
    // The tests themselves may run with less than others.
    const less = Math.min(19, getPriority() + 7);
    expect((await on.detached('work', sh`nice; ionice`)).stdout).toBe(`${less}\nbest-effort: prio 7\n`);
  });

  it('is ended, and its host free, when its run is given up', async () => {
    const { id, on, inside } = await attempt();
    const lost = expect(on.detached('work', sh`sleep 300`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await begun(id, inside('pid'));
    await fleet.fenceRun('here', id.run);
    await lost;
    expect(isAlive(String(wrapperOf(inside)))).toBe(false);
    expect(await fleet.lease('here')).toBe(null);
  });
});
