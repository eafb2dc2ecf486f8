import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Acting, Action, Change, Planned, Site } from '../../src/actions/action.ts';
import { catalog } from '../../src/actions/catalog.ts';
import type { Outputs } from '../../src/actions/outputs.ts';
import type { UndoView } from '../../src/actions/undo-preview.ts';
import { readOnly } from '../../src/engine/act.ts';
import type { FactRef, Observed } from '../../src/facts/fact.ts';
import { readFacts } from '../../src/facts/read.ts';
import type { Fleet } from '../../src/hosts/fleet.ts';
import type { ActingHost } from '../../src/hosts/host.ts';
import { type AttemptId, keepPath } from '../../src/hosts/layout.ts';
import type { Json } from '../../src/lib/json.ts';
import { factsOf, refsOf } from '../../src/plan/fact-view.ts';
import { publishReading, publishValue, sameReading, showReading } from '../../src/plan/publish.ts';

type AnyChange = Change<Json, Json>;
type Found = Map<FactRef<unknown>, Observed<unknown>>;

/** Thrown by a machine that was told to die after a number of commands. */
class Died extends Error {}

/** One step on real hosts, driven as the engine drives it but without a journal, so that a test may stop it anywhere. */
export class Step {
  readonly action: Action;
  readonly #fleet: Fleet;
  readonly #site: Site;
  readonly #params: unknown;
  readonly #id: { run: string; step: string; attempt: number; epoch: number };
  #undoAttempt = 0;
  #earlier: { undo: Json } | null = null;

  private constructor(action: Action, fleet: Fleet, site: Site, params: unknown, run: string) {
    this.action = action;
    this.#fleet = fleet;
    this.#site = site;
    this.#params = params;
    this.#id = { run, step: 'the-step', attempt: 0, epoch: 1 };
  }

  static async make(fleet: Fleet, name: string, host: string, given: unknown, run: string): Promise<Step> {
    const load = catalog[name];
    if (!load) throw new Error(`no action ${name}`);
    const { default: action } = await load();
    const site: Site = { host: fleet.info(host), hostOf: (role) => fleet.info(role) };
    return new Step(action, fleet, site, action.params.parse(given), run);
  }

  get #hosts(): string[] {
    return [
      ...new Set([
        this.#site.host.name,
        ...(this.action.roles?.(this.#params) ?? []).map((role) => this.#site.hostOf(role).name),
      ]),
    ];
  }

  async #read(refs: readonly FactRef<unknown>[]): Promise<Found> {
    const found: Found = new Map();
    for (const host of new Set(refs.map((ref) => ref.host))) {
      const own = refs.filter((ref) => ref.host === host);
      const observed = await readFacts(this.#fleet.host(host), own);
      own.forEach((ref, index) => {
        found.set(ref, observed[index] ?? { state: 'unreadable', why: 'no answer' });
      });
    }
    return found;
  }

  #refs(): FactRef<unknown>[] {
    return refsOf(this.action.facts(this.#site, this.#params));
  }

  /** Every state fact the step looks at, as it is now. */
  state(): Promise<Found> {
    return this.#read(this.#refs().filter((ref) => ref.kind.class === 'state'));
  }

  /** What the action plans on facts read now. */
  async plan(): Promise<Planned> {
    const found = await this.#read(this.#refs());
    const byKey = new Map([...found].map(([ref, observed]) => [`${ref.host} ${ref.key}`, observed]));
    const unreadable = [...found].find(([ref, observed]) => observed.state === 'unreadable' && ref.kind.class === 'state');
    if (unreadable) throw new Error(`${unreadable[0].key}: ${JSON.stringify(unreadable[1])}`);
    const facts = factsOf(this.action.facts(this.#site, this.#params), (ref) => ({
      observed: byKey.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' },
      madeBy: null,
    }));
    return this.action.plan(this.#params, facts, { ...this.#site, earlier: this.#earlier });
  }

  async planChange(): Promise<AnyChange> {
    const planned = await this.plan();
    if (planned.kind !== 'change') throw new Error(`expected a change, got ${planned.kind}: ${planned.summary}`);
    this.#earlier ??= { undo: planned.undo };
    return planned;
  }

  /** Everything before apply: lease, attempt folder, kept bytes. */
  async intend(change: AnyChange): Promise<void> {
    this.#id.attempt += 1;
    await this.#open({ ...this.#id, undo: false });
    for (const host of this.#hosts) {
      const requests = change.keep.filter((keep) => keep.host === host);
      if (requests.length > 0) await this.#fleet.keep(host, { ...this.#id, undo: false }, requests);
    }
  }

  async #open(id: AttemptId): Promise<void> {
    for (const host of this.#hosts) {
      const other = await this.#fleet.takeLease(
        host,
        { run: id.run, holder: 'test@here', since: '2026-01-01T00:00:00Z' },
        id.epoch,
      );
      if (other) throw new Error(`${host} is held by ${other.run}`);
      await this.#fleet.openAttempt(host, id, '{}');
    }
  }

