import type { Outputs, OutputValue } from '../actions/outputs.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { FactKind, FactRef, Observed } from '../facts/fact.ts';
import type { HostInfo } from '../hosts/host.ts';
import { Secret } from '../hosts/secret.ts';
import type { JournalLines, JournalRecord } from '../journal/journal.ts';
import { isoTime } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import { namesOver, SKIPPED } from '../plan/names.ts';
import type { Reading, Readings } from '../plan/plan.ts';
import { publishReading, publishValue } from '../plan/publish.ts';
import type { Names } from '../runbook/evaluate.ts';
import type { Step } from '../runbook/runbook.ts';
import type { ErrorReport, Event, EventBody } from './events.ts';
import { applyRecord } from './fold.ts';
import type { Ports } from './ports.ts';
import type { RunState, StoredRef } from './state.ts';
import type { StepState } from './step-state.ts';

/** What the parts of the engine share while they work on one run: the ports, the state, and the one way to add a record. */
export class RunContext {
  readonly ports: Ports;
  readonly state: RunState;
  readonly names: Names;
  /** Steps under way, those of them that wait for a person, and what ends their waiting. */
  readonly floor = { underWay: 0, waiting: 0, gatesOff: new AbortController() };
  /** Secret outputs, in memory only: step -> name -> value. */
  readonly #secretOutputs = new Map<string, Map<string, Secret>>();

  constructor(ports: Ports, state: RunState) {
    this.ports = ports;
    this.state = state;
    this.names = namesOver(
      ports.inputs,
      (step, name) => this.#outputsOf(step, name),
      (role) => this.hostOfRole(role),
      ports.runbook.spread,
    );
  }

  hostOfRole(role: string): HostInfo {
    const host = this.state.plan.roles[role];
    if (host === undefined) throw new FerryError('INTERNAL', { what: `no host for role ${role}` });
    return this.ports.fleet.info(host);
  }

  stepState(step: string): StepState {
    const found = this.state.steps.get(step);
    if (!found) throw new FerryError('INTERNAL', { what: `no step ${step} in the plan` });
    return found;
  }

  /** Adds a record and folds it in; returns when it is on disk. Secrets are taken out on the way. */
  record(type: string, about: { step?: string; host?: string; body?: { [name: string]: unknown } } = {}): JournalRecord {
    this.ports.crash('before-record', `${type}:${about.step ?? ''}`);
    const record = this.ports.journal.append(this.state.run, {
      type,
      epoch: this.state.epoch,
      ...(about.step === undefined ? {} : { step: about.step }),
      ...(about.host === undefined ? {} : { host: about.host }),
      body: this.ports.redact((about.body ?? {}) as { [name: string]: Json }),
    });
    // What another process put on record in between comes first.
    if (record.seq === this.state.seq + 1) applyRecord(this.state, record);
    else this.catchUp();
    this.ports.crash('after-record', `${type}:${about.step ?? ''}`);
    return record;
  }

  /** The run's records after a number, as its hosts keep them. */
  readonly recordsAfter = (seq: number): JournalLines => this.ports.journal.linesAfter(this.state.run, seq);

  /**
   * Folds in what other processes have put on record since, such as an approval, and answers with it.
   * @throws JOURNAL_FENCED when the run was taken over
   */
  catchUp(): JournalRecord[] {
    const { run, epoch: ours, seq } = this.state;
    const records = this.ports.journal.readAfter(run, seq);
    // Folded in, its epoch would pass for ours.
    const fence = records.find(({ epoch }) => epoch > ours);
    if (fence)
      throw new FerryError('JOURNAL_FENCED', { run, by: String(fence.body.by ?? ''), at: fence.at, ours, theirs: fence.epoch });
    for (const record of records) applyRecord(this.state, record);
    return records;
  }

  /** A reading as it may be shown and written down: without the secrets that are known. */
  published(kind: FactKind<unknown>, observed: Observed<unknown>): Reading {
    return this.ports.redact(publishReading(kind, observed));
  }

  emit(body: EventBody): void {
    this.ports.emit({ at: isoTime(), run: this.state.run, ...this.ports.redact(body) } as Event);
  }

  /** An error as it may be written down. */
  report(thrown: unknown, left: string): ErrorReport {
    const error = isFerryError(thrown) ? thrown : new FerryError('INTERNAL', { what: describe(thrown) }, { cause: thrown });
    return this.ports.redact({ code: error.code, message: error.message, hint: error.hint ?? null, left: error.left ?? left });
  }

