import { z } from 'zod';
import { type Action, change, check, defineAction, gate, noChange } from '../../src/actions/action.ts';
import { unknown } from '../../src/actions/outputs.ts';
import { undoPreview } from '../../src/actions/undo-preview.ts';
import type { ActingHost } from '../../src/hosts/host.ts';
import { Sh } from '../../src/hosts/sh.ts';
import { cell } from './model-world.ts';

const params = z.strictObject({ key: z.string(), value: z.string() });
const command = (text: string) => new Sh(text);
const restore = (key: string, before: string | null) => command(before === null ? `unset ${key}` : `set ${key} ${before}`);

/** One effect, idempotent: a conf file, a maintenance mode. */
const atomic = defineAction({
  summary: 'Set a cell.',
  params,
  facts: ({ host }, { key }) => ({ cell: cell(key).on(host.name) }),
  plan({ key, value }, { cell: found }) {
    if (found.value === value) return noChange(`${key} is ${value} already`, { outputs: { before: value } });
    return change({
      summary: `set ${key}`,
      predicts: [found.becomes(value)],
      outputs: { before: found.value ?? null },
      undo: { key, before: found.value ?? null },
      undoSummary: `back to ${found.value ?? 'absent'}`,
    });
  },
  async apply({ on, params: { key, value } }) {
    await on.change('set', command(`set ${key} ${value}`));
  },
  async rollback({ on, undo }) {
    await on.change('restore', restore(undo.key, undo.before));
  },
  preview: undoPreview({
    facts: ({ key }: { key: string; before: string | null }, { host }) => ({ now: cell(key).on(host) }),
    look: ({ key, before }, { now }) =>
      (now.value ?? null) === before
        ? { diff: [] }
        : {
            diff: [['~', `${key} `, now.value ?? 'absent', before ?? 'absent']],
            predicts: [before === null ? now.becomesAbsent() : now.becomes(before)],
          },
  }),
  examples: [],
});

/** Two effects, either of which may be the last before a crash: stopping several units. */
const partial = defineAction({
  summary: 'Set two cells, one after the other.',
  params,
  facts: ({ host }, { key }) => ({ cells: [cell(`${key}1`).on(host.name), cell(`${key}2`).on(host.name)] }),
  plan({ key, value }, { cells }) {
    const differing = cells.filter((found) => found.value !== value);
    const names = differing.map((found) => (found === cells[0] ? `${key}1` : `${key}2`));
    if (differing.length === 0) return noChange('both set', { outputs: { set: [] } });
    return change({
      summary: `set ${names.join(' and ')}`,
      predicts: differing.map((found) => found.becomes(value)),
      outputs: { set: names },
      undo: { before: cells.map((found, index) => ({ key: `${key}${index + 1}`, before: found.value ?? null })) },
      undoSummary: 'back',
      data: names,
    });
  },
  async apply({ on, params: { value }, change: { data } }) {
    for (const name of data) await on.change(`set-${name}`, command(`set ${name} ${value}`));
  },
  async rollback({ on, undo }) {
    await on.change('restore', command(undo.before.map(({ key, before }) => restore(key, before).text).join('\n')));
  },
  examples: [],
});

/** A long effect that is not idempotent and whose result nobody knows before: a dump. */
const detached = defineAction({
  summary: 'Append to a cell, slowly.',
  params,
  converges: false,
  facts: ({ host }, { key }) => ({ cell: cell(key).on(host.name) }),
  plan({ key, value }, { cell: found }) {
    return change({
      summary: `append to ${key}`,
      predicts: [found.becomesUnknown()],
      outputs: { size: unknown('its size') },
      undo: { key, before: found.value ?? null },
      undoSummary: 'back',
      data: { before: found.value ?? null, value },
    });
  },
  async apply({ on, params: { key }, change: { data } }) {
    // A new attempt takes away what a dead one left.
    await on.change('clear', restore(key, data.before));
    await on.detached('work', command(`add ${key} ${data.value}`));
    return { size: data.value.length };
  },
  async rollback({ on, undo }) {
    await on.change('restore', restore(undo.key, undo.before));
  },
  examples: [],
});

