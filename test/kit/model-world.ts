import { FerryError } from '../../src/errors/ferry-error.ts';
import type { FactRef, Observed } from '../../src/facts/fact.ts';
import { defineFact, value } from '../../src/facts/fact.ts';
import type { DeadMan, DeadManState } from '../../src/hosts/dead-man.ts';
import type { Effect, Fleet, Raised } from '../../src/hosts/fleet.ts';
import type { ActingHost, HostInfo } from '../../src/hosts/host.ts';
import type { RecordsAfter } from '../../src/hosts/journal-copy.ts';
import type { AttemptId, Attempts } from '../../src/hosts/layout.ts';
import type { Lease } from '../../src/hosts/lease.ts';
import type { Ended, RunThere } from '../../src/hosts/runs-here.ts';
import { sh } from '../../src/hosts/sh.ts';
import { hashOf, headOf, lineOf } from '../../src/journal/chain.ts';
import type { Journal, JournalRecord, NewRecord } from '../../src/journal/journal.ts';
import { type ModelEffect, ModelEffects } from './model-effects.ts';

/** Thrown where the controller dies; nothing it does afterwards reaches the world. */
export class Died extends Error {}

/** One key of a model host. */
export const cell = defineFact<[key: string], string>({
  kind: 'cell',
  class: 'state',
  script: (key) => sh`cell ${key}`,
  parse: (answer) => value(answer.stdout),
  show: String,
});

/**
 * A small working model of hosts: cells, attempt folders, leases, kept bytes. Commands are words: `set K V`, `add K V`
 * (not idempotent), `say TEXT`, which is answered with the text, `fail`. It survives the controller, as hosts do, and so do the
 * commands that run there: they come to their end while no controller looks.
 */
