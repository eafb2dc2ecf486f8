import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { FerryOnLab } from '../kit/ferry-on-lab.ts';

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

describe('a command that outlives those who wait for it', () => {
  const stateOf = async (id: AttemptId) => (await fleet.effects('he2', id))?.map(({ state }) => state);
  /** Ends the shell that holds the lock of an effect, and nothing else, as the kernel does that lacks memory. */
  const killShell = (id: AttemptId, host = 'he2') =>
    execOn(
      labDir,
      host,
      `for p in /proc/[0-9]*; do ls -l $p/fd 2>/dev/null | grep -q ${attemptDir(id)}/work.alive && kill -9 \${p#/proc/}; done`,
    );

  it('counts as running when its time is over, until it ends; then its answer is there', async () => {
    const { id, on } = await attempt();
    const work = sh`sleep 5; echo x >>/root/ferry-test/outlived`;
    await expect(on.change('work', work, { timeoutMs: 1500 })).rejects.toMatchObject({ code: 'COMMAND_TIMEOUT' });
    expect(await stateOf(id)).toEqual(['running']);
    expect((await on.change('work', work)).code).toBe(0);
    expect(await fleet.effects('he2', id)).toEqual([{ name: 'work', detached: false, state: 'exited', code: 0 }]);
    expect(await past('cat /root/ferry-test/outlived')).toBe('x');
  });

  // It was called dead as soon as its shell was, and a second attempt began beside it.
  it('counts as running when its shell was killed alone, and as lost when it has ended', async () => {
    const { id, on } = await attempt();
    const change = on.change('work', sh`sleep 8; echo x >>/root/ferry-test/orphan`).catch((thrown: unknown) => thrown);
    await expect.poll(() => stateOf(id)).toEqual(['running']);
    await killShell(id);
    expect(await change).toMatchObject({ code: expect.stringMatching(/COMMAND_/) });
    expect(await stateOf(id)).toEqual(['running']);
    expect(await past('cat /root/ferry-test/orphan 2>&1')).toContain('No such file');
    // Who asks again waits for it too, and does not run it a second time.
    await expect(on.change('work', sh`true`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
    expect(await past('cat /root/ferry-test/orphan')).toBe('x');
    expect(await stateOf(id)).toEqual(['lost']);
  });

  it('is waited for when its run is given up', async () => {
    const other = { ...lease, run: `${run}-orphan` };
    const id = { run: other.run, step: 'one', attempt: 1, epoch: 1, undo: false };
    const he1 = fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir)));
    try {
      expect(await he1.takeLease('he1', other, 1)).toBe(null);
      await he1.openAttempt('he1', id, '{}');
      const change = he1.acting('he1', id, signal, () => undefined).change('work', sh`sleep 8; touch /root/ferry-orphan`);
      await expect.poll(async () => (await he1.effects('he1', id))?.length).toBe(1);
      await Promise.all([
        expect(change).rejects.toMatchObject({ code: expect.stringMatching(/COMMAND_/) }),
        killShell(id, 'he1'),
      ]);
      await fleet.fenceRun('he1', other.run);
      expect((await execOn(labDir, 'he1', 'ls /root/ferry-orphan')).stdout.trim()).toBe('/root/ferry-orphan');
      expect(await fleet.lease('he1')).toBe(null);
    } finally {
      await he1.close();
      await execOn(labDir, 'he1', `rm -rf ${runDir(other.run)} /root/ferry-orphan`);
    }
  });

  it('may leave a daemon behind: what has an exit code is over', async () => {
    const { id, on } = await attempt();
    await on.change('work', sh`setsid sleep 60 >/dev/null 2>&1 & echo $! >/root/ferry-test/daemon`);
    expect(await stateOf(id)).toEqual(['exited']);
    expect((await on.change('work', sh`true`)).code).toBe(0);
    await past('kill $(cat /root/ferry-test/daemon)');
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

  it('are as guarded as any command: a controller of another epoch opens no attempt and keeps nothing', async () => {
    const { id } = await attempt();
    await expect(attempt({ epoch: 7 })).rejects.toMatchObject({ code: 'EPOCH_STALE' });
    await expect(fleet.keep('he2', { ...id, epoch: 7 }, [{ name: 'x', path: '/root/ferry-test/file' }])).rejects.toMatchObject({
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
      const long = he1
        .acting('he1', id, signal, () => undefined)
        .detached('long', sh`sleep 300; touch /root/ferry-late`)
        .catch((thrown: unknown) => thrown);
      const unit = `ferry-${other.run}-one.1-long.service`;
      const isActive = async () => (await execOn(labDir, 'he1', `systemctl is-active ${unit}`)).stdout.trim();
      await expect.poll(isActive).toBe('active');
      await fleet.fenceRun('he1', other.run);
      expect(await isActive()).not.toBe('active');
      expect(await long).toMatchObject({ code: expect.stringMatching(/COMMAND_/) });
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

describe('a host that is another machine than it was', () => {
  /** The lab's inventory with he1's machine behind the name of he2. */
  const swapped = (folder: string): string => {
    const text = readFileSync(join(labDir, 'inventory.yaml'), 'utf8').replaceAll('./', `${labDir}/`);
    const he1 = /^ {2}he1: (.*)$/m.exec(text)?.[1] ?? '';
    writeFileSync(join(folder, 'inventory.yaml'), text.replace(/^ {2}he2: .*$/m, `  he2: ${he1}`));
    return join(folder, 'inventory.yaml');
  };
  const RUNBOOK = `ferry: 1
name: put
roles: { b: { description: two } }
steps:
  - { id: put, host: b, uses: file.put, with: { path: /root/ferry-notes, content: by ferry } }
`;

  it('does not know the run, nor does a machine that the run knows under another name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ferry-swapped-'));
    const other = fleetOf(await hostsOf(await readInventory(swapped(folder), labDir)));
    try {
      expect(await fleet.knowsRun('he2', run)).not.toBe(null);
      expect(await other.knowsRun('he2', run)).toBe(null);
      expect(await fleet.takeLease('he1', lease, 1)).toBe(null);
      expect(await fleet.takeLease('he1', lease, 1)).toBe(null);
      expect(await fleet.knowsRun('he1', run)).not.toBe(null);
      expect(await other.knowsRun('he2', run)).toBe(null);
      // As a person says that it is the machine of then, with a new disk.
      await execOn(labDir, 'he1', `rm -r ${runDir(run)} && mkdir ${runDir(run)}`);
      expect(await other.knowsRun('he2', run)).not.toBe(null);
    } finally {
      await fleet.releaseLease('he1', run);
      await execOn(labDir, 'he1', `rm -rf ${runDir(run)}`);
      await other.close();
      rmSync(folder, { recursive: true });
    }
  });

  // A file of the other machine was removed, and the proof said "3 equal".
  it('is neither looked at nor changed by a rollback, which names it as it was and is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ferry-swapped-'));
    const ferry = new FerryOnLab(labDir);
    try {
      writeFileSync(join(folder, 'put.yaml'), RUNBOOK);
      await fleet.releaseLease('he2', run);
      const put = await ferry.run(['run', join(folder, 'put.yaml'), ...ferry.hosts, '--role', 'b=he2', '--yes']);
      expect(put.code, put.stderr).toBe(0);
      await execOn(labDir, 'he1', 'cp /etc/hostname /root/ferry-notes; printf "by ferry" >/root/ferry-notes');
      for (const words of [['--plan'], ['--yes']]) {
        const refused = await ferry.run(['rollback', ...words, '-i', swapped(folder)]);
        expect(refused.code, refused.stdout).toBe(5);
        expect(refused.stderr).toMatch(/HOST_NOT_THE_SAME.*he2 \(root@he1\S+\) is not .*: that was root@he2/s);
      }
      expect((await execOn(labDir, 'he1', 'cat /root/ferry-notes; ls /var/lib/ferry/lease 2>&1')).stdout).toMatch(
        /^by ferryls: cannot/,
      );
      const back = await ferry.run(['rollback', '--yes', ...ferry.hosts]);
      expect(back.code, back.stderr).toBe(4);
      expect(await past('ls /root/ferry-notes 2>&1')).toContain('No such file');
    } finally {
      await execOn(labDir, 'he1', 'rm -f /root/ferry-notes');
      ferry.remove();
      rmSync(folder, { recursive: true });
    }
  });
});