/** Long both ways: packages that are removed, and installed again. */
const lengthy = defineAction({
  ...detached,
  summary: 'Append to a cell, slowly, and take it back slowly.',
  async rollback({ on, undo }) {
    await on.detached('restore', restore(undo.key, undo.before));
  },
});

/** A short effect that is not idempotent, of which facts tell nothing: a mail. */
const once = defineAction({
  ...detached,
  summary: 'Append to a cell, at once.',
  async apply({ on, params: { key }, change: { data } }) {
    await on.change('add', command(`add ${key} ${data.value}`));
  },
});

/** Its undo hangs on how its own commands ended: a restore. What they ended with goes into the cell `ended`. */
const proven = defineAction({
  ...detached,
  async rollback({ on, ctx }) {
    await on.change('tell', command(`set ended ${(await ctx.exitCodes('work')).join(' ') || 'nothing'}`));
  },
});

/** What must not be lost with what was written into it: taken back after the write line, it is kept under another name. */
const keeping = defineAction({
  summary: 'Make a cell.',
  params,
  facts: ({ host }, { key }) => ({ cell: cell(key).on(host.name) }),
  plan({ key, value }, { cell: found }) {
    if (found.value !== undefined) return noChange(`${key} is there`);
    return change({ summary: `make ${key}`, predicts: [found.becomes(value)], undo: { key, value }, undoSummary: 'remove it' });
  },
  async apply({ on, params: { key, value } }) {
    await on.change('make', command(`set ${key} ${value}`));
  },
  async rollback({ on, undo: { key, value }, ctx }) {
    await on.change('remove', command(ctx.crossedWriteLine ? `unset ${key}\nset kept ${value}` : `unset ${key}`));
  },
  examples: [],
});

/** Keeps what its undo needs: a conf file. */
const saving = defineAction({
  ...atomic,
  plan: (given, facts, site) => {
    const planned = atomic.plan(given, facts, site);
    return planned.kind === 'change' ? { ...planned, keep: [{ name: 'conf', host: site.host.name, path: given.key }] } : planned;
  },
});

/** Keeps what its undo needs, and what a dead-man switch puts back: a firewall. */
const guarded = defineAction({ ...saving, putBack: (undo) => restore(undo.key, undo.before) });

/** The same of which facts tell nothing: a command with `protects`. */
const guardedOnce = defineAction({
  ...guarded,
  converges: false,
  plan: (given, facts, site) => {
    const planned = saving.plan(given, facts, site);
    return planned.kind === 'change' ? { ...planned, opaque: true, predicts: [] } : planned;
  },
});

/** The same, done by a command that may last. */
const guardedLong = defineAction({
  ...guardedOnce,
  async apply({ on, params: { key, value } }) {
    await on.detached('set', command(`set ${key} ${value}`));
  },
});

/** Changes one cell that can be put back and sends word, which cannot. */
const lasting = defineAction({
  ...atomic,
  plan: (given, facts, site) => {
    const planned = atomic.plan(given, facts, site);
    return planned.kind === 'change' ? { ...planned, irreversible: 'word was sent' } : planned;
  },
});

type PairUndo = { key: string; before: { host: string; before: string | null }[] };

