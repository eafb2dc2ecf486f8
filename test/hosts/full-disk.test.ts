import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/hosts/fleet.ts';
import type { AttemptId } from '../../src/hosts/layout.ts';
import { type Sh, sh } from '../../src/hosts/sh.ts';
import { fleetHere } from '../kit/fleet-here.ts';
import { SmallDisk } from '../kit/small-disk.ts';
import { soon } from '../kit/soon.ts';

// Real scripts on this machine's own shell, with /var/lib/ferry or a home on a disk of one megabyte that is full.
const RUN = 'r-20260101-010101-abcd';
const lease = { run: RUN, holder: 'me@here', since: '2026-01-01T00:00:00Z' };
const idOf = (step: string): AttemptId => ({ run: RUN, step, attempt: 1, epoch: 1, undo: false });
const isRoot = process.getuid?.() === 0;
let folder: string;
let fleet: Fleet;
let disk: SmallDisk;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ferry-full-'));
  fleet = fleetHere(folder);
});
afterEach(() => {
  disk.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe.runIf(isRoot)("a host on whose disk Ferry's folder has no room", () => {
  beforeEach(async () => {
    disk = new SmallDisk(1, join(folder, 'lib'));
    await fleet.takeLease('here', lease, 1);
  });
  const acting = (id: AttemptId) => fleet.acting('here', id, new AbortController().signal, () => undefined);
  const fill = (): Sh => sh`dd if=/dev/zero of=${disk.filler} bs=4k 2>/dev/null`;
  const full = expect.stringMatching(/^its exit code could not be written; is the disk .* full\?$/);

  it.each(['change', 'detached'] as const)(
    'has a failed command lost that could not leave its exit code, never done: %s',
    async (how) => {
      const id = idOf(how);
      await fleet.openAttempt('here', id, '{}');
      const lost = { code: 'COMMAND_LOST', args: { why: full } };
      await expect(acting(id)[how]('work', sh`${fill()}; exit 7`)).rejects.toMatchObject(lost);
      expect(await fleet.effects('here', id)).toEqual([{ name: 'work', detached: how === 'detached', state: 'lost', why: full }]);
      expect(await fleet.exitCodes('here', { run: RUN, step: how, attempts: [1] }, 'work')).toEqual([]);
      disk.empty();
      await expect(acting(id)[how]('work', sh`true`)).rejects.toMatchObject(lost);
    },
  );

  it.each(['change', 'detached'] as const)('takes no file for an exit code in which there is none: %s', async (how) => {
    const id = idOf(how);
    await fleet.openAttempt('here', id, '{}');
    await acting(id)[how]('work', sh`true`);
    for (const left of ['', '\n', 'x\n']) {
      writeFileSync(join(folder, 'lib', RUN, `${how}.1`, 'work', 'rc'), left);
      await expect(acting(id)[how]('work', sh`true`)).rejects.toMatchObject({ code: 'COMMAND_LOST' });
      expect(await fleet.effects('here', id)).toMatchObject([{ state: 'lost' }]);
      expect(await fleet.exitCodes('here', { run: RUN, step: how, attempts: [1] }, 'work')).toEqual([]);
    }
  });

  it('has a long command ended where no new file can be made', async () => {
    const id = idOf('ended');
    await fleet.openAttempt('here', id, '{}');
    const pid = join(folder, 'pid');
    const work = acting(id)
      .detached('work', sh`echo $$ >${pid}; while :; do sleep 0.1; done`)
      .catch((thrown: unknown) => thrown);
    await soon(() => expect(readFileSync(pid, 'utf8')).toMatch(/\n$/));
    disk.freeze();
    await fleet.endDetached('here', id);
    expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow(/ESRCH/);
    expect(await work).toMatchObject({ code: 'COMMAND_LOST' });
  });

  it('begins no long command whose script it could not write', async () => {
    const id = idOf('long');
    await fleet.openAttempt('here', id, '{}');
    disk.fill();
    await expect(acting(id).detached('work', sh`touch ${join(folder, 'begun')}`)).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      args: { why: expect.stringMatching(/^it was not begun: its script could not be written; is the disk .* full\?$/) },
    });
  });
});

describe.runIf(isRoot)('a dead-man switch on a host that is full', () => {
  it('is armed whole or not at all', async () => {
    disk = new SmallDisk(1, join(folder, 'lib'));
    await fleet.takeLease('here', lease, 1);
    const file = join(folder, 'file');
    const putBack = sh`printf old >${file}`;
    writeFileSync(file, 'new');
    const answers: unknown[] = [];
    for (const freeKb of [0, 4, 8, 12, 16, 24]) {
      const id = idOf(`edit${freeKb}`);
      await fleet.openAttempt('here', id, '{}');
      disk.fill(freeKb);
      const answer = await fleet.armDeadMan('here', id, { afterMs: 600_000, putBack, reload: null }).catch(({ code }) => code);
      answers.push(answer);
      disk.empty();
      expect(await fleet.deadMan('here', id, 'look')).toBe(answer === 'armed' ? 'armed' : 'none');
      expect(await fleet.deadMan('here', id, 'revert')).toBe(answer === 'armed' ? 'reverted' : 'none');
      expect(readFileSync(file, 'utf8')).toBe(answer === 'armed' ? 'old' : 'new');
      writeFileSync(file, 'new');
    }
    expect([answers[0], answers.at(-1)]).toEqual(['DEAD_MAN_UNARMED', 'armed']);
  });

  it('is confirmed, or does its work, where no new file can be made', async () => {
    disk = new SmallDisk(1, join(folder, 'lib'));
    await fleet.takeLease('here', lease, 1);
    const file = join(folder, 'file');
    const putBack = sh`printf old >${file}`;
    for (const ask of ['confirm', 'revert'] as const) {
      const id = idOf(ask);
      await fleet.openAttempt('here', id, '{}');
      await fleet.armDeadMan('here', id, { afterMs: 600_000, putBack, reload: null });
      writeFileSync(file, 'new');
      disk.freeze();
      expect(() => writeFileSync(join(folder, 'lib', 'more'), '')).toThrow(/ENOSPC/);
      const said = await fleet.deadMan('here', id, ask).catch(({ message }) => message);
      disk.empty();
      if (ask === 'confirm') expect([said, readFileSync(file, 'utf8')]).toEqual(['confirmed', 'new']);
      else {
        expect(said).toMatch(/what was kept was put back, but that could not be written down/);
        expect(readFileSync(file, 'utf8')).toBe('old');
        // Its work has begun: it is not confirmed any more, and done to its end.
        expect(await fleet.deadMan('here', id, 'confirm')).toBe('armed');
        expect(await fleet.deadMan('here', id, 'revert')).toBe('reverted');
      }
    }
  });
});

