import { Unknown } from '../actions/outputs.ts';
import type { FactKind, Observed, Parts } from '../facts/fact.ts';
import { Secret } from '../hosts/secret.ts';
import type { Json } from '../lib/json.ts';
import type { Reading } from './plan.ts';

/** A reading in the form that may be written down. */
export function publishReading(kind: FactKind<unknown>, observed: Observed<unknown>): Reading {
  return observed.state === 'value' ? { state: 'value', value: kind.publish(observed.value) } : observed;
}

/** Whether two published readings are the same state. */
export function sameReading(kind: FactKind<unknown>, before: Reading, after: Reading): boolean {
  if (before.state === 'value' && after.state === 'value') return kind.same(before.value, after.value);
  return before.state === after.state;
}

/** A published reading for a person. */
export function showReading(kind: FactKind<unknown>, reading: Reading): string {
  if (reading.state === 'absent') return 'absent';
  return reading.state === 'value' ? kind.show(reading.value) : `unreadable (${reading.why})`;
}

/** Two readings that are not the same, each for a person, so that what is different between them can be seen. */
export function showMove(
  kind: FactKind<unknown>,
  before: Reading,
  now: Reading,
): { readonly before: string; readonly now: string } {
  const shown = { before: showReading(kind, before), now: showReading(kind, now) };
  if (shown.before !== shown.now || before.state !== 'value' || now.state !== 'value') return shown;
  const [a, b] = [kind.parts(before.value), kind.parts(now.value)];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
  // The last says only that something else has changed; it goes without saying where a line shows it.
  const told = names.slice(0, Math.min(3, Math.max(1, names.length - 1)));
  const more = names.length - told.length > 1 ? `, and ${names.length - told.length - 1} more` : '';
  const tell = (parts: Parts) => `${told.map((name) => `${name}: ${(parts[name] ?? 'none').trim()}`).join(', ')}${more}`;
  return { before: tell(a), now: tell(b) };
}

/** JSON of a value that may hold secrets and unknowns: they become `{ "$secret": source }` and `{ "$unknown": hint }`. */
export function publishValue(value: unknown): Json {
  if (value instanceof Secret || value instanceof Unknown) return value.toJSON();
  if (Array.isArray(value)) return value.map(publishValue);
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, publishValue(member)]])),
    );
  }
  return (value ?? null) as Json;
}

/** Tells whether a published value holds, anywhere, something only apply will know. */
export function holdsUnknown(value: unknown): boolean {
  if (value instanceof Unknown) return true;
  if (value instanceof Secret || value === null || typeof value !== 'object') return false;
  return '$unknown' in value || Object.values(value).some(holdsUnknown);
}