  /**
   * Outputs for the journal; their secrets stay here, in memory, and leave a keyed hash there. What a command printed with a
   * secret in it is one too: the journal has its text without the secret, which nothing may be given for it.
   */
  keepOutputs(step: string, outputs: Outputs): { [name: string]: Json } {
    const written: { [name: string]: Json } = {};
    for (const [name, value] of Object.entries(outputs)) {
      const shown = typeof value === 'string' ? this.ports.redact({ [name]: value })[name] : value;
      if (value instanceof Secret) {
        this.ports.learn(value);
        this.holdSecret(step, name, value);
        written[name] = { $secret: value.source, hash: this.ports.secrets.hash(value.reveal()) };
      } else if (typeof value === 'string' && shown !== undefined && shown !== value) {
        this.holdSecret(step, name, new Secret(value, `step:${step}.${name}`));
        written[name] = { $secret: `step:${step}.${name}`, hash: this.ports.secrets.hash(value), text: shown as string };
      } else {
        written[name] = publishValue(value);
      }
    }
    return written;
  }

  holdSecret(step: string, name: string, value: Secret): void {
    const held = this.#secretOutputs.get(step) ?? new Map<string, Secret>();
    held.set(name, value);
    this.#secretOutputs.set(step, held);
  }

  /** A secret output, where it is known in this process. */
  secretOf(step: string, name: string): Secret | undefined {
    return this.#secretOutputs.get(step)?.get(name);
  }

  /** All that a step has handed on, with the secrets among it as far as they are known. */
  handedOn(step: string): Outputs {
    const held = this.#secretOutputs.get(step);
    const written = Object.entries(this.stepState(step).outputs);
    return Object.fromEntries(written.map(([name, value]): [string, OutputValue] => [name, held?.get(name) ?? value]));
  }

  /**
   * @throws OUTPUT_MISSING when a person has decided to go on without it
   * @throws SECRET_GONE when it was a secret and could not be had again
   */
  #outputsOf(step: string, asked: string): Outputs | typeof SKIPPED | undefined {
    const state = this.state.steps.get(step);
    if (state?.byHand && !(asked in state.outputs)) throw this.#missing(state, state.byHand, asked);
    if (state?.phase === 'skipped') return SKIPPED;
    if (state?.phase !== 'done') return undefined;
    if (isHidden(state.outputs[asked]) && !this.#secretOutputs.get(step)?.has(asked))
      throw new FerryError('SECRET_GONE', { step, output: asked, run: this.state.run });
    return this.handedOn(step);
  }

  #missing(
    { step }: StepState,
    { what, by, reason }: NonNullable<StepState['byHand']>,
    output: string,
  ): FerryError<'OUTPUT_MISSING'> {
    const how = `${what} by ${by}${reason === null ? '' : ` (${reason})`}`;
    return new FerryError('OUTPUT_MISSING', { step, output, how, run: this.state.run });
  }

  /** Reads facts on all their hosts at once. */
  async observe(refs: readonly FactRef<unknown>[]): Promise<Map<FactRef<unknown>, Observed<unknown>>> {
    const byHost = new Map<string, FactRef<unknown>[]>();
    for (const ref of refs) byHost.set(ref.host, [...(byHost.get(ref.host) ?? []), ref]);
    const found = new Map<FactRef<unknown>, Observed<unknown>>();
    await Promise.all(
      [...byHost].map(async ([host, ofHost]) => {
        const observed = await this.ports.read(host, ofHost);
        ofHost.forEach((ref, index) => {
          found.set(ref, observed[index] ?? { state: 'unreadable', why: 'no answer' });
        });
      }),
    );
    return found;
  }
}

/** Whether an output in the journal stands for a secret. `text` is what a command printed, without it. */
export function isHidden(value: Json | undefined): value is { $secret: string; hash: string; text?: string } {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && '$secret' in value && 'hash' in value;
}

/** State readings for a record, in published form, with how to read each again. */
export function publishReadings(found: ReadonlyMap<FactRef<unknown>, Observed<unknown>>): {
  readings: Readings;
  refs: Record<string, Record<string, StoredRef>>;
} {
  const readings: Record<string, Record<string, Reading>> = {};
  const refs: Record<string, Record<string, StoredRef>> = {};
  for (const [ref, observed] of found) {
    if (ref.kind.class !== 'state') continue;
    (readings[ref.host] ??= {})[ref.key] = publishReading(ref.kind, observed);
    (refs[ref.host] ??= {})[ref.key] = { kind: ref.kind.kind, args: ref.args };
  }
  return { readings, refs };
}

/** The title a person sees for a step. */
export function titleOf(step: Step): string {
  return step.title ?? step.id;
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
