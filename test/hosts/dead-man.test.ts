import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AttemptId } from '../../src/hosts/layout.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';
import { fleetHere } from '../kit/fleet-here.ts';
import { soon } from '../kit/soon.ts';

// Real scripts on this machine's own shell, where the timer is a session that waits; test/trouble has the one of systemd.
const folder = mkdtempSync(join(tmpdir(), 'ferry-dead-man-'));
const fleet = fleetHere(folder);
// Its own, because what is ended is found by it, and the same tests may run beside these.
const RUN = `r-here-${randomToken(4)}`;
let count = 0;

async function attempt(afterMs = 600_000, reload: string | null = null) {
  count += 1;
  const file = join(folder, `file${count}`);
  const dir = join(folder, 'lib', RUN, `s${count}.1`, '.dead-man');
  const id: AttemptId = { run: RUN, step: `s${count}`, attempt: 1, epoch: 1, undo: false };
  await fleet.openAttempt('here', id, '{}');
  writeFileSync(file, 'new');
  const on = fleet.acting('here', id, new AbortController().signal, () => undefined);
  const switchOf = { afterMs, putBack: sh`sleep 0.1; echo old >>${`${file}.times`}; printf old >${file}`, reload };
  const arm = () => fleet.armDeadMan('here', id, switchOf);
  return { id, file, dir, on, arm, now: () => readFileSync(file, 'utf8'), times: () => readFileSync(`${file}.times`, 'utf8') };
}

