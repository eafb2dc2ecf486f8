import { type NewerRun, newerRuns } from '../engine/overtaken.ts';
import type { Fleet } from '../hosts/fleet.ts';
import type { RunThere } from '../hosts/runs-here.ts';
import type { Journal } from '../journal/journal.ts';

/** What hosts know of a run that its records there do not tell. */
export interface Since {
  /** Runs that worked on them after it. */
  readonly newer: readonly NewerRun[];
  /** Hosts that say that it was taken back to before its first step. */
  readonly takenBackOn: readonly string[];
}

/** Asks the hosts of a run what came after the last record they have of it. */
export async function runsSince(run: string, hosts: readonly string[], fleet: Fleet, journal: Journal): Promise<Since> {
  const told = await Promise.all(hosts.map(async (host) => [host, await fleet.knowsRun(host, run)] as const));
  const there = new Map(told.flatMap(([host, one]): [string, RunThere][] => (one ? [[host, one]] : [])));
  const takenBackOn = [...there].flatMap(([host, { isTakenBack }]) => (isTakenBack ? [host] : []));
  return { newer: takenBackOn.length > 0 ? [] : newerRuns(there, journal), takenBackOn };
}

/** The same in sentences. */
export function sinceWords(run: string, { newer, takenBackOn }: Since): string[] {
  return [
    ...newer.map((one) => `${one.host}: run ${one.run} (${one.known ?? 'not in this state folder'}) has worked there since.`),
    ...(newer.length > 0 ? [`Until that is taken back, ${run} goes neither on nor back.`] : []),
    ...(takenBackOn.length > 0
      ? [`It was taken back and has given its hosts back, ${takenBackOn.join(' and ')} says: nothing of it is left to do.`]
      : []),
  ];
}
