import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { execOn } from '../../lab/lab.ts';
import { fleetOf } from '../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../src/cli/prepare.ts';
import { changeScript } from '../../src/hosts/effect-scripts.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import type { ActingHost } from '../../src/hosts/host.ts';
import { type AttemptId, attemptDir, keepPath, runDir } from '../../src/hosts/layout.ts';
import { sh } from '../../src/hosts/sh.ts';
import { randomToken } from '../../src/lib/random.ts';

// What the hosts room promises, on a real host: at most once, nothing by half, and nobody who was shut out.
const labDir = inject('labDir');
const run = `r-hosts-${randomToken(4)}`;
const lease = { run, holder: 'test@here', since: '2026-01-01T00:00:00Z' };
const signal = new AbortController().signal;
let fleet: Fleet;
let count = 0;

const past = async (script: string, input = '') => (await execOn(labDir, 'he2', script, { input })).stdout.trim();

/** A fresh attempt on he2, opened; with what acts in it. */
async function attempt(over: Partial<AttemptId> = {}): Promise<{ id: AttemptId; on: ActingHost }> {
  count += 1;
  const id = { run, step: `s${count}`, attempt: 1, epoch: 1, undo: false, ...over };
  await fleet.openAttempt('he2', id, JSON.stringify({ why: 'test' }));
  return { id, on: fleet.acting('he2', id, signal, () => undefined) };
}

beforeAll(async () => {
  fleet = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
  expect(await fleet.takeLease('he2', lease, 1)).toBe(null);
});
afterAll(async () => {
  await fleet.releaseLease('he2', run);
  await fleet.close();
  await past(`rm -rf /var/lib/ferry/r-hosts-* /root/ferry-test; systemctl reset-failed`);
});

describe('a command of an attempt', () => {
  it('runs once, whoever asks again and however many at once, and all get its one answer', async () => {
    const { on } = await attempt();
    const add = () =>
      on.change('add', sh`mkdir -p /root/ferry-test; echo x >>/root/ferry-test/once; wc -l </root/ferry-test/once`);
    const answers = await Promise.all(Array.from({ length: 6 }, add));
    expect(answers.map(({ code, stdout }) => [code, stdout.trim()])).toEqual(Array.from({ length: 6 }, () => [0, '1']));
    expect(await past('wc -l </root/ferry-test/once')).toBe('1');
  });

  it('gets all of its stdin or does not begin: a connection that breaks in the middle leaves no half change', async () => {
    const { id, on } = await attempt();
    const write = sh`cat >/root/ferry-test/whole`;
    const text = `first half\nsecond half, it's "long" $HOME\n`;
    const cut = await past(changeScript(id, 'write', write, Buffer.byteLength(text)).text, text.slice(0, 11));
    expect(cut).toBe('cut');
    const traces = `[ -e /root/ferry-test/whole ] && echo made; [ -e ${attemptDir(id)}/write ] && echo begun; find /run -maxdepth 2 -name "*ferry*"`;
    expect(await past(traces)).toBe('');
    await on.change('write', write, { stdin: text });
    expect(await past('cat /root/ferry-test/whole')).toBe(text.trim());
    expect(await past('find /run -maxdepth 2 -name "*ferry*"')).toBe('');
  });

  it('takes more stdin than an argument could hold, byte for byte', async () => {
    const { on } = await attempt();
    const bytes = Buffer.alloc(3_000_000, 'ferry\n\0\xff');
    const { stdout } = await on.change('big', sh`sha256sum`, { stdin: bytes });
    const { createHash } = await import('node:crypto');
    expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('is not begun in an attempt whose intent did not arrive whole', async () => {
    const id = { run, step: 'half', attempt: 1, epoch: 1, undo: false };
    await past(`mkdir -p ${attemptDir(id)}`);
    const on = fleet.acting('he2', id, signal, () => undefined);
    await expect(on.change('write', sh`touch /root/ferry-test/half`)).rejects.toMatchObject({ code: 'COMMAND_FAILED' });
    expect(await past('ls /root/ferry-test/half 2>&1')).toContain('No such file');
    expect(await fleet.openAttempt('he2', id, '{"a": 1}')).toBe(true);
    expect(await fleet.openAttempt('he2', id, '{"a": 2}')).toBe(false);
    expect(await past(`cat ${attemptDir(id)}/intent.json`)).toBe('{"a": 1}');
  });
});

describe('bytes kept', () => {
  it('are those from before the first attempt, however often they are asked for and by how many at once', async () => {
    const { id } = await attempt();
    await past('printf before >/root/ferry-test/file; chmod 640 /root/ferry-test/file');
    const keep = () => fleet.keep('he2', id, [{ name: 'before', path: '/root/ferry-test/file' }]);
    const [first, second] = await Promise.all([keep(), keep()]);
    await past('printf after >/root/ferry-test/file');
    expect(await keep()).toEqual(first);
    expect(second).toEqual(first);
    const kept = keepPath(run, id.step, 'before');
    expect(await past(`cat ${kept}; stat -c ' %a' ${kept}; stat -c %a%U /var/lib/ferry`)).toBe('before 640\n700root');
  });

  it('are printed by the user who may see them', async () => {
    const { id } = await attempt();
    await fleet.keep('he2', id, [{ name: 'who', print: sh`id -un`, as: 'nobody' }]);
    expect(await past(`cat ${keepPath(run, id.step, 'who')}`)).toBe('nobody');
  });

  it('are as guarded as any command: a controller of an older epoch keeps nothing', async () => {
    const { id } = await attempt({ epoch: 7 });
    await expect(fleet.keep('he2', id, [{ name: 'x', path: '/root/ferry-test/file' }])).rejects.toMatchObject({
      code: 'EPOCH_STALE',
    });
  });
});

describe('a run given up on a host from elsewhere', () => {
  it('neither changes anything there any more nor takes the host again', async () => {
    const other = { ...lease, run: `${run}-other` };
    const id = { run: other.run, step: 'one', attempt: 1, epoch: 1, undo: false };
    const he1 = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
    try {
      expect(await he1.takeLease('he1', other, 1)).toBe(null);
      await he1.openAttempt('he1', id, '{}');
      // A long command goes on without its controller, but not when the run is given up.
      const long = he1.acting('he1', id, signal, () => undefined).detached('long', sh`sleep 300; touch /root/ferry-late`);
      const unit = `ferry-${other.run}-one.1-long.service`;
      const isActive = async () => (await execOn(labDir, 'he1', `systemctl is-active ${unit}`)).stdout.trim();
      await expect.poll(isActive).toBe('active');
      await fleet.fenceRun('he1', other.run);
      expect(await isActive()).not.toBe('active');
      await expect(long).rejects.toMatchObject({ code: expect.stringMatching(/COMMAND_/) });
      const on = he1.acting('he1', id, signal, () => undefined);
      const late = await on.change('late', sh`touch /root/ferry-late`).catch((thrown: unknown) => thrown);
      expect(late).toMatchObject({ code: 'EPOCH_STALE', args: { theirs: 'gone' } });
      expect((late as Error).message).toContain('was given up on he1');
      await expect(he1.takeLease('he1', other, 1)).rejects.toMatchObject({ code: 'RUN_SHUT_OUT', exit: 5 });
      expect(await fleet.lease('he1')).toBe(null);
      expect((await execOn(labDir, 'he1', 'ls /root/ferry-late 2>&1')).stdout).toContain('No such file');
    } finally {
      await he1.close();
      await execOn(labDir, 'he1', `rm -rf ${runDir(other.run)}`);
    }
  });
});
