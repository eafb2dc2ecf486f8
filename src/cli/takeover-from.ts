import { foldRun } from '../engine/fold.ts';
import { isOver, type RunState } from '../engine/state.ts';
import { FerryError, isFerryError } from '../errors/ferry-error.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Journal, JournalRecord } from '../journal/journal.ts';
import { nearest } from '../lib/text.ts';
import type { Taken, TakeoverOptions } from './contract.ts';
import { type Copy, firstDifference, isAway, longestOf, onEach, readCopy, type Silence } from './copies.ts';
import { holderName } from './places.ts';
import { hostsOf, readInventory } from './prepare.ts';
import { runsSince, sinceWords } from './runs-since.ts';
import { bringRecords, hostsOfRun, known, lastHolder, type OpenFleet, partial, raiseOn } from './takeover.ts';

const NOTHING = 'Nothing was changed.';

interface Found {
  readonly copies: readonly Copy[];
  readonly longest: Copy & { readonly records: readonly JournalRecord[] };
}

/**
 * Gives a run to this state folder, which need not know it: its records come from the hosts. All hosts of the run must be heard, but those in
 * `without`: the one that is not may know more than the others. The run's epoch is raised before the records are read for good. Null
 * when a person was asked and said no.
 * @throws HOST_UNKNOWN, HOST_FREE, COPY_MISSING, COPY_BROKEN, COPIES_DIFFER, TAKEOVER_BLIND, JOURNAL_FORKED, RUN_OVER; TAKEOVER_UNFENCED
 *   when a host could not be told; TAKEOVER_PARTIAL when one was lost after that
 */
export async function takeOverFrom(
  named: string | undefined,
  options: TakeoverOptions & { readonly from: string },
  journal: Journal,
  ask: ((question: string) => Promise<boolean>) | undefined,
  openFleet: OpenFleet,
): Promise<Taken | null> {
  const inventory = await readInventory(options.inventory, '.', options.places);
  const names = [...inventory.hosts.keys()];
  refuseUnknown(options.from, names);
  const first = openFleet(await hostsOf(inventory, [options.from]));
  const { run, state } = await lookAt(first, options.from, named).finally(() => first.close());
  const ofRun = hostsOfRun(state);
  // What is lost for good may be gone from the inventory too.
  for (const host of options.without) refuseUnknown(host, [...new Set([...ofRun, ...names])]);
  const hosts = [...new Set([options.from, ...ofRun])].filter((host) => !options.without.includes(host));
  const fleet = openFleet(await hostsOf(inventory, known(hosts, inventory)));
  try {
    const before = await readAll(run, hosts, fleet, inventory, options);
    const { phase } = foldRun(run, before.longest.records);
    // One that is finished can still be taken back.
    if (isOver({ phase }) && phase !== 'finished' && (await heldBy(run, hosts, fleet)).length === 0)
      throw new FerryError('RUN_OVER', { run, phase, verb: 'take over' });
    refuseForked(run, before, journal);
    const since = await runsSince(run, hosts, fleet, journal);
    const told = sinceWords(run, since);
    if (ask && !options.yes && !(await ask([describe(run, before), ...told, 'Take it over?'].join('\n')))) return null;

    const fenced = new Set<string>();
    const { epoch, longest, rebuilt, kept } = await tellingOf(fenced, async () => {
      const raised = await fence(run, hosts, { fleet, inventory, options, before, fenced });
      // What the former controller brought there until then is known now, and nothing comes after it.
      const { longest: last } = await readAll(run, hosts, fleet, inventory, options);
      refuseForked(run, { copies: [], longest: last }, journal);
      const state = foldRun(run, last.records);
      return { epoch: raised, longest: last, rebuilt: state, kept: await stepsKept(state, raised, hosts, fleet) };
    });
    journal.adopt(run, rebuilt.plan.runbook.name, longest.records);
    const from = lastHolder(longest.records);
    journal.takeOver(
      run,
      { by: holderName(), from, inventory: inventory.file, host: longest.host, without: [...options.without], hosts },
      epoch,
    );
    // The record of that came after the last that was brought to a host.
    if (since.takenBackOn.length > 0)
      journal.append(run, { type: 'run.taken-back', epoch, body: { hosts: [...since.takenBackOn] } });
    for (const { step, host } of kept) journal.append(run, { type: 'step.kept', epoch, step, host, body: { kept: [] } });
    const { done, silent } = await onEach(hosts, inventory, async (host) => ({ host, lease: await fleet.lease(host) }), isAway);
    const held = done.flatMap(({ host, lease }) => (lease?.run === run ? [host] : []));
    const given = done.flatMap(({ host, lease }) => (lease?.run !== run && rebuilt.leases.includes(host) ? [host] : []));
    for (const host of given) journal.append(run, { type: 'lease.released', epoch, host });
    for (const host of held) if (!rebuilt.leases.includes(host)) journal.append(run, { type: 'lease.taken', epoch, host });
    const left = [...silent, ...(await bringRecords(run, epoch, held, { fleet, inventory, journal }))];
    if (left.length > 0) throw partial(run, hosts, left);
    const after = foldRun(run, journal.read(run));
    const isUnder = since.newer.length > 0;
    return {
      run,
      phase: after.phase,
      epoch,
      from,
      fenced: hosts,
      busy: [],
      told: [describe(run, { copies: [], longest }), ...told],
      isUnder,
    };
  } finally {
    await fleet.close();
  }
}

function refuseUnknown(host: string, names: readonly string[]): void {
  if (!names.includes(host))
    throw new FerryError('HOST_UNKNOWN', { host, nearest: nearest(host, names) ?? '', known: names.join(', ') });
}

