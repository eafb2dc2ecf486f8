import { z } from 'zod';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { FerryError } from '../../errors/ferry-error.ts';
import { finding } from '../../errors/finding.ts';
import type { Fact } from '../../facts/fact.ts';
import { type UnitState, unitState } from '../../facts/unit-state.ts';
import type { ActingHost, HostInfo } from '../../hosts/host.ts';
import { type Sh, sh } from '../../hosts/sh.ts';
import { type Blocked, blocked, type DiffLine, type Site } from '../action.ts';
import { ANY_CODE } from '../any-code.ts';
import { duration, unitName } from '../params.ts';
import { undoPreview } from '../undo-preview.ts';

/** The params all actions on units share. */
export const unitsParam = () =>
  z.array(unitName()).describe('Units by name; .service is added where no suffix stands. An empty list is nothing to do.');
export const timeoutParam = (preset: string) => duration().default(preset).describe('How long systemctl may take.');

export type UnitFact = Fact<UnitState>;

/** Where undo brings units to, whatever apply did of its work. Units are in the order they are acted on. */
export type UnitsUndo = { start: string[]; stop: string[]; enable: string[]; disable: string[]; waitMs: number };

export const nothingToUndo: UnitsUndo = { start: [], stop: [], enable: [], disable: [], waitMs: 60_000 };

export function unitFacts({ host }: Site, units: readonly string[]) {
  return units.map((unit) => unitState(unit).on(host.name));
}

export function unitKeys(units: readonly string[], role: string): (readonly [string, string])[] {
  return units.map((unit) => [role, unitState.key(unit)] as const);
}

/** The name of the unit a fact is about. */
export function unitOf(fact: UnitFact): string {
  return fact.key.slice('unitState('.length, -1);
}

/** Unit names for a person: without `.service`. */
export function shown(units: readonly string[]): string {
  return units.map((unit) => unit.replace(/\.service$/, '')).join(', ');
}

/** Units that run now, in the order given; one that is on its way up counts, because it would come up. */
export function running(facts: readonly UnitFact[]): string[] {
  return facts.filter((fact) => fact.value?.active || fact.value?.moving).map(unitOf);
}

// Without an install section of their own, or made by a generator: systemctl has no link to take away or to make.
const FIXED = new Set(['static', 'generated', 'alias', 'transient']);

/** Units whose start at boot is not theirs to say, with the word systemctl has for that. */
export function fixedUnits(facts: readonly UnitFact[]): { unit: string; state: string }[] {
  return facts.flatMap((fact) =>
    FIXED.has(fact.value?.enabled ?? '') ? [{ unit: unitOf(fact), state: fact.value?.enabled ?? '' }] : [],
  );
}

/** A warning for each unit that stays as it is at boot although a step says otherwise. */
export function fixedFindings(facts: readonly UnitFact[], host: HostInfo, verb: 'enabled' | 'disabled'): Diagnostic[] {
  return fixedUnits(facts).map(({ unit, state }) =>
    finding('UNIT_FIXED', { unit, state, host: host.name, verb }, undefined, { severity: 'warning' }),
  );
}

export function blockedByMissing(facts: readonly UnitFact[], host: HostInfo): Blocked | undefined {
  const missing = facts.filter((fact) => fact.absent).map(unitOf);
  if (missing.length === 0) return undefined;
  return blocked(
    `${shown(missing)} ${missing.length === 1 ? 'is' : 'are'} not installed on ${host.name}`,
    `Compare the names with:  systemctl list-unit-files   on ${host.name}; or set missing: skip.`,
  );
}

/**
 * Runs one systemctl command for all units. A failure names the units that are not where they should be, with the last lines
 * of their journals.
 * @throws UNITS_FAILED
 */
