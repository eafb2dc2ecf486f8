import type { Host } from '../hosts/host.ts';
import { type Sh, sh } from '../hosts/sh.ts';
import { type Json, sameJson } from '../lib/json.ts';

/** What a reader found: a value, nothing there, or a reason why it cannot be known. */
export type Observed<V> =
  | { readonly state: 'value'; readonly value: V }
  | { readonly state: 'absent' }
  | { readonly state: 'unreadable'; readonly why: string };

export function value<V>(found: V): Observed<V> {
  return { state: 'value', value: found };
}
export const absent: Observed<never> = { state: 'absent' };
export function unreadable(why: string): Observed<never> {
  return { state: 'unreadable', why };
}

/** What the machine answered to a fact's script. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** For a `timed` kind: how far the host's clock is ahead of ours, and how far that may be off. Null when it tells no time. */
  readonly clock?: ClockOffset | null;
}

export interface ClockOffset {
  readonly aheadMs: number;
  readonly withinMs: number;
}

export interface FactDefinition<A extends readonly Json[], V> {
  /** The name of the kind, as it stands in keys: `unitState`. */
  readonly kind: string;
  /** State facts take part in drift, doubt, verification and proof; measures only in estimates and thresholds. */
  readonly class: 'state' | 'measure';
  /** True when the clock of the host is to be read at both ends of the batch. */
  readonly timed?: true;
  /** POSIX shell that prints the fact; read-only, its stdin is empty, it runs as root. */
  script(...args: A): Sh;
  /** Turns the answer into a value. Total: never throws on odd output, says `unreadable` instead. */
  parse(answer: Answer, ...args: A): Observed<V>;
  /** The form that may stand in plans and journals; give one when the value may hold a secret or holds volatile parts. */
  publish?(found: V): Json;
  /** Whether two published values are the same state; deep equality unless given. */
  same?(before: Json, after: Json): boolean;
  /** Whether what was read is what was predicted, on full values in memory; deep equality of values unless given. */
  meets?(read: V, predicted: V): boolean;
  /** Whether it is of something around what another fact of the host is of, by the arguments of both: a folder with all in it. */
  around?(args: readonly Json[], others: readonly Json[]): boolean;
  /** A published value for a person, in a few words. */
  show(published: Json): string;
  /** Its named parts, to tell two values apart that `show` shows alike; the members of an object unless given. */
  parts?(published: Json): Parts;
}

/** Parts of a published value for a person: the lines of a file, the members of an object. */
export type Parts = Readonly<Record<string, string>>;

/** A fact of one host, not yet read. `key` is stable across runs: `unitState(ovirt-engine.service)`. */
export interface FactRef<V> {
  readonly kind: FactKind<V>;
  readonly args: readonly Json[];
  readonly key: string;
  readonly host: string;
}

/** The definition of a kind of fact with its argument types taken away. */
export interface FactKind<V> {
  readonly kind: string;
  readonly class: 'state' | 'measure';
  readonly timed?: true;
  /** Asks through the host's connection instead of by a script, beside the batch: what the host can reach. Never state. */
  probe?(host: Host): Promise<Observed<V>>;
  script(...args: Json[]): Sh;
  parse(answer: Answer, ...args: Json[]): Observed<V>;
  publish(found: V): Json;
  same(before: Json, after: Json): boolean;
  meets(read: V, predicted: V): boolean;
  around?(args: readonly Json[], others: readonly Json[]): boolean;
  show(published: Json): string;
  parts(published: Json): Parts;
}

/** Calls like `unitState('x.service').on('engine')` name a fact; `unitState.key('x.service')` gives its key alone. */
export interface FactMaker<A extends readonly Json[], V> {
  (...args: A): { readonly key: string; on(host: string): FactRef<V> };
  key(...args: A): string;
  readonly definition: FactKind<V>;
}

/** Declares one kind of fact. */
export function defineFact<A extends readonly Json[], V>(definition: FactDefinition<A, V>): FactMaker<A, V> {
  const kind: FactKind<V> = {
    kind: definition.kind,
    class: definition.class,
    script: (...args) => definition.script(...(args as unknown as A)),
    parse: (answer, ...args) => definition.parse(answer, ...(args as unknown as A)),
    publish: (found) => (definition.publish ? definition.publish(found) : (found as unknown as Json)),
    same: definition.same ?? sameJson,
    meets: definition.meets ?? sameJson,
    show: definition.show,
    parts: definition.parts ?? membersOf,
    ...(definition.timed ? { timed: true } : {}),
    ...(definition.around ? { around: definition.around } : {}),
  };
  const keyOf = (...args: A) =>
    `${definition.kind}(${args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg))).join(', ')})`;
  const maker = (...args: A) => ({
    key: keyOf(...args),
    on: (host: string): FactRef<V> => ({ kind, args, key: keyOf(...args), host }),
  });
  return Object.assign(maker, { key: keyOf, definition: kind });
}

function membersOf(published: Json): Parts {
  const members = published !== null && typeof published === 'object' ? published : { value: published };
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, JSON.stringify(member)]));
}

/**
 * A question put through the connection of a host, such as a login as a role: what the network and the far side say to that
 * host. `key` names it without what is secret in it.
 */
export function probeOf<V>(key: string, probe: (host: Host) => Promise<Observed<V>>, show: (published: Json) => string) {
  const kind: FactKind<V> = {
    kind: key.slice(0, key.indexOf('(')),
    class: 'measure',
    probe,
    script: () => sh`exit 0`,
    parse: () => unreadable('it is asked through the connection'),
    publish: (found) => found as unknown as Json,
    same: sameJson,
    meets: sameJson,
    show,
    parts: membersOf,
  };
  return { key, on: (host: string): FactRef<V> => ({ kind, args: [], key, host }) };
}

/** What a change turns a fact into; `to` is undefined when only apply will tell. */
export interface Prediction {
  readonly host: string;
  readonly key: string;
  readonly kind: FactKind<unknown>;
  readonly to: Observed<unknown> | undefined;
}

/** A fact as an action's `plan` sees it: read or predicted. */
export interface Fact<V> {
  readonly key: string;
  readonly host: string;
  /** The value; undefined when the thing is absent. */
  readonly value: V | undefined;
  readonly absent: boolean;
  /** False when the value is what an earlier step of the plan is going to make. */
  readonly read: boolean;
  /** The step that makes it what it is here, or after which it is known; null when it was read. */
  readonly after: string | null;
  becomes(next: V): Prediction;
  becomesAbsent(): Prediction;
  /** Changed to something only apply will tell. */
  becomesUnknown(): Prediction;
}

/** The shape an action's `facts` returns: refs in any nesting of objects and arrays. */
export type FactTree = FactRef<unknown> | readonly FactTree[] | { readonly [name: string]: FactTree };

/** The same shape with each ref replaced by its fact. */
export type Facts<T> =
  T extends FactRef<infer V> ? Fact<V> : T extends readonly (infer E)[] ? Facts<E>[] : { [K in keyof T]: Facts<T[K]> };