beforeAll(async () => {
  await fleet.takeLease('here', { run: RUN, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.runIf(process.platform === 'linux')('a dead-man switch', () => {
  it('puts back by itself what nobody confirms in time, then runs its command, and leaves word of it', async () => {
    const mark = join(folder, 'reloaded');
    const { id, arm, now, dir } = await attempt(1000, `cat ${join(folder, `file${count + 1}`)} >${mark}`);
    expect(await arm()).toBe('armed');
    await vi.waitFor(async () => expect(await fleet.deadMan('here', id, 'look')).toBe('reverted'), 5000);
    expect(now()).toBe('old');
    expect(readFileSync(mark, 'utf8')).toBe('old');
    expect(readFileSync(join(dir, 'reverted'), 'utf8')).toBe('0\n');
    expect(await fleet.deadMan('here', id, 'confirm')).toBe('reverted');
  });

  it('does nothing once it is confirmed, and nothing of it is left to wait', async () => {
    const { id, arm, now, dir } = await attempt(1000);
    await arm();
    expect(await fleet.deadMan('here', id, 'confirm')).toBe('confirmed');
    // The script itself, run as the timer would.
    expect(await fleet.deadMan('here', id, 'revert')).toBe('confirmed');
    expect(now()).toBe('new');
    expect(existsSync(join(dir, 'reverted'))).toBe(false);
  });

  it('is armed once, however often that is asked over a broken connection', async () => {
    const { id, arm, times } = await attempt();
    expect(await Promise.all([arm(), arm(), arm()])).toEqual(['armed', 'armed', 'armed']);
    expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
    expect(times()).toBe('old\n');
  });

  it('lets nothing of its attempt change anything any more once it has done its work', async () => {
    const { id, arm, on, file, now } = await attempt(1000);
    await arm();
    await vi.waitFor(async () => expect(await fleet.deadMan('here', id, 'look')).toBe('reverted'), 5000);
    const write = sh`printf new >${file}`;
    const reply = { reply: () => null } as never;
    for (const late of [() => on.change('set', write), () => on.detached('long', write), () => on.converse('talk', write, reply)])
      await expect(late()).rejects.toMatchObject({
        code: 'DEAD_MAN_REVERTED',
        args: { host: 'here', step: id.step, run: id.run },
      });
    await expect(on.detached('secret', write, { secrets: { word: 'x' } })).rejects.toMatchObject({ code: 'DEAD_MAN_REVERTED' });
    expect(existsSync(join(folder, 'run', 'ferry', id.run))).toBe(false);
    expect(await fleet.effects('here', id)).toEqual([]);
    expect([now(), await fleet.deadMan('here', id, 'confirm')]).toEqual(['old', 'reverted']);
  });

  it('puts back once more when it is asked to after its time, whoever has changed it since', async () => {
    const { id, arm, file, now, times } = await attempt();
    await arm();
    expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
    writeFileSync(file, 'by hand');
    expect(
      (await fleet.host('here').run(sh`sh ${join(folder, 'lib', id.run, `${id.step}.1`, '.dead-man', 'script')}`)).code,
    ).toBe(0);
    expect(now()).toBe('by hand');
    expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
    expect([now(), times()]).toEqual(['old', 'old\nold\n']);
  });

  it('is either confirmed or does its work, however close both come', async () => {
    const tried = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const { id, arm, now } = await attempt();
        await arm();
        const ask = (what: 'confirm' | 'revert') => fleet.deadMan('here', id, what);
        const answers = await Promise.all(index % 2 === 0 ? [ask('confirm'), ask('revert')] : [ask('revert'), ask('confirm')]);
        return { answers, now: now(), last: await ask('confirm') };
      }),
    );
    for (const { answers, now, last } of tried) {
      expect(new Set(answers)).toEqual(new Set([last]));
      expect(now).toBe(last === 'confirmed' ? 'new' : 'old');
    }
  });

  it('ends what still runs of its attempt before it puts anything back', async () => {
    const { id, arm, on, file, now } = await attempt();
    const work = on.detached('work', sh`while :; do printf later >${file}; sleep 0.05; done`).catch((thrown: unknown) => thrown);
    await soon(() => expect(now()).toBe('later'));
    await arm();
    expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
    expect(now()).toBe('old');
    expect(await work).toMatchObject({ code: 'COMMAND_LOST' });
    expect(await fleet.effects('here', id)).toMatchObject([{ name: 'work', state: 'lost' }]);
  });

  it('ends a short command that is still at work, before it puts anything back', async () => {
    const { id, arm, on, file, now } = await attempt(1000);
    await arm();
    const work = on.change('work', sh`( while :; do printf later >${file}; sleep 0.05; done ) & wait`).catch((thrown) => thrown);
    await soon(() => expect(now()).toBe('later'));
    await vi.waitFor(async () => expect(await fleet.deadMan('here', id, 'look')).toBe('reverted'), 10_000);
    expect(await work).toMatchObject({ code: 'COMMAND_FAILED' });
    expect(now()).toBe('old');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(now()).toBe('old');
    expect(await fleet.effects('here', id)).toMatchObject([{ name: 'work', state: 'lost', why: 'Ferry ended it' }]);
  });

  it('ends what runs of its attempt also when another controller has taken the run over', async () => {
    const run = `${RUN}-taken`;
    const lease = { run, holder: 'test@here', since: '2026-01-01T00:00:00Z' };
    const there = fleetHere(join(folder, 'taken'));
    await there.takeLease('here', lease, 1);
    const id: AttemptId = { run, step: 's', attempt: 1, epoch: 1, undo: false };
    const file = join(folder, 'taken', 'file');
    const now = () => readFileSync(file, 'utf8');
    await there.openAttempt('here', id, '{}');
    await there.armDeadMan('here', id, { afterMs: 3000, putBack: sh`printf old >${file}`, reload: null });
    const on = there.acting('here', id, new AbortController().signal, () => undefined);
    const work = on.detached('work', sh`while :; do printf later >${file}; sleep 0.05; done`).catch((thrown: unknown) => thrown);
    await soon(() => expect(now()).toBe('later'));
    await there.raiseEpoch('here', { ...lease, holder: 'you@there' }, 2);
    const taken = { ...id, epoch: 2 };
    await vi.waitFor(async () => expect(await there.deadMan('here', taken, 'look')).toBe('reverted'), 10_000);
    expect(await work).toMatchObject({ code: 'COMMAND_LOST' });
    expect(now()).toBe('old');
  });

  it('stands as armed while something of its attempt cannot be ended, though all is put back, and cannot be confirmed', async () => {
    const { id, arm, on, dir, file, now } = await attempt();
    await arm();
    const work = on.detached('work', sh`while :; do printf later >${file}; sleep 0.05; done`).catch((thrown: unknown) => thrown);
    await soon(() => expect(now()).toBe('later'));
    // As with a process that hangs in the kernel: no signal reaches it.
    const timer = await fleet.host('here').run(sh`kill() { :; }; . ${join(dir, 'script')}`);
    expect(timer.code).toBe(1);
    expect(readFileSync(join(dir, 'out'), 'utf8')).toMatch(/process .* cannot be ended/);
    expect(readFileSync(`${file}.times`, 'utf8')).toBe('old\n');
    expect(await fleet.deadMan('here', id, 'look')).toBe('armed');
    expect(await fleet.deadMan('here', id, 'confirm')).toBe('armed');
    expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
    expect(await work).toMatchObject({ code: 'COMMAND_LOST' });
    expect(now()).toBe('old');
  });

  it('stands as armed when it cannot put back what was kept, and says why when it is asked to', async () => {
    count += 1;
    const id: AttemptId = { run: RUN, step: `s${count}`, attempt: 1, epoch: 1, undo: false };
    await fleet.openAttempt('here', id, '{}');
    await fleet.armDeadMan('here', id, { afterMs: 600_000, putBack: sh`echo the disk is full >&2; exit 4`, reload: null });
    await expect(fleet.deadMan('here', id, 'revert')).rejects.toMatchObject({
      code: 'COMMAND_FAILED',
      message: expect.stringContaining('the disk is full what was kept could not be put back: exit code 4'),
    });
    expect(await fleet.deadMan('here', id, 'look')).toBe('armed');
  });

  it('tries again by itself at its time where it could not put back when it was asked to', async () => {
    const { id, dir, file, now } = await attempt();
    const tried = join(dir, '..', 'tried');
    const putBack = sh`if [ -e ${tried} ]; then printf old >${file}; else true >${tried}; exit 4; fi`;
    await fleet.armDeadMan('here', id, { afterMs: 3000, putBack, reload: null });
    await expect(fleet.deadMan('here', id, 'revert')).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect([now(), await fleet.deadMan('here', id, 'look')]).toEqual(['new', 'armed']);
    await vi.waitFor(async () => expect(await fleet.deadMan('here', id, 'look')).toBe('reverted'), 10_000);
    expect(now()).toBe('old');
  });

  it('is armed anew when its host was rebooted, which ends every timer', async () => {
    const { id, dir, file, now } = await attempt();
    const arm = (afterMs: number) => fleet.armDeadMan('here', id, { afterMs, putBack: sh`printf old >${file}`, reload: null });
    await arm(600_000);
    // What a reboot changes, without one.
    writeFileSync(join(dir, 'armed'), '00000000-0000-0000-0000-000000000000\n');
    expect(await arm(1000)).toBe('armed');
    await vi.waitFor(async () => expect(await fleet.deadMan('here', id, 'look')).toBe('reverted'), 10_000);
    expect(now()).toBe('old');
  });

  it('does nothing when the arming of it did not come to its end', async () => {
    const { id, dir, arm, now } = await attempt();
    await arm();
    rmSync(join(dir, 'armed'));
    expect((await fleet.host('here').run(sh`sh ${join(dir, 'script')}`)).code).toBe(0);
    expect([now(), await fleet.deadMan('here', id, 'look')]).toEqual(['new', 'none']);
    expect(await arm()).toBe('armed');
    expect(await fleet.deadMan('here', id, 'confirm')).toBe('confirmed');
  });

  it('is not there for an attempt that armed none', async () => {
    const { id } = await attempt();
    for (const what of ['look', 'confirm', 'revert'] as const) expect(await fleet.deadMan('here', id, what)).toBe('none');
    // Nor for one that was never opened.
    const never = { ...id, attempt: 2 };
    for (const what of ['look', 'confirm', 'revert'] as const) expect(await fleet.deadMan('here', never, what)).toBe('none');
  });

  it('goes with the run when that is given up, which leaves all as it is', async () => {
    const { id, arm, now } = await attempt(1000);
    await arm();
    await fleet.fenceRun('here', RUN);
    expect(await fleet.deadMan('here', id, 'look')).toBe('confirmed');
    expect(now()).toBe('new');
    await expect(fleet.deadMan('here', id, 'revert')).rejects.toMatchObject({ code: 'EPOCH_STALE' });
  });
});