export async function actOnUnits(
  on: ActingHost,
  verb: 'stop' | 'start' | 'restart',
  units: readonly string[],
  waitMs: number,
): Promise<void> {
  if (units.length === 0) return;
  const result = await on.change(verb, unitsScript(verb, units, waitMs), { okCodes: ANY_CODE, timeoutMs: waitMs + 60_000 });
  if (result.code === 0) return;
  const late = result.code === 124 ? `systemctl gave no answer within ${waitMs / 1000} s\n` : '';
  const failed = result.stdout.split('\n').flatMap((line) => (line.startsWith('failed ') ? [line.slice(7)] : []));
  throw new FerryError(
    'UNITS_FAILED',
    { verb, units: failed.join(', ') || units.join(', '), host: on.name, why: `${late}${result.stderr.trim()}` },
    { left: leftBy(verb, units, failed, on.name) },
  );
}

function leftBy(verb: string, units: readonly string[], failed: readonly string[], host: string): string {
  const done = units.filter((unit) => !failed.includes(unit));
  const word = verb === 'stop' ? 'stopped' : 'running';
  return done.length === 0
    ? `None of the units on ${host} is ${word}.`
    : `On ${host} ${shown(done)} ${done.length === 1 ? 'is' : 'are'} ${word}.`;
}

export function unitsScript(verb: 'stop' | 'start' | 'restart', units: readonly string[], waitMs: number): Sh {
  const good = verb === 'stop' ? sh`inactive|failed` : sh`active|reloading`;
  return sh`timeout ${Math.ceil(waitMs / 1000)} systemctl ${verb} -- ${units}; r=$?
[ "$r" -eq 0 ] && exit 0
for u in ${units}; do s=$(systemctl show -p ActiveState -- "$u" | cut -d= -f2)
case "$s" in ${good}) ;; *) echo "failed $u"; echo "$u is $s" >&2; journalctl -u "$u" -n 5 --no-pager -o cat >&2 2>/dev/null ;; esac; done
exit "$r"`;
}

/** Whether a unit starts at boot, for units that have a say in it. */
export async function setEnabled(on: ActingHost, verb: 'enable' | 'disable', units: readonly string[]): Promise<void> {
  if (units.length > 0) await on.change(verb, sh`systemctl --quiet ${verb} -- ${units}`);
}

/** What `restoreUnits` would do: the units that are not where undo says they were. */
export const unitsPreview = undoPreview({
  facts: ({ start, stop, enable, disable }: UnitsUndo, { host }) =>
    [...new Set([...enable, ...disable, ...stop, ...start])].map((unit) => unitState(unit).on(host)),
  look({ start, stop, enable, disable }, facts) {
    const moves = facts.flatMap((fact) => {
      const [unit, now] = [unitOf(fact), fact.value];
      if (!now) return [];
      const active = stop.includes(unit) ? false : start.includes(unit) || now.active;
      const enabled = disable.includes(unit) ? 'disabled' : enable.includes(unit) ? 'enabled' : now.enabled;
      const diff: DiffLine[] = [];
      const word = (runs: boolean) => (runs ? 'running' : 'stopped');
      if (active !== (now.active || (!active && now.moving)))
        diff.push(['~', `${shown([unit])} `, now.moving ? 'on its way' : word(now.active), word(active)]);
      if (enabled !== now.enabled) diff.push(['~', `${shown([unit])} at boot `, now.enabled, enabled]);
      return diff.length === 0 ? [] : [{ diff, prediction: fact.becomes({ active, moving: false, enabled }) }];
    });
    return { diff: moves.flatMap(({ diff }) => diff), predicts: moves.map(({ prediction }) => prediction) };
  },
});

/** Brings units to where undo says they were. Does nothing twice: systemctl leaves a unit that is there already alone. */
export async function restoreUnits({ on, undo }: { on: ActingHost; undo: UnitsUndo }): Promise<void> {
  await setEnabled(on, 'enable', undo.enable);
  await setEnabled(on, 'disable', undo.disable);
  await actOnUnits(on, 'stop', undo.stop, undo.waitMs);
  await actOnUnits(on, 'start', undo.start, undo.waitMs);
}