export class ModelWorld implements Fleet {
  readonly cells = new Map<string, string>();
  readonly leases = new Map<string, Lease>();
  /** The epoch of each run on each host, as `host/run`: commands of one before are refused. */
  readonly epochs = new Map<string, number>();
  /** The records of each run on each host, as `host/run`. */
  readonly copies = new Map<string, string[]>();
  /** Machines that know a run, as `host/run`. */
  readonly known = new Set<string>();
  readonly kept = new Map<string, string>();
  readonly commands = new ModelEffects((effect) => this.#end(effect));
  /** The commands that were begun, in order: `host:step.attempt:name`. */
  readonly ran = this.commands.ran;
  /** When true, the next calls of the controller find no world any more. */
  dead = false;
  /** Effects that die without an exit code, once each. */
  readonly loseOnce = new Set<string>();
  /** What was written since the write line, as its counters tell. */
  written: string[] = ['cells: 1 write'];
  /** What is counted is not there any more. */
  failCounting = false;
  /** Effects that fail, once each. */
  readonly failOnce = new Set<string>();
  /** Short effects that end only when they are let, once each. */
  readonly slowOnce = new Set<string>();
  letSlowEnd: () => void = () => undefined;
  /** Hosts no controller can reach. */
  readonly away = new Set<string>();
  /** Hosts on which another controller has taken the run. */
  readonly takenOver = new Set<string>();
  /** Effects that come to their end while the link to their host is cut, once each: `step:name`. */
  readonly cutOnce = new Set<string>();

  info(host: string): HostInfo {
    return { name: host, address: host, user: 'root', port: 22 };
  }
  host(host: string) {
    this.#alive();
    return this.acting(host, { run: 'none', step: 'none', attempt: 0, epoch: 0, undo: false });
  }
  async read(host: string, refs: readonly FactRef<unknown>[]): Promise<Observed<unknown>[]> {
    this.#reach(host);
    return refs.map((ref) => {
      const found = this.cells.get(`${host}/${String(ref.args[0])}`);
      return found === undefined ? { state: 'absent' } : { state: 'value', value: found };
    });
  }
  acting(host: string, id: AttemptId, signal?: AbortSignal): ActingHost {
    const perform = (name: string, command: string, kind: ModelEffect['kind']): ModelEffect => {
      this.#reach(host);
      this.#guard(host, id);
      if (this.takenOver.has(host))
        throw new FerryError('EPOCH_STALE', { host, run: id.run, ours: id.epoch, theirs: '2', by: 'you@there' });
      if (this.deadMen.get(this.#folder(host, id))?.state === 'reverted')
        throw new FerryError('DEAD_MAN_REVERTED', { host, step: id.step, run: id.run });
      const effect = this.commands.begin(host, id, name, kind, command);
      if (this.loseOnce.delete(`${id.step}:${name}`)) this.commands.lose(effect);
      if (effect.state === 'running') this.inEffect?.(`${id.step}:${name}`);
      if (kind === 'short') this.commands.finish(effect);
      return effect;
    };
    const outcome = (effect: ModelEffect, name: string) => {
      if (this.cutOnce.delete(`${id.step}:${name}`)) this.away.add(host);
      this.#reach(host);
      if (effect.state === 'lost') throw new FerryError('COMMAND_LOST', { host, what: name, why: 'its process is gone' });
      if (effect.code !== 0) throw new FerryError('COMMAND_FAILED', { host, what: name, code: effect.code, output: '' });
      return { code: effect.code, stdout: effect.stdout, stderr: '' };
    };
    return {
      ...this.info(host),
      run: async () => {
        this.#reach(host);
        if (this.failCounting) throw new FerryError('CHECK_FAILED', { host, what: 'the write line', why: 'no such database' });
        return { code: 0, stdout: this.written.join('\n'), stderr: '' };
      },
      connect: () => Promise.reject(new Error('no network in the model')),
      hostKey: async () => null,
      change: async (name, script) => {
        signal?.throwIfAborted();
        const effect = perform(name, script.text, 'short');
        if (this.slowOnce.delete(`${id.step}:${name}`)) await new Promise<void>((resolve) => (this.letSlowEnd = resolve));
        return outcome(effect, name);
      },
      detached: async (name, script) => {
        const effect = perform(name, script.text, 'detached');
        while (effect.state === 'running')
          await this.commands.look(async () => {
            // A turn of the event loop, so that a timeout can come in between.
            await new Promise((resolve) => setImmediate(resolve));
            signal?.throwIfAborted();
            this.#alive();
            this.onPoll?.(id.step);
          });
        return outcome(effect, name);
      },
      converse: async (name, script) => {
        // Nobody can go on with what another had begun to answer.
        const before = this.commands.commandsOf(host, id)?.get(name);
        if (before) this.commands.lose(before);
        const effect = perform(name, script.text, 'conversation');
        signal?.throwIfAborted();
        this.commands.finish(effect);
        return outcome(effect, name);
      },
    };
  }
  /** Called while a detached command runs. */
  onPoll: ((step: string) => void) | undefined;
  /** Called once a command has begun, or was found running, with `step:name`: a controller may die there, which the command does not hear. */
  inEffect: ((about: string) => void) | undefined;

  async openAttempt(host: string, id: AttemptId, _intent?: string, records?: RecordsAfter): Promise<boolean> {
    this.#reach(host);
    this.#guard(host, id);
    this.#copy(host, id.run, records);
    return this.commands.open(host, id);
  }
  async effects(host: string, id: AttemptId): Promise<Effect[] | null> {
    this.#reach(host);
    const found = await this.commands.askAbout(host, id);
    return (
      found?.map(({ name, kind, state, code }) => ({
        ...{ name, detached: kind !== 'short', state },
        ...(state === 'exited' ? { code } : {}),
      })) ?? null
    );
  }
  async exitCodes(host: string, { run, step, attempts }: Attempts, effect: string): Promise<number[]> {
    const ran = attempts.map((attempt) => this.commands.attempts.get(`${host}/${run}/${step}.${attempt}`)?.get(effect));
    return ran.flatMap((one) => (one?.state === 'exited' ? [one.code] : []));
  }
  async endDetached(host: string, id: AttemptId): Promise<void> {
    this.#reach(host);
    this.#guard(host, id);
    // A short one comes to its end by itself.
    for (const effect of this.commands.commandsOf(host, id)?.values() ?? [])
      if (effect.kind !== 'short') this.commands.lose(effect);
  }
  async keep(host: string, { run, step }: AttemptId, requests: readonly { name: string; path?: string }[], generation = 0) {
    this.#alive();
    return requests.map(({ name, path }) => {
      const key = `${run}/${step}.${generation}/${name}`;
      if (!this.kept.has(key)) this.kept.set(key, this.cells.get(`${host}/${path}`) ?? '');
      return { name, sha256: 'x' };
    });
  }
  /** Dead-man switches by attempt folder. Their time is over as soon as their host is found shut. */
  readonly deadMen = new Map<string, { state: DeadManState; fire: (again?: boolean) => void }>();
  /** How often Ferry has logged in anew. */
  logins = 0;
  noTimer = false;
  async armDeadMan(host: string, id: AttemptId, { putBack, reload }: DeadMan): Promise<DeadManState> {
    this.#reach(host);
    if (this.noTimer) throw new FerryError('DEAD_MAN_UNARMED', { host, step: id.step, why: 'no timer here' });
    const folder = this.#folder(host, id);
    const known = this.deadMen.get(folder);
    if (known) return known.state;
    const armed = {
      state: 'armed' as DeadManState,
      fire: (again = false) => {
        if (armed.state !== 'armed' && !(again && armed.state === 'reverted')) return;
        for (const effect of this.commands.commandsOf(host, id)?.values() ?? []) this.commands.lose(effect);
        this.#execute(host, putBack.text);
        if (reload !== null) this.#execute(host, reload);
        this.commands.allowAgain(id);
        armed.state = 'reverted';
      },
    };
    this.deadMen.set(folder, armed);
    return armed.state;
  }
  async deadMan(host: string, id: AttemptId, ask: 'look' | 'confirm' | 'revert'): Promise<DeadManState> {
    this.#reach(host);
    const found = this.deadMen.get(this.#folder(host, id));
    if (found?.state === 'armed' && ask === 'confirm') found.state = 'confirmed';
    if (ask === 'revert') found?.fire(true);
    return found?.state ?? 'none';
  }
  async logIn(host: string): Promise<void> {
    this.#reach(host);
    this.logins += 1;
    // Whoever is in stays in.
    if (this.cells.get(`${host}/door`) === 'locked')
      throw new FerryError('HOST_LOGIN_REFUSED', { host, address: host, user: 'root', tried: 'a key' });
    if (this.cells.get(`${host}/door`) !== 'shut') return;
    // Connections that are open stay so; by the time one more is given up, the host has let Ferry in again.
    for (const armed of this.deadMen.values()) armed.fire();
    if (this.cells.get(`${host}/door`) === 'shut')
      throw new FerryError('HOST_UNREACHABLE', { host, address: host, port: 22, why: 'the door is shut' });
  }
  /** The runs that worked on each host, oldest first, and those that were taken back, as `host/run`. */
  readonly runsHere = new Map<string, string[]>();
  readonly takenBack = new Set<string>();
  async knowsRun(host: string, run: string): Promise<RunThere | null> {
    this.#alive();
    if (!this.known.has(`${host}/${run}`)) return null;
    if (this.leases.get(host)?.run === run) return { newer: [], isTakenBack: false };
    const runs = this.runsHere.get(host) ?? [];
    return { newer: runs.slice(runs.indexOf(run) + 1), isTakenBack: this.takenBack.has(`${host}/${run}`) };
  }
  async takeLease(host: string, lease: Lease, epoch: number, records?: RecordsAfter): Promise<Lease | null> {
    this.#reach(host);
    const held = this.leases.get(host);
    if (held && held.run !== lease.run) return held;
    if ((this.epochs.get(`${host}/${lease.run}`) ?? 0) > epoch) this.#guard(host, { run: lease.run, epoch });
    this.epochs.set(`${host}/${lease.run}`, epoch);
    this.#copy(host, lease.run, records);
    this.leases.set(host, held ?? lease);
    const runs = this.runsHere.get(host) ?? [];
    if (!runs.includes(lease.run)) this.runsHere.set(host, [...runs, lease.run]);
    this.known.add(`${host}/${lease.run}`);
    return null;
  }
  async releaseLease(host: string, run: string, epoch = Number.MAX_SAFE_INTEGER, ended: Ended | null = null): Promise<void> {
    this.#reach(host);
    if ((this.epochs.get(`${host}/${run}`) ?? 0) > epoch) this.#guard(host, { run, epoch });
    if (this.leases.get(host)?.run !== run) return;
    this.leases.delete(host);
    if (ended)
      this.runsHere.set(
        host,
        (this.runsHere.get(host) ?? []).filter((one) => one !== run),
      );
    if (ended === 'taken-back') this.takenBack.add(`${host}/${run}`);
  }
  async raiseEpoch(host: string, lease: Lease, epoch: number): Promise<Raised> {
    this.#reach(host);
    const key = `${host}/${lease.run}`;
    if ((this.epochs.get(key) ?? 0) > epoch) this.#guard(host, { run: lease.run, epoch });
    this.epochs.set(key, epoch);
    if (!this.known.has(key)) return { isThere: false, isHeld: false, isBusy: false };
    const isHeld = this.leases.get(host)?.run === lease.run;
    if (isHeld) this.leases.set(host, lease);
    return { isThere: true, isHeld, isBusy: false };
  }
  async journalCopy(host: string, run: string): Promise<string | null> {
    this.#reach(host);
    const lines = this.copies.get(`${host}/${run}`);
    return lines ? lines.map((line) => `${line}\n`).join('') : null;
  }
  async fenceRun(host: string, run: string): Promise<void> {
    await this.releaseLease(host, run);
  }
  async lease(host: string): Promise<Lease | null> {
    return this.leases.get(host) ?? null;
  }
  /** Hosts whose login may only plan. */
  readonly planOnly = new Set<string>();
  /** Bytes a run has on a host, as `host/run`. */
  readonly folders = new Map<string, number>();
  readonly left: { host: string; run: string; kind: 'secrets' | 'key' | 'unit'; where: string }[] = [];
  async traces(host: string, run: string) {
    this.#reach(host);
    const isHeld = this.leases.get(host)?.run === run;
    const state = this.planOnly.has(host) ? ('plan-only' as const) : isHeld ? ('held' as const) : ('free' as const);
    return { state, bytes: this.folders.get(`${host}/${run}`) ?? 0 };
  }
  async cleanRun(host: string, run: string) {
    const found = await this.traces(host, run);
    if (found.state === 'free') this.folders.delete(`${host}/${run}`);
    return found;
  }
  async leftovers(host: string, alive: readonly string[], isRemoved: boolean) {
    this.#reach(host);
    const found = this.left.filter((one) => one.host === host && !alive.includes(one.run));
    if (isRemoved) for (const one of found) this.left.splice(this.left.indexOf(one), 1);
    return found;
  }
  /** How often connections were put to rest. */
  rests = 0;
  rest(): void {
    this.rests += 1;
  }
  async close(): Promise<void> {}

  #reach(host: string): void {
    this.#alive();
    if (this.away.has(host)) throw new FerryError('HOST_UNREACHABLE', { host, address: host, port: 22, why: 'no route' });
  }
  /** Adds the records that a host lacks, as the real one does: only on top of the very ones they stand on. */
  #copy(host: string, run: string, records: RecordsAfter | undefined): void {
    if (!records) return;
    const lines = this.copies.get(`${host}/${run}`) ?? [];
    const { previous, lines: more } = records(lines.length);
    const last = lines.at(-1);
    if (last !== undefined && !last.includes(`"hash":"${previous}"`))
      throw new FerryError('JOURNAL_FORKED', { host, run, seq: lines.length });
    this.copies.set(`${host}/${run}`, [...lines, ...more]);
  }
  #guard(host: string, { run, epoch }: Pick<AttemptId, 'run' | 'epoch'>): void {
    const theirs = this.epochs.get(`${host}/${run}`) ?? epoch;
    if (theirs !== epoch)
      throw new FerryError('EPOCH_STALE', { host, run, ours: epoch, theirs: String(theirs), by: 'you@there' });
  }
  #alive(): void {
    if (this.dead) throw new Died('the controller is dead');
    this.commands.tick();
  }
  #folder(host: string, id: AttemptId): string {
    return `${host}/${id.run}/${id.step}.${id.undo ? 'undo.' : ''}${id.attempt}`;
  }
  #end({ host, id, name, command }: ModelEffect): number {
    return this.failOnce.delete(`${id.step}:${name}`) ? 1 : this.#execute(host, command);
  }
  #execute(host: string, command: string): number {
    for (const line of command.split('\n')) {
      const [verb, key, ...rest] = line.trim().split(' ');
      const id = `${host}/${key}`;
      if (verb === 'set') this.cells.set(id, rest.join(' '));
      else if (verb === 'unset') this.cells.delete(id);
      else if (verb === 'add') this.cells.set(id, `${this.cells.get(id) ?? ''}${rest.join(' ')}`);
      else if (verb === 'fail') return 1;
    }
    return 0;
  }
}

