import { closeSync, openSync, readSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { cutNetwork, labReboot, restoreNetwork } from '../../lab/lab.ts';
import { readLabState } from '../../lab/lab-state.ts';
import { findIn, searchFolder } from './canary-search.ts';
import { commandLives, overlapping } from './command-lives.ts';
import { ask, attemptsOf, commandsOf, query, recordsOf, repeated, runOf, until } from './evidence.ts';
import { FerryOnLab, type FerryResult, type Running } from './ferry-on-lab.ts';
import { holdReceiver, holdTable, holdUnit, type Release } from './holds.ts';
import type { SmallDisk } from './small-disk.ts';

const RUNBOOK = 'runbooks/ovirt/migrate-engine-db.yaml';
const WRITERS = 'ovirt-engine ovirt-engine-dwhd ovirt-engine-notifier ovirt-fence-kdump-listener';
const COPIED_PART = '/var/lib/ferry-migrate-engine-db/engine.dump.ferry-part';

/** The long commands of the move: where each runs, as which effect, and the host that takes part from afar. */
export const LONG = {
  dump: { host: 'engine', effect: 'dump' },
  copy: { host: 'engine', effect: 'send' },
  restore: { host: 'newdb', effect: 'restore' },
} as const;
export type LongStep = keyof typeof LONG;

/** A run of the engine's move that is disturbed again and again, and resumed after each time. */
export class DisturbedRun {
  readonly ferry: FerryOnLab;
  /** Every fault that happened, in order: `SIGKILL of Ferry: after-apply dump`. */
  readonly faults: string[] = [];
  /** Commands of a second or later attempt, of which it was seen that they began after the end of the one before. */
  attemptsAgain = 0;
  readonly #labDir: string;
  readonly #printed: string[] = [];
  #begun = false;
  #release: Release | undefined;

  constructor(labDir: string, stateDir?: string) {
    this.#labDir = labDir;
    this.ferry = new FerryOnLab(labDir, {}, undefined, stateDir);
  }

  get run(): string {
    return runOf(this.ferry);
  }

  /** Goes on with the run, or begins it. */
  go(env: NodeJS.ProcessEnv = {}, words: readonly string[] = []): Promise<FerryResult> {
    return this.#kept(this.#start(env, words).ended);
  }

  #start(env: NodeJS.ProcessEnv = {}, words: readonly string[] = []): Running {
    const verb = this.#begun ? ['resume'] : ['run', RUNBOOK, ...this.ferry.hosts];
    this.#begun = true;
    return this.ferry.start([...verb, ...words, '--json'], env);
  }

  async #kept(ending: Promise<FerryResult>): Promise<FerryResult> {
    const ended = await ending;
    this.#printed.push(ended.stdout, ended.stderr);
    return ended;
  }

  /** Ferry is killed at a named point, which it must come to. */
  async killAt(point: string, words: readonly string[] = []): Promise<void> {
    const ended = await this.go({ FERRY_CRASH_AT: point }, words);
    expect(ended.code, `${point} was not come to: ${ended.stderr.slice(-1500)}${ended.stdout.slice(-1500)}`).toBe(null);
    this.faults.push(`SIGKILL of Ferry: ${point}`);
  }

  /** Takes the run back, Ferry being killed at a named point of that. */
  async killRollbackAt(point: string): Promise<void> {
    const ended = await this.#kept(this.ferry.run(['rollback', '--yes'], { FERRY_CRASH_AT: point }));
    expect(ended.code, `${point} was not come to: ${ended.stderr.slice(-1500)}`).toBe(null);
    this.faults.push(`SIGKILL of Ferry: ${point}`);
  }

  rollBack(): Promise<FerryResult> {
    return this.#kept(this.ferry.run(['rollback', '--yes']));
  }

  /** Ferry is killed at a named point, and the record it wrote last is torn on the disk, as when the power went before the write was done. */
  async tearAt(point: string): Promise<void> {
    const before = recordsOf(this.ferry).length;
    await this.killAt(point);
    const written = recordsOf(this.ferry).length;
    expect(written).toBeGreaterThan(before);
    const wal = join(this.ferry.stateDir, 'journal.db-wal');
    truncateSync(wal, statSync(wal).size - 100);
    expect(recordsOf(this.ferry).length, 'the torn record is gone, and no other').toBe(written - 1);
    this.faults[this.faults.length - 1] = `torn write: ${point}`;
  }

  /** Ferry is killed at a named point, and half a record that was never finished is behind the last one. */
  async scribbleAt(point: string): Promise<void> {
    await this.killAt(point);
    const written = recordsOf(this.ferry).length;
    const wal = join(this.ferry.stateDir, 'journal.db-wal');
    const file = openSync(wal, 'r+');
    const frame = Buffer.alloc(2000);
    const end = statSync(wal).size;
    readSync(file, frame, 0, frame.length, end - 4120);
    writeSync(file, frame, 0, frame.length, end);
    closeSync(file);
    expect(recordsOf(this.ferry).length).toBe(written);
    this.faults[this.faults.length - 1] = `half a write: ${point}`;
  }

  /** Brings the run into the middle of a long step, and holds it there. */
  async #into(step: LongStep): Promise<Running> {
    // The fence of the old database ends other sessions, that of a lock too.
    if (step === 'dump') expect((await this.go({}, ['--until', 'quiesced'])).code).toBe(0);
    if (step === 'dump') this.#release = await holdTable(this.#labDir, 'engine', 'audit_log', 'ACCESS EXCLUSIVE');
    else if (step === 'copy') this.#release = await holdReceiver(this.#labDir, 'newdb');
    else this.#release = await holdTable(this.#labDir, 'newdb', 'pg_constraint', 'SHARE');
    // What comes after the step is for another fault.
    const running = this.#start({ FERRY_CRASH_AT: `after-record step.verified:${step}` });
    const isThere =
      step === 'copy' ? this.#isCopying() : this.#waitsForLock(LONG[step].host, step === 'dump' ? 'pg_dump' : 'pg_restore');
    const early = running.ended.then(({ code, stdout, stderr }) => {
      throw new Error(
        `ferry ended with ${code} before it was in the middle of ${step}: ${stderr.slice(-1500)}${stdout.slice(-1500)}`,
      );
    });
    await Promise.race([isThere, early]);
    early.catch(() => undefined);
    return running;
  }

  #isCopying(): Promise<void> {
    const part = `stat -c %s ${COPIED_PART} 2>/dev/null || :`;
    return until('100 kB to have come', async () => (await ask(this.#labDir, 'newdb', part)) === '100000');
  }

  #waitsForLock(host: string, program: string): Promise<void> {
    const sql = `SELECT count(*) FROM pg_stat_activity WHERE application_name = '${program}' AND wait_event_type = 'Lock'`;
    return until(
      `${program} to wait for a lock`,
      async () => (await query(this.#labDir, host, 'postgres', sql).catch(() => '')) === '1',
    );
  }

  async letGo(): Promise<void> {
    await this.#release?.().catch(() => undefined);
    this.#release = undefined;
  }

  /** Ferry is killed while a long command runs, which goes on. */
  async killFerryIn(step: LongStep): Promise<void> {
    const running = await this.#into(step);
    await running.kill();
    await this.letGo();
    this.faults.push(`SIGKILL of Ferry: in the middle of ${step}`);
  }

  /** The long command is killed under Ferry, which must say so and stop. */
  async killCommandIn(step: LongStep): Promise<void> {
    const running = await this.#into(step);
    const { host, effect } = LONG[step];
    await ask(
      this.#labDir,
      host,
      `systemctl kill -s KILL ferry-${this.run}-${step}.${attemptsOf(this.ferry, step).at(-1)}-${effect}.service`,
    );
    await this.#fails(running, step);
    this.faults.push(`SIGKILL of the command: in the middle of ${step}`);
  }

  /** Every sshd of the host dies, sessions and all, and systemd starts it again; Ferry finds its way alone. */
  async killSshdIn(step: LongStep): Promise<void> {
    const running = await this.#into(step);
    const { host } = LONG[step];
    await ask(this.#labDir, host, 'pkill -KILL -x sshd; systemctl start ssh');
    await this.letGo();
    await this.#goesOn(running, step);
    this.faults.push(`SIGKILL of sshd: in the middle of ${step}`);
  }

  /** The disk of the state folder is full when the step ends: Ferry says so and stops, and goes on when there is room. */
  async fillDiskIn(step: LongStep, disk: SmallDisk): Promise<void> {
    const running = await this.#into(step);
    disk.fill();
    await this.letGo();
    const ended = await this.#kept(running.ended);
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stdout + ended.stderr).toContain('JOURNAL_UNWRITABLE');
    disk.empty();
    this.faults.push(`full disk of the journal: in the middle of ${step}`);
  }

  /** PostgreSQL dies under the long command, and is started again by hand. */
  async killPostgresIn(step: 'dump' | 'restore'): Promise<void> {
    const running = await this.#into(step);
    const { host } = LONG[step];
    await ask(this.#labDir, host, 'kill -KILL $(head -1 /var/lib/postgresql/15/main/postmaster.pid)');
    this.#release = undefined;
    await this.#fails(running, step);
    const start = 'systemctl reset-failed postgresql@15-main 2>/dev/null; systemctl restart postgresql@15-main && echo up || :';
    await until('PostgreSQL to be up again', async () => (await ask(this.#labDir, host, start)).endsWith('up'));
    this.faults.push(`SIGKILL of PostgreSQL: in the middle of ${step}`);
  }

  /** The host is rebooted under the long command. */
  async rebootIn(step: LongStep, host: string = LONG[step].host): Promise<void> {
    const running = await this.#into(step);
    await labReboot({ dir: this.#labDir, host, say: () => undefined });
    // What the boot has started would run on the old conf: a person puts it back, as the drift would be told to them.
    if (host === 'engine') await ask(this.#labDir, host, `systemctl stop ${WRITERS}`);
    // A lock died with its server; what else is held is not of that host.
    await this.letGo();
    await this.#fails(running, step);
    this.faults.push(`reboot of ${host}: in the middle of ${step}`);
  }

  /** The host is cut off for so long while the command comes to its end unseen; Ferry finds its way alone. */
  async cutIn(step: LongStep, seconds: number, host: string = LONG[step].host): Promise<void> {
    const running = await this.#into(step);
    await cutNetwork(this.#labDir, host);
    try {
      await this.letGo();
      // The fault is that long.
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    } finally {
      await restoreNetwork(this.#labDir, host);
    }
    // A transfer gives its other end up when nothing has come from there for 30 s; Ferry itself waits longer, and so does what is detached.
    if (step === 'copy' && seconds > 30) await this.#fails(running, step);
    else await this.#goesOn(running, step);
    this.faults.push(`network of ${host} cut for ${seconds} s: in the middle of ${step}`);
  }

  /** A unit hangs while it stops or starts, and Ferry is killed meanwhile. */
  async killFerryWhile(at: 'ExecStop' | 'ExecStartPre', unit: string, state: string): Promise<void> {
    this.#release = await holdUnit(this.#labDir, 'engine', unit, at);
    const running = this.#start();
    const now = `systemctl is-active ${unit} || :`;
    await until(`${unit} to be ${state}`, async () => (await ask(this.#labDir, 'engine', now)) === state);
    await running.kill();
    await this.letGo();
    this.faults.push(`SIGKILL of Ferry: while ${unit} is ${state}`);
  }

  /** Ferry survives: it does the step to its end, where it is killed. */
  async #goesOn(running: Running, step: string): Promise<void> {
    const ended = await this.#kept(running.ended);
    expect(ended.code, `${step}: ${ended.stderr.slice(-1500)}${ended.stdout.slice(-1500)}`).toBe(null);
    expect(recordsOf(this.ferry).at(-1)).toMatchObject({ type: 'step.verified', step });
  }

  async #fails(running: Running, step: string): Promise<void> {
    const ended = await this.#kept(running.ended);
    expect(ended.code, `${step}: ${ended.stderr.slice(-1500)}${ended.stdout.slice(-1500)}`).toBe(1);
    await this.letGo();
    expect(recordsOf(this.ferry).find((one) => one.type === 'step.verified' && one.step === step)).toBe(undefined);
  }

  /** All that must hold of the records and commands at the end, whatever happened. Throws naming what does not. */
  async commandsRanOnce(): Promise<void> {
    const commands = await commandsOf(this.#labDir, this.run);
    expect(repeated(commands)).toEqual([]);
    const records = recordsOf(this.ferry);
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1));
    // Every attempt and every undo begins only after all of the one before had its end, by the clocks of the hosts.
    const lives = await commandLives(this.#labDir, this.run, ['engine', 'newdb', 'he1']);
    expect(lives.length).toBe(commands.folders.length);
    expect(overlapping(lives)).toEqual([]);
    this.attemptsAgain += lives.filter(({ attempt }) => attempt > 1).length;
    for (const { step, body, seq } of records.filter(({ type }) => type === 'step.intended')) {
      const earlier = records.filter((one) => one.step === step && one.type === 'step.intended' && one.seq < seq);
      expect(Number(body.attempt), `attempts of ${step} count on`).toBe(earlier.length + 1);
    }
    // A command without an exit code is one that died; the step must have another attempt that came to its end.
    for (const folder of commands.folders.filter((one) => one.endsWith(' -'))) {
      const [, step = '', attempt = ''] = /^\S+ (.+)\.(?:undo\.)?(\d+)\//.exec(folder) ?? [];
      const later = commands.folders.some((one) => one.includes(` ${step}.`) && !one.endsWith(' -'));
      expect(later, `${folder}: died, and ${step} has no attempt but ${attempt}`).toBe(true);
    }
    for (const host of ['engine', 'newdb']) {
      expect(await ask(this.#labDir, host, 'systemctl list-units --all --plain --no-legend "ferry-r-*"')).toBe('');
      expect(await ask(this.#labDir, host, 'pgrep -fa "[/]var/lib/ferry/" || :')).toBe('');
      expect(await ask(this.#labDir, host, 'cat /var/lib/ferry/lease 2>/dev/null || :')).toBe('');
    }
  }

  /** Places in which the engine's password is found though it must not be there. */
  async leaks(): Promise<string[]> {
    const secret = (await readLabState(this.#labDir))?.dbPassword ?? '';
    expect(secret.length).toBeGreaterThan(10);
    const canary = [{ name: 'engine password', secret, words: [secret] }];
    const here = [...searchFolder(canary, this.ferry.stateDir), ...findIn(canary, 'what was printed', this.#printed.join('\n'))];
    const there = await Promise.all(
      ['he1', 'engine', 'newdb'].map(async (host) => {
        // Kept bytes hold conf files as they were, on purpose.
        const files = `grep -rlF --exclude-dir=keep ${secret} /var/lib/ferry /run/ferry 2>/dev/null || :; journalctl -o cat --no-pager | grep -cF ${secret} || :`;
        const answer = await ask(this.#labDir, host, files);
        return answer === '0' ? [] : [`${host}: ${answer}`];
      }),
    );
    return [...here.map(({ place, form }) => `${place} (${form})`), ...there.flat()];
  }

  remove(): void {
    this.ferry.remove();
  }
}
