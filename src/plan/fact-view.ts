import type { Fact, FactRef, Facts, FactTree, Observed, Prediction } from '../facts/fact.ts';

/** What a view knows of one fact: a reading, a prediction with the step that makes it, or that only apply will tell. */
export type Look =
  | { readonly observed: Observed<unknown>; readonly madeBy: string | null }
  | { readonly unknownAfter: string }
  | 'missing';

/** Every ref in a fact tree, in order. */
export function refsOf(tree: FactTree): FactRef<unknown>[] {
  if (isRef(tree)) return [tree];
  return (Array.isArray(tree) ? tree : Object.values(tree)).flatMap((member) => refsOf(member as FactTree));
}

/** The tree with each ref replaced by its fact; `look` must know every ref. */
export function factsOf<T extends FactTree>(tree: T, look: (ref: FactRef<unknown>) => Look): Facts<T> {
  const walk = (node: FactTree): unknown => {
    if (isRef(node)) return factFrom(node, look(node));
    if (Array.isArray(node)) return node.map((member) => walk(member as FactTree));
    return Object.fromEntries(Object.entries(node).map(([name, member]) => [name, walk(member as FactTree)]));
  };
  return walk(tree) as Facts<T>;
}

function isRef(node: FactTree): node is FactRef<unknown> {
  return 'kind' in node && 'args' in node && 'key' in node && 'host' in node;
}

function factFrom(ref: FactRef<unknown>, look: Look): Fact<unknown> {
  const observed: Observed<unknown> = typeof look === 'object' && 'observed' in look ? look.observed : { state: 'absent' };
  const predict = (to: Observed<unknown> | undefined): Prediction => ({ host: ref.host, key: ref.key, kind: ref.kind, to });
  return {
    key: ref.key,
    host: ref.host,
    value: observed.state === 'value' ? observed.value : undefined,
    absent: observed.state === 'absent' && !(typeof look === 'object' && 'unknownAfter' in look),
    read: typeof look === 'object' && 'madeBy' in look && look.madeBy === null,
    after: typeof look === 'object' ? ('madeBy' in look ? look.madeBy : look.unknownAfter) : null,
    becomes: (next) => predict({ state: 'value', value: next }),
    becomesAbsent: () => predict({ state: 'absent' }),
    becomesUnknown: () => predict(undefined),
  };
}
