import type { Ask } from '../../src/actions/action.ts';
import type { Fact, FactRef, FactTree } from '../../src/facts/fact.ts';
import { refsOf } from '../../src/plan/fact-view.ts';
import { factOf } from './facts.ts';

/** `ask` over given facts; one that was not given is absent. What was asked for is in `asked`, as `host key`. */
export function asking(...facts: readonly Fact<unknown>[]): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const one = (ref: FactRef<unknown>): Fact<unknown> => {
    asked.push(`${ref.host} ${ref.key}`);
    return facts.find((fact) => fact.host === ref.host && fact.key === ref.key) ?? factOf(ref, undefined);
  };
  const walk = (tree: FactTree): unknown => {
    if ('kind' in tree && 'key' in tree && 'host' in tree) return one(refsOf(tree)[0] as FactRef<unknown>);
    if (Array.isArray(tree)) return tree.map((member) => walk(member as FactTree));
    return Object.fromEntries(Object.entries(tree).map(([name, member]) => [name, walk(member as FactTree)]));
  };
  return { ask: walk as Ask, asked };
}
