import { join } from 'node:path';
import type { z } from 'zod';
import { execOn } from '../../../lab/lab.ts';
import type { ActContext, Action, ActionSource, Change, KeptOnPurpose, Planned } from '../../../src/actions/action.ts';
import type { Outputs } from '../../../src/actions/outputs.ts';
import { fleetOf } from '../../../src/cli/engine-ports.ts';
import { hostsOf, readInventory } from '../../../src/cli/prepare.ts';
import type { FactRef, Observed } from '../../../src/facts/fact.ts';
import { readFacts } from '../../../src/facts/read.ts';
import type { Fleet } from '../../../src/hosts/fleet.ts';
import type { ActingHost } from '../../../src/hosts/host.ts';
import { type AttemptId, keepPath } from '../../../src/hosts/layout.ts';
import type { Json } from '../../../src/lib/json.ts';
import { randomToken } from '../../../src/lib/random.ts';
import { factsOf, refsOf } from '../../../src/plan/fact-view.ts';

/** The lab's database host, as these tests use it: through Ferry's fleet, and past it. */
export class Newdb {
  readonly fleet: Fleet;
  readonly #labDir: string;

  private constructor(labDir: string, fleet: Fleet) {
    this.#labDir = labDir;
    this.fleet = fleet;
  }

  static async open(labDir: string): Promise<Newdb> {
    return new Newdb(labDir, fleetOf(await hostsOf(await readInventory(join(labDir, 'inventory.yaml'), labDir))));
  }

  /** Runs a script as root, past Ferry, and returns what it printed. @throws when it fails */
  async sh(script: string, input = ''): Promise<string> {
    const ran = await execOn(this.#labDir, 'newdb', script, { input });
    if (ran.code !== 0) throw new Error(`${script}: ${ran.stderr}`);
    return ran.stdout.trim();
  }

  /** Makes a throw-away cluster beside the one that is there. */
  async cluster(port: number): Promise<Cluster> {
    const name = `ferry${port}`;
    const drop = `pg_lsclusters -h | grep -q ' ${name} ' && pg_dropcluster 15 ${name} --stop; true`;
    await this.sh(
      `${drop}; pg_createcluster 15 ${name} -p ${port} --locale C.UTF-8 -e UTF8 -- --no-sync && pg_ctlcluster 15 ${name} start`,
    );
    return {
      port,
      name,
      sql: (text, database = 'postgres') =>
        this.sh(`runuser -u postgres -- psql -XAtq -v ON_ERROR_STOP=1 -p ${port} -d '${database}'`, text),
      drop: async () => void (await this.sh(drop)),
    };
  }

  /** Published readings of facts of this host, for comparing before and after. */
  async readings(...refs: readonly { on(host: string): FactRef<unknown> }[]): Promise<Record<string, Json>> {
    const bound = refs.map((ref) => ref.on('newdb'));
    const found = await readFacts(this.fleet.host('newdb'), bound);
    return Object.fromEntries(bound.map((ref, index) => [ref.key, publishedForm(ref, found[index])]));
  }
}

export interface Cluster {
  readonly port: number;
  readonly name: string;
  /** Runs SQL as postgres and returns what it printed. */
  sql(text: string, database?: string): Promise<string>;
  drop(): Promise<void>;
}

/** What a step left: its plan and its outputs. */
export interface Carried {
  readonly planned: Planned;
  readonly outputs: Outputs;
}

class Died extends Error {}

/** One run of several steps on the host: reads facts, plans, keeps, applies, verifies, and takes all back, last first. */
export class RunOnNewdb {
  readonly id = `r-pg-${randomToken(4)}`;
  crossedWriteLine = false;
  readonly #fleet: Fleet;
  readonly #done: { action: Action; step: string; undo: Json }[] = [];
  #steps = 0;
  #attempts = 0;
  #undoings = 0;

  constructor(newdb: Newdb) {
    this.#fleet = newdb.fleet;
  }