/** Which run it is, and what the host that was named knows of it. */
async function lookAt(fleet: Fleet, host: string, named: string | undefined) {
  const run = named ?? (await fleet.lease(host))?.run;
  if (run === undefined) throw new FerryError('HOST_FREE', { host });
  const { records, fault } = await readCopy(fleet, host, run);
  if (records === null || (records.length === 0 && !fault)) throw new FerryError('COPY_MISSING', { host, run });
  if (fault) throw broken(host, run, fault);
  if (records[0]?.type !== 'run.started') throw broken(host, run, { seq: 1, why: 'it begins no run' });
  return { run, state: foldRun(run, records) };
}

function broken(host: string, run: string, fault: { seq: number; why: string }): FerryError<'COPY_BROKEN'> {
  return new FerryError('COPY_BROKEN', { host, run, ...fault }, { left: NOTHING });
}

/** What to type again, without hosts that are lost. */
function commandOf(run: string, { from, without }: TakeoverOptions, lost: readonly Silence[]): string {
  return `ferry takeover ${run} --from ${from}${[...without, ...lost.map(({ host }) => host)].map((host) => ` --without ${host}`).join('')}`;
}

/** What both errors say of hosts that cannot be asked or told. */
const aboutSilent = (run: string, silent: readonly Silence[]) => ({
  ...{ run, hosts: silent.map(({ host }) => host).join(' and '), why: silent.map(({ why }) => why).join(' ') },
});

/** Says in what goes wrong from here on what was changed: hosts on which the former controller is shut out. */
async function tellingOf<T>(fenced: ReadonlySet<string>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const where = [...fenced].join(' and ');
    if (isFerryError(thrown) && where)
      thrown.left = `The former controller changes nothing any more on ${where}. Nothing else was changed, and this state folder has nothing of the run yet.`;
    throw thrown;
  }
}

async function readAll(
  run: string,
  hosts: readonly string[],
  fleet: Fleet,
  inventory: Inventory,
  options: TakeoverOptions,
): Promise<Found> {
  const { done, silent } = await onEach(hosts, inventory, (host) => readCopy(fleet, host, run));
  if (silent.length > 0) {
    const args = { ...aboutSilent(run, silent), command: commandOf(run, options, silent) };
    throw new FerryError('TAKEOVER_BLIND', args, { left: NOTHING });
  }
  for (const { host, fault } of done) if (fault) throw broken(host, run, fault);
  return { copies: done, longest: longestOf(run, done) };
}

/** @throws JOURNAL_FORKED when this state folder knows the run, and otherwise */
function refuseForked(run: string, { longest }: Found, journal: Journal): void {
  const ours = journal.read(run);
  const seq =
    firstDifference(longest.records, ours) ?? (ours.length > longest.records.length ? longest.records.length + 1 : null);
  if (seq !== null) throw new FerryError('JOURNAL_FORKED', { host: longest.host, run, seq });
}

/** Raises the epoch everywhere, above any that a takeover which came to nothing has left; `fenced` learns where. Answers with it. */
async function fence(
  run: string,
  hosts: readonly string[],
  about: { fleet: Fleet; inventory: Inventory; options: TakeoverOptions; before: Found; fenced: Set<string> },
): Promise<number> {
  for (let epoch = Math.max(...about.before.longest.records.map((record) => record.epoch)) + 1; ; ) {
    try {
      const { silent } = await raiseOn(hosts, { run, epoch, ...about });
      if (silent.length === 0) return epoch;
      const commands = { again: commandOf(run, about.options, []), without: commandOf(run, about.options, silent) };
      throw new FerryError('TAKEOVER_UNFENCED', { ...aboutSilent(run, silent), ...commands }, { left: NOTHING });
    } catch (thrown) {
      if (!isFerryError(thrown, 'EPOCH_STALE')) throw thrown;
      epoch = Number(thrown.args.theirs) + 1;
    }
  }
}

/**
 * Steps the bytes of whose undo were kept, because a command of the step was begun: the record of that came after the last that was
 * brought to a host, and without it an undo would take the step for one that changed nothing.
 */
async function stepsKept({ run, steps }: RunState, epoch: number, asked: readonly string[], fleet: Fleet) {
  const kept: { step: string; host: string }[] = [];
  for (const { step, host, hosts, attempt, keepOwed } of steps.values()) {
    if (!keepOwed) continue;
    const id = { run, step, attempt, epoch, undo: false };
    const effects = await Promise.all(
      hosts.filter((one) => asked.includes(one)).map(async (one) => (await fleet.effects(one, id)) ?? []),
    );
    if (effects.flat().length > 0) kept.push({ step, host });
  }
  return kept;
}

async function heldBy(run: string, hosts: readonly string[], fleet: Fleet): Promise<string[]> {
  const leases = await Promise.all(hosts.map(async (host) => ({ host, lease: await fleet.lease(host) })));
  return leases.flatMap(({ host, lease }) => (lease?.run === run ? [host] : []));
}

/** Up to where a run is known, in a sentence or two. */
function describe(run: string, { longest }: Found): string {
  const { records, host } = longest;
  const last = records.at(-1);
  const state = foldRun(run, records);
  const about = [last?.step, last?.host].filter((one) => typeof one === 'string').join(' on ');
  return `Run ${run} (${state.plan.runbook.name}, begun ${state.startedAt} by ${lastHolder(records)}) is known up to record ${records.length}, of ${last?.at}: ${last?.type}${about ? ` ${about}` : ''} (from ${host}).`;
}