/** Changes a cell on its own host and then one on another: a transfer. */
const pair = defineAction({
  summary: 'Set a cell on two hosts.',
  params: z.strictObject({ key: z.string(), value: z.string(), with: z.string() }),
  roles: (given) => [given.with],
  facts: ({ host, hostOf }, given) => ({
    here: cell(given.key).on(host.name),
    there: cell(given.key).on(hostOf(given.with).name),
  }),
  plan(given, { here, there }, { host, hostOf }) {
    const differing = [here, there].filter((found) => found.value !== given.value);
    if (differing.length === 0) return noChange('both set');
    const before = [
      { host: host.name, before: here.value ?? null },
      { host: hostOf(given.with).name, before: there.value ?? null },
    ];
    return change({
      summary: `set ${given.key} on both`,
      predicts: differing.map((found) => found.becomes(given.value)),
      undo: { key: given.key, before },
      undoSummary: 'back',
      data: { here: differing.includes(here), there: differing.includes(there) },
    });
  },
  async apply({ on, onRole, params: { key, value, with: other }, change: { data } }) {
    if (data.here) await on.change('here', command(`set ${key} ${value}`));
    if (data.there) await onRole(other).change('there', command(`set ${key} ${value}`));
  },
  async rollback({ onHost, undo }: { onHost(name: string): ActingHost; undo: PairUndo }) {
    for (const { host, before } of [...undo.before].reverse()) await onHost(host).change('restore', restore(undo.key, before));
  },
  examples: [],
});

/** Two long effects at once, one on each host, which are done anew together: a stream and who takes it. */
const stream = defineAction({
  summary: 'Append to a cell on two hosts, slowly.',
  params: z.strictObject({ key: z.string(), value: z.string(), with: z.string() }),
  roles: (given) => [given.with],
  converges: false,
  facts: ({ host, hostOf }, given) => ({
    here: cell(given.key).on(host.name),
    there: cell(given.key).on(hostOf(given.with).name),
  }),
  plan(given, { here, there }, { host, hostOf }) {
    const before = [
      { host: host.name, before: here.value ?? null },
      { host: hostOf(given.with).name, before: there.value ?? null },
    ];
    return change({
      summary: `append to ${given.key} on both`,
      predicts: [here.becomesUnknown(), there.becomesUnknown()],
      undo: { key: given.key, before },
      undoSummary: 'back',
    });
  },
  async apply({ on, onRole, params: { key, value, with: other } }) {
    const there = onRole(other);
    for (const one of [on, there]) await one.change('clear', command(`set ${key} begun.`));
    await Promise.all([on, there].map((one) => one.detached('work', command(`add ${key} ${value}`))));
  },
  async rollback({ onHost, undo }: { onHost(name: string): ActingHost; undo: PairUndo }) {
    await Promise.all(undo.before.map(({ host, before }) => onHost(host).detached('restore', restore(undo.key, before))));
  },
  examples: [],
});

const asks = defineAction({
  summary: 'Look at a cell.',
  params: z.strictObject({ key: z.string() }),
  facts: ({ host }, { key }) => ({ cell: cell(key).on(host.name) }),
  plan: ({ key }, { cell: found }) => check(`look at ${key}`, { outputs: { value: found.value ?? null } }),
  async apply() {
    return { looked: true };
  },
  examples: [],
});

const line = defineAction({
  summary: 'Draw the write line.',
  params: z.strictObject({}),
  facts: () => ({}),
  plan: () => check('count writes'),
  async apply() {
    return { count: 0 };
  },
  async written({ on }) {
    return (await on.run(command('count'))).stdout.split('\n').filter(Boolean);
  },
  examples: [],
});

const asking = defineAction({
  summary: 'Ask a person.',
  params: z.strictObject({ question: z.string() }),
  facts: () => ({}),
  plan: ({ question }) => gate('ask', question),
  examples: [],
});

/** The model step types by name: one per shape of effect. */
export const modelActions = new Map<string, Action>([
  ['model.atomic', atomic],
  ['model.saving', saving],
  ['model.lasting', lasting],
  ['model.guarded', guarded],
  ['model.guarded-once', guardedOnce],
  ['model.partial', partial],
  ['model.detached', detached],
  ['model.lengthy', lengthy],
  ['model.once', once],
  ['model.proven', proven],
  ['model.keeping', keeping],
  ['model.pair', pair],
  ['model.stream', stream],
  ['model.guarded-long', guardedLong],
  ['model.check', asks],
  ['model.line', line],
  ['model.gate', asking],
]);
