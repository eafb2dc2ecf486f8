import { foldRun } from '../engine/fold.ts';
import { hostsToHold } from '../engine/leases.ts';
import { isOver, type RunState } from '../engine/state.ts';
import { FerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { HostSettings, Inventory } from '../inventory/inventory.ts';
import type { Journal, JournalRecord } from '../journal/journal.ts';
import { isoTime } from '../lib/clock.ts';
import type { Taken, TakeoverOptions } from './contract.ts';
import { isAway, onEach, type Silence } from './copies.ts';
import { holderName } from './places.ts';
import { hostsOf, readInventory } from './prepare.ts';

type Ask = (question: string) => Promise<boolean>;
export type OpenFleet = (hosts: ReadonlyMap<string, HostSettings>) => Fleet;

/** Every host a run may have changed, or may change yet. */
export function hostsOfRun(state: RunState): string[] {
  return [...new Set([...state.workedOn, ...state.leases, ...hostsToHold({ state })])];
}

/** Who worked on a run last, by its records. */
export function lastHolder(records: readonly JournalRecord[]): string {
  const types = ['run.started', 'run.resumed', 'run.taken-over', 'rollback.started'];
  const by = records.findLast(({ type, body }) => types.includes(type) && typeof body.by === 'string')?.body.by;
  return typeof by === 'string' ? by : 'an older release of Ferry';
}

/**
 * Gives a run of this state folder to this process, whoever works on it: the former controller can record and change nothing
 * any more. Null when a person was asked and said no.
 * @throws RUN_OVER; CONTROLLER_ALIVE when nobody can be asked; TAKEOVER_PARTIAL when a host could not be told
 */
export async function takeOverHere(
  run: string,
  options: TakeoverOptions,
  journal: Journal,
  ask: Ask | undefined,
  openFleet: OpenFleet,
): Promise<Taken | null> {
  const records = journal.read(run);
  const state = foldRun(run, records);
  const from = lastHolder(records);
  const worker = journal.isOpen(run) ? (journal.holderOf(run) ?? { pid: 0, since: state.startedAt }) : null;
  // A run that is over may still hold hosts, or be about to be taken back.
  const isFree = worker === null && state.leases.length === 0;
  if ((isOver(state) && isFree) || state.phase === 'abandoned')
    throw new FerryError('RUN_OVER', { run, phase: state.phase, verb: 'take over' });
  if (worker && !options.yes && !ask) throw new FerryError('CONTROLLER_ALIVE', { run, holder: from, ...worker });
  if (ask && !options.yes && !(await ask(questionOf(run, from, worker)))) return null;

  const inventory = await readInventory(options.inventory ?? state.inventory, state.path, options.places);
  const hosts = hostsOfRun(state);
  const fleet = openFleet(await hostsOf(inventory, known(hosts, inventory)));
  try {
    const { epoch } = journal.takeOver(run, { by: holderName(), from, hosts, ...(worker ? { pid: worker.pid } : {}) });
    const { done, silent } = await raiseOn(hosts, { run, epoch, fleet, inventory });
    const held = done.flatMap(({ host, raised }) => (raised.isHeld ? [host] : []));
    const brought = await bringRecords(run, epoch, held, { fleet, inventory, journal });
    // A lease that no record tells of is one that was taken right before the end.
    for (const host of held) if (!state.leases.includes(host)) journal.append(run, { type: 'lease.taken', epoch, host });
    const fenced = done.flatMap(({ host, raised }) => (raised.isThere ? [host] : []));
    const left = [...silent, ...brought.filter(({ host }) => !silent.some((one) => one.host === host))];
    if (left.length > 0) throw partial(run, fenced, left);
    const busy = done.flatMap(({ host, raised }) => (raised.isBusy ? [host] : []));
    return { run, phase: foldRun(run, journal.read(run)).phase, epoch, from, fenced, busy, told: [] };
  } finally {
    await fleet.close();
  }
}

/** Raises the epoch of a run on hosts, each whatever becomes of the others; `fenced` learns where. @throws EPOCH_STALE, RUN_SHUT_OUT */
export function raiseOn(
  hosts: readonly string[],
  about: { run: string; epoch: number; fleet: Fleet; inventory: Inventory; fenced?: Set<string> },
) {
  const { run, epoch, fleet, inventory, fenced } = about;
  const lease = { run, holder: holderName(), since: isoTime() };
  const raise = async (host: string) => {
    const raised = await fleet.raiseEpoch(host, lease, epoch);
    fenced?.add(host);
    return { host, raised };
  };
  return onEach(hosts, inventory, raise, isAway);
}

/** Brings the record of the takeover to the hosts the run holds, so that their copies know of it; names those that fell silent. */
export async function bringRecords(
  run: string,
  epoch: number,
  held: readonly string[],
  { fleet, inventory, journal }: { fleet: Fleet; inventory: Inventory; journal: Journal },
): Promise<Silence[]> {
  const lease = { run, holder: holderName(), since: isoTime() };
  const records = (seq: number) => journal.linesAfter(run, seq);
  const bring = async (host: string) => ({ host, held: await fleet.takeLease(host, lease, epoch, records) });
  return (await onEach(held, inventory, bring, isAway)).silent;
}

/** The hosts of a list that an inventory names. */
export function known(hosts: readonly string[], inventory: Inventory): string[] {
  return hosts.filter((host) => inventory.hosts.has(host));
}

/** What a takeover that left hosts out says of itself. */
export function partial(run: string, fenced: readonly string[], left: readonly Silence[]): FerryError<'TAKEOVER_PARTIAL'> {
  return new FerryError('TAKEOVER_PARTIAL', {
    ...{ run, fenced: fenced.join(' and '), left: left.map(({ host }) => host).join(' and ') },
    why: left.map(({ why }) => why).join(' '),
  });
}

function questionOf(run: string, from: string, worker: { pid: number; since: string } | null): string {
  const who = worker
    ? `Process ${worker.pid} of this machine (${from}) has worked on ${run} since ${worker.since}; it then changes nothing of it any more.`
    : `No process of this machine works on ${run}; ${from} did last.`;
  return `${who}\nTake it over?`;
}
