import { z } from 'zod';
import { catalog } from '../actions/catalog.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Json } from '../lib/json.ts';
import { nearest } from '../lib/text.ts';

export interface ActionSummary {
  readonly name: string;
  readonly summary: string;
}

export interface ActionReference extends ActionSummary {
  readonly description: string | null;
  /** JSON Schema (draft-07) of the params. */
  readonly params: { readonly [keyword: string]: Json };
  readonly outputs: { readonly [name: string]: string };
  /** What there is after a rollback; null when there is none. */
  readonly undone: string | null;
  readonly irreversible: string | null;
  readonly examples: readonly { readonly title: string; readonly with: Json }[];
}

/** Every action by name. */
export async function listActions(): Promise<ActionSummary[]> {
  const loaded = Object.entries(catalog).map(async ([name, load]) => ({ name, summary: (await load()).default.summary }));
  return (await Promise.all(loaded)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * One action in full.
 * @throws ACTION_NAME_WRONG when there is none of that name
 */
export async function describeAction(name: string): Promise<ActionReference> {
  const load = Object.hasOwn(catalog, name) ? catalog[name] : undefined;
  if (!load) throw new FerryError('ACTION_NAME_WRONG', { name, nearest: nearest(name, Object.keys(catalog)) ?? '' });
  const { default: action } = await load();
  const schema = z.toJSONSchema(action.params, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  return {
    name,
    summary: action.summary,
    description: action.description ?? null,
    params: JSON.parse(JSON.stringify(schema)) as ActionReference['params'],
    outputs: action.outputs ?? {},
    undone: action.undone ?? null,
    irreversible: action.irreversible ?? null,
    examples: action.examples,
  };
}
