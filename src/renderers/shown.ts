import { printable, visible } from '../lib/text.ts';

// In a diff a person looks at what is going to stand in a file: nothing of it may be passed over.
const WHOLE = new Set(['diff', 'undoDiff']);

/**
 * The same value with every text in it fit for a terminal, at any depth, the names of members too: what a host prints may neither
 * move the cursor nor hide or reorder what stands there. Each renderer passes what it is given through this before it looks at it.
 */
export function shown<T>(value: T): T {
  return fit(value, printable) as T;
}

function fit(value: unknown, make: (text: string) => string): unknown {
  if (typeof value === 'string') return make(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((member) => fit(member, make));
  if (value instanceof Set) return new Set([...value].map((member) => fit(member, make)));
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [fit(key, make), fit(member, make)]));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [make(key), fit(member, WHOLE.has(key) ? visible : make)]),
  );
}