  /** Plans a step on facts read now. */
  async plan(source: unknown, given: Json, earlier: { undo: Json } | null = null) {
    const action = source as ActionSource<z.ZodType, never, never, never> as unknown as Action;
    const params = action.params.parse(given);
    const site = this.#site();
    const tree = action.facts(site, params);
    const refs = refsOf(tree);
    const found = await readFacts(this.#fleet.host('newdb'), refs);
    const byKey = new Map(refs.map((ref, index) => [ref.key, found[index] ?? { state: 'absent' as const }]));
    for (const [key, observed] of byKey)
      if (observed.state === 'unreadable') throw new Error(`${key} is unreadable: ${observed.why}`);
    const facts = factsOf(tree, (ref) => ({ observed: byKey.get(ref.key) ?? { state: 'absent' }, madeBy: null }));
    return { action, params, refs, planned: action.plan(params, facts, { ...site, earlier }) };
  }

  /** Does a step and waits for what it predicted. With `dieAfter` the attempt ends, unheard, after that command. */
  async step(source: unknown, given: Json, options: { dieAfter?: string; earlier?: { undo: Json } } = {}): Promise<Carried> {
    const { action, params, refs, planned } = await this.plan(source, given, options.earlier ?? null);
    if (planned.kind !== 'change' && planned.kind !== 'check') return { planned, outputs: planned.outputs };
    // An attempt after one that died is one of the same step, whose first undo counts.
    const isAgain = options.earlier !== undefined;
    this.#steps += isAgain ? 0 : 1;
    this.#attempts = isAgain ? this.#attempts + 1 : 1;
    const id: AttemptId = { run: this.id, step: `s${this.#steps}`, attempt: this.#attempts, epoch: 1, undo: false };
    await this.#open(id);
    if (planned.kind === 'change') {
      // What stands in the journal is JSON.
      const undo = options.earlier?.undo ?? (JSON.parse(JSON.stringify(planned.undo)) as Json);
      if (!isAgain) this.#done.push({ action, step: id.step, undo });
      if (planned.keep.length > 0) await this.#fleet.keep('newdb', id, planned.keep);
    }
    const on = mortal(this.#acting(id), options.dieAfter);
    try {
      const acting = { ...this.#site(), on, onRole: () => on, params, ctx: this.#context(id), change: planned as Change<Json> };
      const outputs = (await action.apply?.(acting)) ?? planned.outputs;
      if (planned.kind === 'change') await this.#verify(planned, refs);
      return { planned, outputs };
    } catch (thrown) {
      if (!(thrown instanceof Died)) throw thrown;
      return { planned, outputs: planned.outputs };
    }
  }

  /** The undo of the step begun last, as an earlier attempt leaves it. */
  lastUndo(): { undo: Json } {
    const last = this.#done.at(-1);
    if (!last) throw new Error('no step was done');
    return { undo: last.undo };
  }

  /** Takes everything back, each step twice, as when a rollback is cut off and resumed. Returns what the last pass kept. */
  async rollback(): Promise<readonly KeptOnPurpose[]> {
    const kept: KeptOnPurpose[] = [];
    for (let last = this.#done.at(-1); last; last = this.#done.at(-1)) {
      const { action, step, undo } = last;
      let left: readonly KeptOnPurpose[] = [];
      for (let pass = 1; pass <= 2; pass += 1) {
        this.#undoings += 1;
        const id: AttemptId = { run: this.id, step, attempt: this.#undoings, epoch: 1, undo: true };
        await this.#open(id);
        const on = this.#acting(id);
        const ctx = { ...this.#context(id), crossedWriteLine: this.crossedWriteLine };
        left = (await action.rollback?.({ ...this.#site(), on, onHost: () => on, undo: undo as never, ctx })) ?? [];
      }
      this.#done.pop();
      kept.push(...left);
    }
    return kept;
  }

  async written(source: unknown, outputs: Outputs): Promise<string[]> {
    const id: AttemptId = { run: this.id, step: 'line', attempt: 1, epoch: 1, undo: true };
    return (await (source as Action).written?.({ on: this.#acting(id), outputs })) ?? [];
  }

  async end(): Promise<void> {
    await this.#fleet.releaseLease('newdb', this.id);
  }

  #acting(id: AttemptId): ActingHost {
    return this.#fleet.acting('newdb', id, new AbortController().signal, () => {});
  }

  async #open(id: AttemptId): Promise<void> {
    const other = await this.#fleet.takeLease('newdb', { run: id.run, holder: 'test@here', since: '2026-01-01T00:00:00Z' }, 1);
    if (other) throw new Error(`newdb is held by ${other.run}`);
    await this.#fleet.openAttempt('newdb', id, '{}');
  }

  #site() {
    return { host: this.#fleet.info('newdb'), hostOf: (role: string) => this.#fleet.info(role) };
  }

  #context({ run, step, attempt }: AttemptId): ActContext {
    return {
      ...{ run, step, attempt, signal: new AbortController().signal, progress: () => {} },
      kept: (_host, name) => keepPath(run, step, name),
      exitCodes: (effect) => this.#fleet.exitCodes('newdb', { run, step, attempts: [1, 2, 3] }, effect),
    };
  }

  async #verify(planned: Change<Json>, refs: readonly FactRef<unknown>[]): Promise<void> {
    for (const { key, kind, to } of planned.predicts) {
      const ref = refs.find((one) => one.key === key);
      if (!to || !ref) continue;
      let last: Observed<unknown> | undefined;
      for (let tries = 0; tries < 60; tries += 1) {
        [last] = await readFacts(this.#fleet.host('newdb'), [ref]);
        if (to.state === 'value' ? last?.state === 'value' && kind.meets(last.value, to.value) : last?.state === to.state) break;
        await new Promise((resolve) => setTimeout(resolve, 250));
        if (tries === 59) throw new Error(`${key} should become ${JSON.stringify(to)} but is ${JSON.stringify(last)}`);
      }
    }
  }
}

/** A machine on which nobody hears of anything after a command of that name. */
function mortal(on: ActingHost, dieAfter: string | undefined): ActingHost {
  if (dieAfter === undefined) return on;
  const then =
    <A extends unknown[], R>(call: (name: string, ...args: A) => Promise<R>) =>
    async (name: string, ...args: A) => {
      const result = await call(name, ...args);
      if (name === dieAfter) throw new Died();
      return result;
    };
  return Object.assign(Object.create(on) as ActingHost, {
    run: on.run.bind(on),
    connect: on.connect.bind(on),
    hostKey: on.hostKey.bind(on),
    change: then(on.change.bind(on)),
    detached: then(on.detached.bind(on)),
  });
}

function publishedForm(ref: FactRef<unknown>, found: Observed<unknown> | undefined): Json {
  if (found?.state === 'value') return ref.kind.publish(found.value);
  return found?.state === 'unreadable' ? `unreadable: ${found.why}` : 'absent';
}
