import { foldRun } from '../engine/fold.ts';
import { differing, isOver, type RunState, tracesOn } from '../engine/state.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Leftover, RunTraces } from '../hosts/clean-scripts.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { HostSettings } from '../inventory/inventory.ts';
import type { Journal } from '../journal/journal.ts';
import { nowMs } from '../lib/clock.ts';
import { nearest, plural } from '../lib/text.ts';
import { type Site, siteOf, sitesOf } from './clean-sites.ts';
import type { CleanOptions, CleanReport, CleanRow } from './contract.ts';
import { fleetOf } from './engine-ports.ts';
import { askHidden } from './inputs.ts';
import { holderName } from './places.ts';

/**
 * Removes from their hosts what runs that are over have there, with the bytes kept for their way back, and what dead runs left
 * outside their folders. A run that is not over, holds the host or is at work there is left alone. Goes on record before anything of that run is removed: from then on
 * it is not rolled back any more. `confirm` is shown what would go and may say no; with `plan` nothing is removed. Hosts of the named run
 * that are lost for good (`without`) are not asked, and count as cleaned.
 * @throws RUN_UNKNOWN, CLEAN_REFUSED for the run that was named; HOST_UNKNOWN for one it never had
 */
export async function cleanRuns(
  run: string | undefined,
  options: CleanOptions,
  journal: Journal,
  confirm: (found: CleanReport) => Promise<boolean>,
  openFleet: (hosts: ReadonlyMap<string, HostSettings>) => Fleet = (hosts) => fleetOf(hosts, askHidden(options)),
): Promise<CleanReport> {
  const all = journal.runs().flatMap((one) => stateOf(journal, one.run) ?? []);
  const chosen = run === undefined ? all.filter((state) => isDue(state, options)) : [named(run, all)];
  const lost = lostOf(chosen, options);
  const alive = all.filter((state) => !isOver(state)).map((state) => state.run);
  const asked = run === undefined ? all : chosen;
  const sites = await sitesOf(asked, options, openFleet);
  for (const { away } of sites.values()) for (const host of lost) away.set(host, 'it is lost for good');
  const on = async <T>({ away, fleet }: Site, host: string, work: (fleet: Fleet) => Promise<T>): Promise<T | null> => {
    if (away.has(host) || !fleet) return null;
    try {
      return await work(fleet);
    } catch (thrown) {
      if (!isFerryError(thrown)) throw thrown;
      away.set(host, thrown.message);
      return null;
    }
  };
  const rowsOf = async (
    states: readonly RunState[],
    work: (fleet: Fleet, host: string, run: string) => Promise<RunTraces>,
  ): Promise<CleanRow[]> => {
    const pairs = states.flatMap((state) => tracesOn(state).map((host) => ({ state, host })));
    return Promise.all(
      pairs.map(async ({ state, host }) => {
        const site = siteOf(sites, state, options);
        const found = await on(site, host, (fleet) => work(fleet, host, state.run));
        const told = { run: state.run, runbook: state.plan.runbook.name, stands: state.phase, endedAt: state.endedAt, host };
        if (found) return { ...told, ...found, why: null };
        if (lost.includes(host)) return { ...told, state: 'lost', bytes: 0, why: null };
        // What was removed there before does not come back while nobody can look.
        if (state.cleaned?.includes(host)) return { ...told, state: 'free', bytes: 0, why: null };
        return { ...told, state: 'away', bytes: 0, why: site.away.get(host) ?? '' };
      }),
    );
  };
  const leftoversOf = async (isRemoved: boolean) => {
    const found = await Promise.all(
      [...sites.values()].flatMap((site) =>
        site.there.map(async (host) =>
          (await on(site, host, (fleet) => fleet.leftovers(host, alive, isRemoved)))?.map((one) => ({ ...one, host })),
        ),
      ),
    );
    return found.flatMap((one): (Leftover & { host: string })[] => one ?? []);
  };
  try {
    const found: CleanReport = {
      isDone: false,
      rows: await rowsOf(chosen, (fleet, host, one) => fleet.traces(host, one)),
      leftovers: await leftoversOf(false),
    };
    const isNothing = found.leftovers.length === 0 && found.rows.every(({ state, bytes }) => state === 'free' && bytes === 0);
    if (options.plan) return found;
    refusePlanOnly(found, chosen, sites, options);
    if (isNothing || !(await confirm(found))) return found;
    // Of a run of which nothing can be removed now nothing is said to be: it stays as it is, with its way back.
    const isReached = ({ run: one }: RunState) => {
      const own = found.rows.filter((row) => row.run === one);
      return own.some(({ state }) => state === 'free') || own.every(({ state }) => state === 'lost');
    };
    const reached = chosen.filter(isReached);
    // All are had before the first loses its way back: one that another process has leaves them all as they are.
    for (const state of reached) {
      journal.open(state.run);
      // Read again under its lock: another process may have taken it up since.
      if (!isOver(stateOf(journal, state.run) ?? state)) throw refused(state);
    }
    const rows: CleanRow[] = [];
    for (const state of reached) {
      const { run: one, epoch } = state;
      journal.append(one, { type: 'run.cleaned', epoch, body: { by: holderName(), hosts: tracesOn(state) } });
      for (const host of lost) journal.append(one, { type: 'host.cleaned', epoch, host, body: { bytes: 0, lost: true } });
      const removed = await rowsOf([state], async (fleet, host) => {
        const gone = await fleet.cleanRun(host, one);
        if (gone.state === 'free') journal.append(one, { type: 'host.cleaned', epoch, host, body: { bytes: gone.bytes } });
        return gone;
      });
      rows.push(...removed);
    }
    const untouched = found.rows.filter((row) => !rows.some((one) => one.run === row.run));
    return { isDone: true, rows: [...rows, ...untouched], leftovers: await leftoversOf(true) };
  } finally {
    for (const { fleet } of sites.values()) await fleet?.close();
  }
}