/** A journal in memory with the contract of the real one; like a disk, it survives the controller. */
export class ModelJournal implements Journal {
  readonly records = new Map<string, JournalRecord[]>();
  world: ModelWorld;
  constructor(world: ModelWorld) {
    this.world = world;
  }
  create(run: string, _runbook: string, first: NewRecord): JournalRecord {
    this.records.set(run, []);
    return this.append(run, first);
  }
  /** Who holds the lock of the run: this controller, another, or nobody. */
  lock: 'ours' | 'theirs' | null = 'ours';
  open(run: string): void {
    if (this.lock === 'theirs') throw new FerryError('RUN_BUSY', { run, pid: 1, since: '' });
    this.lock = 'ours';
  }
  release(): void {
    this.lock = null;
  }
  isOpen(): boolean {
    return this.lock === 'theirs';
  }
  holderOf(): null {
    return null;
  }
  append(run: string, { type, epoch, step, host, body }: NewRecord): JournalRecord {
    if (this.world.dead) throw new Died('the controller is dead');
    const list = this.records.get(run) ?? [];
    // Epochs only rise: where the last is no newer, none is.
    const fence = (list.at(-1)?.epoch ?? 0) > epoch ? list.find((record) => record.epoch > epoch) : undefined;
    if (fence)
      throw new FerryError('JOURNAL_FENCED', {
        ...{ run, at: fence.at, by: String(fence.body.by) },
        ...{ ours: epoch, theirs: fence.epoch },
      });
    const unhashed = {
      seq: list.length + 1,
      at: new Date(0).toISOString(),
      epoch,
      type,
      step: step ?? null,
      host: host ?? null,
      body: JSON.parse(JSON.stringify(body ?? {})) as JournalRecord['body'],
    };
    const record = { ...unhashed, hash: hashOf(headOf(run, list), unhashed) };
    list.push(structuredClone(record));
    this.records.set(run, list);
    return record;
  }
  takeOver(run: string, body: NonNullable<NewRecord['body']>, least = 0): JournalRecord {
    const epoch = Math.max(...this.read(run).map((record) => record.epoch + 1), least);
    return this.append(run, { type: 'run.taken-over', epoch, body });
  }
  adopt(run: string, _runbook: string, records: readonly JournalRecord[]): void {
    this.records.set(run, [...records]);
  }
  linesAfter(run: string, seq: number) {
    const records = this.records.get(run) ?? [];
    return { previous: records[seq - 1]?.hash ?? null, lines: records.slice(seq).map(lineOf) };
  }
  read(run: string): JournalRecord[] {
    return structuredClone(this.records.get(run) ?? []);
  }
  readAfter(run: string, seq: number): JournalRecord[] {
    return structuredClone((this.records.get(run) ?? []).filter((record) => record.seq > seq));
  }
  runs() {
    return [];
  }
  close(): void {}
}
