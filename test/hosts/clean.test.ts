import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Fleet } from '../../src/hosts/fleet.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';
import { fleetHere } from '../kit/fleet-here.ts';

// What ferry clean removes from a host: the real scripts on this machine's own shell.
// Its own, because what is ended is found by it, and the same tests may run beside these.
const [OVER, OTHER] = [`r-20260101-020000-${randomToken(2)}`, 'r-20260102-020000-cd34'] as const;
const lease = (run: string) => ({ run, holder: 'me@here', since: '2026-01-01T00:00:00Z' });
let folder: string;
let fleet: Fleet;
const lib = (...parts: string[]) => join(folder, 'lib', ...parts);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-clean-'));
  fleet = fleetHere(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run that was here and gave the host back, with 100 kB kept. */
async function wasHere(run: string): Promise<void> {
  expect(await fleet.takeLease('here', lease(run), 1)).toBe(null);
  mkdirSync(lib(run, 'keep', 'edit'), { recursive: true });
  writeFileSync(lib(run, 'keep', 'edit', 'before'), Buffer.alloc(100_000));
  await fleet.releaseLease('here', run);
}

describe.runIf(process.platform === 'linux')('what a run has on a host', { timeout: 60_000 }, () => {
  it('is counted, and goes with what it kept; what others have stays', async () => {
    await wasHere(OVER);
    await wasHere(OTHER);
    const { state, bytes } = await fleet.traces('here', OVER);
    expect(state).toBe('free');
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(await fleet.cleanRun('here', OVER)).toEqual({ state: 'free', bytes });
    expect(readdirSync(lib()).filter((name) => name.startsWith('r-'))).toEqual([OTHER]);
    expect(await fleet.cleanRun('here', OVER)).toEqual({ state: 'free', bytes: 0 });
  });

  it('is no more than the mark of an epoch where the run never was, and goes too', async () => {
    const mark = lib(`${OVER}.epoch`);
    mkdirSync(lib(), { recursive: true });
    await fleet.raiseEpoch('here', lease(OVER), 2);
    expect(existsSync(mark)).toBe(true);
    const { state, bytes } = await fleet.traces('here', OVER);
    expect(state).toBe('free');
    // Else a run that has left nothing but this would count as one that has nothing to remove.
    expect(bytes).toBeGreaterThan(0);
    expect(await fleet.cleanRun('here', OVER)).toEqual({ state: 'free', bytes });
    expect(existsSync(mark)).toBe(false);
  });

  it('stays where the login may only plan, which is told before anything is removed', async () => {
    await wasHere(OVER);
    process.env.FERRY_PLAN_ONLY = 'yes';
    onTestFinished(() => void delete process.env.FERRY_PLAN_ONLY);
    expect((await fleet.traces('here', OVER)).state).toBe('plan-only');
    expect((await fleet.cleanRun('here', OVER)).state).toBe('plan-only');
    expect(await fleet.leftovers('here', [], true)).toEqual([]);
    expect(existsSync(lib(OVER, 'keep', 'edit', 'before'))).toBe(true);
  });

  it('stays while the run holds the host, and while something of it is at work there', async () => {
    await wasHere(OVER);
    expect(await fleet.takeLease('here', lease(OVER), 1)).toBe(null);
    expect((await fleet.cleanRun('here', OVER)).state).toBe('held');
    const id = { run: OVER, step: 'one', attempt: 1, epoch: 1, undo: false };
    await fleet.openAttempt('here', id, '{}');
    const on = fleet.acting('here', id, new AbortController().signal, () => undefined);
    const lost = expect(on.detached('work', sh`sleep 300`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    await expect.poll(async () => (await fleet.effects('here', id))?.[0]?.state, { timeout: 20_000 }).toBe('running');
    await fleet.releaseLease('here', OVER);
    expect((await fleet.traces('here', OVER)).state).toBe('busy');
    expect((await fleet.cleanRun('here', OVER)).state).toBe('busy');
    expect(existsSync(lib(OVER, 'keep', 'edit', 'before'))).toBe(true);
    await fleet.endDetached('here', id);
    await lost;
    expect((await fleet.cleanRun('here', OVER)).state).toBe('free');
  });

  it('leaves the mark of a run that was shut out: its controller may still live', async () => {
    await wasHere(OVER);
    await fleet.fenceRun('here', OVER);
    await fleet.cleanRun('here', OVER);
    expect(readdirSync(lib(OVER))).toEqual(['abandoned']);
    await expect(fleet.takeLease('here', lease(OVER), 1)).rejects.toMatchObject({ code: 'RUN_SHUT_OUT' });
  });
});

describe.runIf(process.platform === 'linux')('what dead runs left outside their folders', () => {
  it('is found and removed, but nothing of a run that holds the host or is known to be alive', async () => {
    const HOLDS = 'r-20260103-020000-ef56';
    const ALIVE = 'r-20260104-020000-0a1b';
    const runs = [OVER, OTHER, HOLDS, ALIVE];
    await fleet.takeLease('here', lease(HOLDS), 1);
    for (const run of runs) mkdirSync(join(folder, 'run/ferry', run, 'copy.1.send'), { recursive: true });
    mkdirSync(join(folder, 'home/.ssh'), { recursive: true });
    writeFileSync(join(folder, 'passwd'), `root:x:0:0::${folder}/home:/bin/sh\nnobody:x:9:9::/nowhere:/bin/false\n`);
    const keys = join(folder, 'home/.ssh/authorized_keys');
    const line = (run: string) => `restrict ssh-ed25519 AAAA ferry:${run}:copy:1`;
    writeFileSync(keys, ['ssh-ed25519 BBBB dba@here', ...runs.map(line), ''].join('\n'));
    const found = await fleet.leftovers('here', [ALIVE], false);
    expect(found.map(({ kind, run }) => `${kind} ${run}`).sort()).toEqual([
      ...[`key ${OVER}`, `key ${OTHER}`, `secrets ${OVER}`, `secrets ${OTHER}`],
    ]);
    expect(readFileSync(keys, 'utf8')).toContain(OVER);
    expect(await fleet.leftovers('here', [ALIVE], true)).toEqual(found);
    expect(readFileSync(keys, 'utf8')).toBe(['ssh-ed25519 BBBB dba@here', line(HOLDS), line(ALIVE), ''].join('\n'));
    expect(readdirSync(join(folder, 'run/ferry')).sort()).toEqual([HOLDS, ALIVE]);
    expect(await fleet.leftovers('here', [ALIVE], true)).toEqual([]);
  });

  // Each is what an unprivileged user can prepare in a home of their own.
  it.runIf(process.getuid?.() === 0).each([
    ['the file that is written first', '.ssh/authorized_keys.ferry', 'shadow'],
    ['the folder, to one where anybody may write', '.ssh', 'tmp'],
    ['the file itself', '.ssh/authorized_keys', 'log'],
  ])("is removed with a user's own rights, wherever that user lets a link lead: %s", async (_, link, target) => {
    const home = join(folder, 'home');
    const at = (name: string) => join(folder, name);
    const text = `root:secret:::\n# ferry:${OVER}: x\n`;
    chmodSync(folder, 0o755);
    mkdirSync(at('tmp'));
    chmodSync(at('tmp'), 0o1777);
    for (const name of ['shadow', 'log']) writeFileSync(at(name), text, { mode: 0o600 });
    mkdirSync(join(home, '.ssh'), { recursive: true });
    writeFileSync(join(home, '.ssh/authorized_keys'), `# ferry:${OVER}: x\nroot::::\n`);
    if (target === 'tmp') {
      rmSync(join(home, '.ssh'), { recursive: true });
      writeFileSync(join(at('tmp'), 'authorized_keys'), `# ferry:${OVER}: x\nroot::::\n`);
      chownSync(join(at('tmp'), 'authorized_keys'), 65534, 65534);
      symlinkSync(at('shadow'), join(at('tmp'), 'authorized_keys.ferry'));
    }
    rmSync(join(home, link), { recursive: true, force: true });
    symlinkSync(at(target), join(home, link));
    for (const name of ['.', '.ssh', '.ssh/authorized_keys', '.ssh/authorized_keys.ferry'])
      if (existsSync(join(home, name))) lchownSync(join(home, name), 65534, 65534);
    chownSync(home, 65534, 65534);
    writeFileSync(at('passwd'), `mallory:x:65534:65534::${home}:/bin/sh\n`);
    await fleet.takeLease('here', lease('r-20260103-020000-ef56'), 1);
    await fleet.leftovers('here', [], true).catch(() => undefined);
    for (const name of ['shadow', 'log']) {
      expect(readFileSync(at(name), 'utf8')).toBe(text);
      expect([statSync(at(name)).uid, statSync(at(name)).mode & 0o777]).toEqual([0, 0o600]);
    }
    const keys = join(home, '.ssh/authorized_keys');
    if (target === 'shadow') expect([readFileSync(keys, 'utf8'), statSync(keys).uid]).toEqual(['root::::\n', 65534]);
  });
});
