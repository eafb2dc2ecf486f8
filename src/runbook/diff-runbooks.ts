import { type Meaning, meaningOf, meaningOfInput, meaningOfRole } from './meaning.ts';
import type { Runbook } from './runbook.ts';

/** One thing of a runbook that means something else than before. */
export interface RunbookChange {
  readonly what: 'step' | 'check' | 'input' | 'role' | 'checkpoint' | 'policy';
  readonly name: string;
  readonly how: 'added' | 'removed' | 'moved' | 'changed';
  /** What of it is another, from what to what; null where it was or is not there. Secrets are masked. */
  readonly fields: readonly { readonly field: string; readonly before: string | null; readonly after: string | null }[];
}

/** What an edit of a runbook means; empty when it means the same: comments, layout, titles, another order of keys. Pure. */
export function diffRunbooks(before: Runbook, after: Runbook): RunbookChange[] {
  const books = [before, after] as const;
  const common = new Set(before.steps.flatMap(({ id }) => (after.steps.some((step) => step.id === id) ? [id] : [])));
  return [
    ...compare('policy', books, ({ onFailure }) => new Map(onFailure ? [['onFailure', new Map([['does', onFailure]])]] : [])),
    ...compare('input', books, (book) => byName(book.inputs, (input) => meaningOfInput(input, book.root))),
    ...compare('role', books, (book) => byName(book.roles, meaningOfRole)),
    ...compare('check', books, (book) => new Map(book.done.map((step) => [step.id, meaningOf(step)]))),
    ...compare('step', books, (book) => new Map(book.steps.map((step) => [step.id, meaningOf(step)]))),
    ...moved(before, after, common),
    ...compare('checkpoint', books, (book) => byName(book.checkpoints, () => new Map())),
    ...movedCheckpoints(before, after, common),
  ];
}

function byName<T extends { readonly name: string }>(things: readonly T[], meaning: (thing: T) => Meaning): Map<string, Meaning> {
  return new Map(things.map((thing) => [thing.name, meaning(thing)]));
}

function compare(
  what: RunbookChange['what'],
  [before, after]: readonly [Runbook, Runbook],
  meanings: (book: Runbook) => ReadonlyMap<string, Meaning>,
): RunbookChange[] {
  const [was, is] = [meanings(before), meanings(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((name): RunbookChange[] => {
    const [old, now] = [was.get(name), is.get(name)];
    if (!old) return [{ what, name, how: 'added', fields: [] }];
    if (!now) return [{ what, name, how: 'removed', fields: [] }];
    const fields = differing(old, now);
    return fields.length === 0 ? [] : [{ what, name, how: 'changed', fields }];
  });
}

function differing(before: Meaning, after: Meaning): RunbookChange['fields'][number][] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((field) => {
    const [was, is] = [before.get(field), after.get(field)];
    if (was === is) return [];
    const [masked, other] = [mask(field, was), mask(field, is)];
    // That a secret is another one is told, and nothing more.
    return [{ field, before: masked, after: masked !== null && masked === other ? `${other} (another secret)` : other }];
  });
}

/** Steps that come after others than before; steps that were added or removed do not move those around them. */
function moved(before: Runbook, after: Runbook, common: ReadonlySet<string>): RunbookChange[] {
  const [was, is] = [precedingSteps(before, common), precedingSteps(after, common)];
  return [...common].flatMap((name): RunbookChange[] => {
    const [earlier, now] = [was.get(name) ?? new Set(), is.get(name) ?? new Set()];
    if (earlier.size === now.size && [...earlier].every((id) => now.has(id))) return [];
    const needs = (book: Runbook) => book.steps.find(({ id }) => id === name)?.needs.join(', ') || 'nothing';
    return [{ what: 'step', name, how: 'moved', fields: [{ field: 'after', before: needs(before), after: needs(after) }] }];
  });
}

/** For each step those that are done before it begins, of the ones in `common`. */
function precedingSteps({ steps }: Runbook, common: ReadonlySet<string>): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  for (const { id, needs } of steps) all.set(id, new Set(needs.flatMap((need) => [need, ...(all.get(need) ?? [])])));
  return new Map([...all].map(([id, earlier]) => [id, new Set([...earlier].filter((one) => common.has(one)))]));
}

function movedCheckpoints(before: Runbook, after: Runbook, common: ReadonlySet<string>): RunbookChange[] {
  const stepsUntil = (book: Runbook, count: number) =>
    book.steps.slice(0, count).flatMap(({ id }) => (common.has(id) ? [id] : []));
  return before.checkpoints.flatMap(({ name, afterStep }): RunbookChange[] => {
    const now = after.checkpoints.find((one) => one.name === name);
    if (!now) return [];
    const [was, is] = [stepsUntil(before, afterStep), stepsUntil(after, now.afterStep)];
    if (was.length === is.length && was.every((id) => is.includes(id))) return [];
    const last = (steps: readonly string[]) => steps.at(-1) ?? 'nothing';
    return [{ what: 'checkpoint', name, how: 'moved', fields: [{ field: 'after', before: last(was), after: last(is) }] }];
  });
}

const SECRET_NAME = /(password|passwd|passphrase|secret|token)[^.[]*$/i;
const IN_TEXT = /((?:password|passwd|passphrase|secret|token)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s"';&|]+)/gi;
const IN_ADDRESS = /(\b[a-z][\w+.-]*:\/\/[^\s/:@"']+:)[^\s/@"']+(?=@)/gi;

/** A value in a runbook without what looks like a secret in it; an expression is none, it names one at most. */
function mask(field: string, value: string | undefined): string | null {
  if (value === undefined) return null;
  if (/^\$\{\{[^{}]*\}\}$/.test(value)) return value;
  if (SECRET_NAME.test(field)) return '[secret]';
  return value.replaceAll(IN_TEXT, '$1[secret]').replaceAll(IN_ADDRESS, '$1[secret]');
}
