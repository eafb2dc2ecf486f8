import type { Fact, FactRef, Facts, FactTree, Observed, Prediction } from '../facts/fact.ts';

/**
 * What a view knows of one fact: a reading, a prediction with the step that makes it, or that only apply will tell.
 * `doubtedBy` is a step that comes after it and may make something else of it, nobody knows what.
 */
export type Look =
  | { readonly observed: Observed<unknown>; readonly madeBy: string | null; readonly doubtedBy?: string }
  | { readonly unknownAfter: string }
  | 'missing';

/** Every ref in a fact tree, in order. */
export function refsOf(tree: FactTree): FactRef<unknown>[] {
  if (isRef(tree)) return [tree];
  return (Array.isArray(tree) ? tree : Object.values(tree)).flatMap((member) => refsOf(member as FactTree));
}

/** The tree with each ref replaced by its fact; `look` must know every ref. `used` is told of each whose state is looked at. */
export function factsOf<T extends FactTree>(
  tree: T,
  look: (ref: FactRef<unknown>) => Look,
  used: (look: Look) => void = () => undefined,
): Facts<T> {
  const walk = (node: FactTree): unknown => {
    if (isRef(node)) return factFrom(node, look(node), used);
    if (Array.isArray(node)) return node.map((member) => walk(member as FactTree));
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, walk(member as FactTree)]));
  };
  return walk(tree) as Facts<T>;
}

function isRef(node: FactTree): node is FactRef<unknown> {
  return 'kind' in node && 'args' in node && 'key' in node && 'host' in node;
}

function factFrom(ref: FactRef<unknown>, look: Look, used: (look: Look) => void): Fact<unknown> {
  const observed: Observed<unknown> = typeof look === 'object' && 'observed' in look ? look.observed : { state: 'absent' };
  const predict = (to: Observed<unknown> | undefined): Prediction => ({ host: ref.host, key: ref.key, kind: ref.kind, to });
  return {
    key: ref.key,
    host: ref.host,
    get value() {
      used(look);
      return observed.state === 'value' ? observed.value : undefined;
    },
    get absent() {
      used(look);
      return observed.state === 'absent' && !(typeof look === 'object' && 'unknownAfter' in look);
    },
    read: typeof look === 'object' && 'madeBy' in look && look.madeBy === null,
    after: typeof look === 'object' ? ('madeBy' in look ? look.madeBy : look.unknownAfter) : null,
    becomes: (next) => predict({ state: 'value', value: next }),
    becomesAbsent: () => predict({ state: 'absent' }),
    becomesUnknown: () => predict(undefined),
  };
}