describe.runIf(isRoot)("a full host's copy of the records", () => {
  it('loses no record to a last line that died half-way', async () => {
    disk = new SmallDisk(1, join(folder, 'lib'));
    const lines = [1, 2, 3, 4].map((seq) => `{"seq":${seq},"hash":"h${seq}","x":"${'y'.repeat(30_000)}"}`);
    lines.push('{"seq":5,"hash":"h5","x":1}');
    const upTo = (count: number) => (seq: number) => ({ previous: seq ? `h${seq}` : null, lines: lines.slice(seq, count) });
    await fleet.takeLease('here', lease, 1, upTo(4));
    const copy = join(folder, 'lib', RUN, 'journal');
    const whole = readFileSync(copy, 'utf8');
    for (const freeKb of [0, 16, 40, 64]) {
      const id = idOf(`s${freeKb}`);
      const knowing = fleetHere(folder);
      writeFileSync(copy, whole);
      await knowing.takeLease('here', lease, 1, upTo(4));
      writeFileSync(copy, `${whole}${lines[4]?.slice(0, 12)}`);
      disk.fill(freeKb);
      await knowing.openAttempt('here', id, '{}', upTo(5)).catch(() => undefined);
      expect(readFileSync(copy, 'utf8').startsWith(whole), `with ${freeKb} kB free`).toBe(true);
      disk.empty();
      await fleetHere(folder).openAttempt('here', id, '{}', upTo(5));
      expect(readFileSync(copy, 'utf8')).toBe(`${whole}${lines[4]}\n`);
    }
  });
});

describe.runIf(isRoot)('a host on which a home has no room', () => {
  const OPERATOR = `ssh-ed25519 AAAAoperator ${'x'.repeat(5000)} ops@example\n`;
  const KEY = `restrict ssh-ed25519 AAAA ferry:${RUN}:copy:1\n`;
  const MADE = `# made for ferry:${RUN}:copy:1\n`;
  let keys: string;

  beforeEach(() => {
    disk = new SmallDisk(1, join(folder, 'home'));
    mkdirSync(join(folder, 'home', '.ssh'), { mode: 0o700 });
    keys = join(folder, 'home', '.ssh', 'authorized_keys');
    writeFileSync(join(folder, 'passwd'), `root:x:0:0::${folder}/home:/bin/sh\n`);
  });

  const ends = {
    'gives the host back': () => fleet.releaseLease('here', RUN, 1),
    'is given up': () => fleet.fenceRun('here', RUN),
    'is dead and cleaned': async () => {
      rmSync(join(folder, 'lib', 'lease'), { force: true });
      await fleet.leftovers('here', [], true);
    },
  };
  it.each(Object.keys(ends) as (keyof typeof ends)[])(
    "keeps the operator's keys when a run %s, and says what is left",
    async (how) => {
      for (const before of [OPERATOR + KEY, MADE + OPERATOR + KEY]) {
        for (const freeKb of [0, 4, 8]) {
          await fleet.takeLease('here', lease, 1);
          const list = join(folder, 'lib', RUN, 'authorized-keys');
          writeFileSync(list, `${keys}\n`);
          writeFileSync(keys, before, { mode: 0o600 });
          disk.fill(freeKb);
          const told = await ends[how]().catch((thrown: unknown) => thrown);
          if (told !== undefined) {
            expect(told).toMatchObject({
              code: 'COMMAND_FAILED',
              message: expect.stringContaining(`${keys} still lets a transfer in`),
            });
            expect([readFileSync(keys, 'utf8'), existsSync(list)]).toEqual([before, true]);
          }
          if (freeKb === 0) expect(told).toBeDefined();
          disk.empty();
          await ends[how]();
          expect(readFileSync(keys, 'utf8')).toBe(OPERATOR);
          expect(existsSync(`${keys}.ferry`)).toBe(false);
          rmSync(join(folder, 'lib', RUN), { recursive: true });
        }
      }
    },
  );

  it('loses a file that was made for a run, and held nothing else, all the same', async () => {
    await fleet.takeLease('here', lease, 1);
    writeFileSync(join(folder, 'lib', RUN, 'authorized-keys'), `${keys}\n`);
    writeFileSync(keys, MADE + KEY, { mode: 0o600 });
    disk.fill();
    await fleet.releaseLease('here', RUN, 1);
    expect(existsSync(keys)).toBe(false);
  });
});