/** @throws PLAN_ONLY_LOGIN */
function refusePlanOnly(
  { rows }: CleanReport,
  chosen: readonly RunState[],
  sites: ReadonlyMap<string, Site>,
  options: CleanOptions,
): void {
  const row = rows.find(({ state }) => state === 'plan-only');
  const run = chosen.find((one) => one.run === row?.run);
  if (!row || !run) return;
  const { user = '' } = siteOf(sites, run, options).settings.get(row.host) ?? {};
  throw new FerryError('PLAN_ONLY_LOGIN', { host: row.host, user }, { left: 'Nothing was removed anywhere.' });
}

function named(run: string, all: readonly RunState[]): RunState {
  const state = all.find((one) => one.run === run);
  if (!state) throw new FerryError('RUN_UNKNOWN', { run });
  if (!isOver(state)) throw refused(state);
  return state;
}

/** The hosts that are lost, of those that may hold something of the run. @throws HOST_UNKNOWN */
function lostOf(chosen: readonly RunState[], { without = [] }: CleanOptions): string[] {
  const names = chosen.flatMap(tracesOn);
  const unknown = without.find((host) => !names.includes(host));
  if (unknown !== undefined)
    throw new FerryError(
      'HOST_UNKNOWN',
      { host: unknown, nearest: nearest(unknown, names) ?? '', known: names.join(', ') },
      { left: 'Nothing was removed.' },
    );
  return without.filter((host) => chosen.some((state) => !state.cleaned?.includes(host)));
}

function refused({ run, phase }: RunState): FerryError<'CLEAN_REFUSED'> {
  return new FerryError('CLEAN_REFUSED', { run, phase }, { left: 'Nothing was removed.' });
}

/** Whether a run goes without being named. One that can still be rolled back goes by its age alone; what was kept of one whose proof failed may be needed. */
function isDue(state: RunState, { olderThanMs }: CleanOptions): boolean {
  if (!isOver(state) || tracesOn(state).every((host) => state.cleaned?.includes(host))) return false;
  if (differing(state) > 0 && state.cleaned === null) return false;
  if (olderThanMs === undefined) return state.phase !== 'finished' || state.cleaned !== null;
  return nowMs() - Date.parse(state.endedAt ?? state.startedAt) >= olderThanMs;
}

function stateOf(journal: Journal, run: string): RunState | null {
  const records = journal.read(run);
  return records.length > 0 ? foldRun(run, records) : null;
}

/** Why not all could be removed; null when all was. */
export function leftError({ rows }: CleanReport): FerryError<'CLEAN_LEFT'> | null {
  const left = rows.filter(({ state }) => state !== 'free' && state !== 'lost');
  if (left.length === 0) return null;
  const words = {
    held: 'is held by it',
    busy: 'has something of it at work',
    'plan-only': 'may only be planned on',
    free: '',
    lost: '',
    away: '',
  };
  const why = left.map((row) => (row.why === null ? `${row.host} ${words[row.state]}` : `${row.host}: ${row.why}`));
  return new FerryError('CLEAN_LEFT', {
    what: plural(new Set(left.map(({ run }) => run)).size, 'run'),
    why: [...new Set(why)].join('; '),
    command: [...new Set(left.map(({ run }) => `ferry clean ${run}`))].join('   and   '),
    gone: left.flatMap(({ state, run, host }) => (state === 'away' ? [`ferry clean ${run} --without ${host}`] : []))[0] ?? '',
  });
}