  /** Gives every command away, or dies before the command after the first `lives`. Tells how many were given. */
  async apply(change: AnyChange, lives = Number.POSITIVE_INFINITY): Promise<{ outputs: Outputs; commands: number }> {
    let commands = 0;
    const signal = new AbortController().signal;
    const on = (name: string): ActingHost => {
      const host = this.#fleet.acting(name, { ...this.#id, undo: false }, signal, () => {});
      const count = () => {
        if (commands >= lives) throw new Died();
        commands += 1;
      };
      return Object.assign(Object.create(host) as ActingHost, {
        ...{ run: host.run.bind(host), connect: host.connect.bind(host), hostKey: host.hostKey.bind(host) },
        change: async (...args: Parameters<ActingHost['change']>) => {
          count();
          return host.change(...args);
        },
        detached: async (...args: Parameters<ActingHost['detached']>) => {
          count();
          return host.detached(...args);
        },
        converse: async (...args: Parameters<ActingHost['converse']>) => {
          count();
          return host.converse(...args);
        },
      });
    };
    try {
      const outputs = (await this.action.apply?.({ ...this.#acting(on), change })) ?? {};
      return { outputs: { ...change.outputs, ...outputs }, commands };
    } catch (thrown) {
      if (!(thrown instanceof Died)) throw thrown;
      return { outputs: {}, commands };
    }
  }

  #acting(on: (host: string) => ActingHost): Acting<unknown> {
    const { run, step, attempt } = this.#id;
    return {
      ...this.#site,
      on: on(this.#site.host.name),
      onRole: (role) => on(this.#site.hostOf(role).name),
      params: this.#params,
      ctx: {
        run,
        step,
        attempt,
        signal: new AbortController().signal,
        progress: () => {},
        kept: (_host, name) => keepPath(run, step, name),
        exitCodes: (effect) => this.#fleet.exitCodes(this.#site.host.name, { run, step, attempts: upTo(attempt) }, effect),
      },
    };
  }

  /** Runs a check on machines that refuse to be changed. */
  async check(): Promise<Outputs> {
    const on = (name: string) => readOnly(this.#fleet.host(name), 'the-step');
    return (await this.action.apply?.({ ...this.#acting(on), change: {} as never })) ?? {};
  }

  /** Waits until every predicted fact holds, as the engine does; fails with the first that does not. */
  async verify(change: AnyChange): Promise<void> {
    const wanted = new Map(change.predicts.map((one) => [`${one.host} ${one.key}`, one.to]));
    let wrong = '';
    for (let waitedMs = 0; waitedMs <= (this.action.verifyTimeoutMs ?? 60_000); waitedMs += 500) {
      wrong = '';
      for (const [ref, now] of await this.state()) {
        const to = wanted.get(`${ref.host} ${ref.key}`);
        const holds =
          to === undefined ||
          (now.state === 'value' && to.state === 'value' ? ref.kind.meets(now.value, to.value) : now.state === to.state);
        if (!holds) wrong = `${ref.key} is ${shown(ref, now)}, predicted ${shown(ref, to)}`;
      }
      if (wrong === '') return;
      await delay(500);
    }
    throw new Error(wrong);
  }

  /** Takes the step back with an undo that went through JSON, as the journal gives it. Returns the keys kept on purpose. */
  async rollback(change: AnyChange): Promise<string[]> {
    if (!this.action.rollback) throw new Error('no rollback');
    this.#undoAttempt += 1;
    const id = { ...this.#id, attempt: this.#undoAttempt, undo: true };
    const effects = await Promise.all(
      this.#hosts.map((host) => this.#fleet.endDetached(host, { ...this.#id, undo: false }).then(() => host)),
    );
    expect(effects).toEqual(this.#hosts);
    await this.#open(id);
    const onHost = (name: string) => this.#fleet.acting(name, id, new AbortController().signal, () => {});
    const kept = await this.action.rollback({
      ...this.#site,
      on: onHost(this.#site.host.name),
      onHost,
      undo: JSON.parse(JSON.stringify(change.undo)) as Json,
      ctx: {
        ...this.#acting(onHost).ctx,
        attempt: this.#undoAttempt,
        crossedWriteLine: false,
      },
    });
    return (kept ?? []).flatMap(({ host, key }) => (key === undefined ? [] : [`${host} ${key}`]));
  }

  /** What undo would do to what is there now. */
  async preview(change: AnyChange): Promise<UndoView> {
    const { preview } = this.action;
    if (!preview) throw new Error('no preview');
    const { run, step } = this.#id;
    const undo = JSON.parse(JSON.stringify(change.undo)) as Json;
    const site = { host: this.#site.host.name, run, crossedWriteLine: false, kept: (name: string) => keepPath(run, step, name) };
    const found = await this.#read(refsOf(preview.facts(undo, site)));
    const byKey = new Map([...found].map(([ref, observed]) => [ref.key, observed]));
    const facts = factsOf(preview.facts(undo, site), (ref) => ({
      observed: byKey.get(ref.key) ?? { state: 'absent' },
      madeBy: null,
    }));
    return preview.look(undo, facts, site);
  }

  /** Fails unless what the preview of an undo predicted is so. */
  async verifyUndone({ predicts = [] }: UndoView): Promise<void> {
    const refs = predicts.map(({ host, key, kind }) => ({ host, key, kind, args: argsOf(key) }) as FactRef<unknown>);
    const found = await this.#read(refs);
    const wrong = [...found].flatMap(([ref, now], index) => {
      const to = predicts[index]?.to;
      const holds =
        to === undefined ||
        (now.state === 'value' && to.state === 'value' ? ref.kind.meets(now.value, to.value) : now.state === to.state);
      return holds ? [] : [`${ref.key} is ${shown(ref, now)}, foreseen ${shown(ref, to)}`];
    });
    expect(wrong).toEqual([]);
  }

  async release(): Promise<void> {
    for (const host of this.#hosts) await this.#fleet.releaseLease(host, this.#id.run);
  }
}

function upTo(attempt: number): number[] {
  return Array.from({ length: attempt }, (_, index) => index + 1);
}

/** The arguments in a fact's key: `pgRole(5432, engine)`. */
function argsOf(key: string): Json[] {
  const inner = key.slice(key.indexOf('(') + 1, -1);
  return inner === '' ? [] : inner.split(', ').map((arg) => (/^\d+$/.test(arg) ? Number(arg) : arg));
}

/** Fails unless every state fact is what it was, but for those kept on purpose. */
export function expectSame(before: Found, after: Found, kept: readonly string[] = []): void {
  const now = new Map([...after].map(([ref, observed]) => [`${ref.host} ${ref.key}`, observed] as const));
  const different = [...before].flatMap(([ref, observed]) => {
    const later = now.get(`${ref.host} ${ref.key}`) ?? { state: 'absent' as const };
    const same = sameReading(ref.kind, publishReading(ref.kind, observed), publishReading(ref.kind, later));
    return same || kept.includes(`${ref.host} ${ref.key}`)
      ? []
      : [`${ref.key} was ${shown(ref, observed)}, is ${shown(ref, later)}`];
  });
  expect(different).toEqual([]);
}

/** Fails unless what a journal would hold of a change survives JSON, and holds none of the words. */
export function expectJournalable(change: AnyChange, outputs: Outputs, secrets: readonly string[]): void {
  for (const part of [change.undo, change.data]) expect(JSON.parse(JSON.stringify(part))).toEqual(part);
  const published = publishValue(outputs);
  expect(JSON.parse(JSON.stringify(published))).toEqual(published);
  const predicted = change.predicts.map(({ kind, to }) => (to ? publishReading(kind, to) : null));
  const { memory: _, predicts: __, outputs: ___, ...plain } = change;
  const text = JSON.stringify([plain, published, predicted]);
  for (const secret of secrets) expect(text).not.toContain(secret);
}

function shown(ref: FactRef<unknown>, observed: Observed<unknown> | undefined): string {
  if (!observed) return 'unknown';
  const reading = publishReading(ref.kind, observed);
  return `${showReading(ref.kind, reading)} ${JSON.stringify(reading).slice(0, 600)}`;
}
