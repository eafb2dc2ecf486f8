import { FerryError } from '../errors/ferry-error.ts';
import type { RunThere } from '../hosts/runs-here.ts';
import type { Journal } from '../journal/journal.ts';
import { foldRun } from './fold.ts';
import type { RunContext } from './run-context.ts';

/** A run that worked on a host after the one that is looked at. */
export interface NewerRun {
  readonly host: string;
  readonly run: string;
  /** Its runbook, and how it stands; null where this journal does not know it. */
  readonly known: string | null;
}

/** Runs that worked on hosts after this one, the latest first. */
export function newerRuns(there: ReadonlyMap<string, RunThere>, journal: Pick<Journal, 'read'>): NewerRun[] {
  return [...there].flatMap(([host, { newer }]) =>
    newer.toReversed().map((run) => {
      const records = journal.read(run);
      const state = records.length > 0 ? foldRun(run, records) : null;
      return { host, run, known: state && `${state.plan.runbook.name}, ${state.phase.replace('-', ' ')}` };
    }),
  );
}

/** Each of them on its hosts: `r-2 (move, finished) on engine and newdb`. */
export function namesOf(newer: readonly NewerRun[]): string {
  return [...new Map(newer.map((one) => [one.run, one])).values()]
    .map(({ run, known }) => {
      const on = newer.flatMap((one) => (one.run === run ? [one.host] : []));
      return `${run} (${known ?? 'not in this state folder'}) on ${on.join(' and ')}`;
    })
    .join(', ');
}

/**
 * Makes sure that nothing has come onto the hosts of a run since, by another run: this one's undo and its steps know nothing of that, and
 * would destroy it. Answers with what a person has agreed to go back over.
 * @throws RUN_OVERTAKEN; RUN_TAKEN_BACK, of which the journal need not know after a takeover from a host
 */
export function refuseOvertaken(
  { state, ports }: Pick<RunContext, 'state' | 'ports'>,
  there: ReadonlyMap<string, RunThere>,
  { verb, overNewer }: { verb: 'resume' | 'roll back'; overNewer: boolean },
): NewerRun[] {
  const { run, phase } = state;
  // Gone through once more to give its hosts back, it changes nothing.
  if (phase === 'rolled-back') return [];
  const left = { left: 'Nothing was changed.' };
  const hosts = [...there].flatMap(([host, { isTakenBack }]) => (isTakenBack ? [host] : []));
  if (hosts.length > 0) throw new FerryError('RUN_TAKEN_BACK', { run, hosts: hosts.join(' and '), verb }, left);
  // What was not begun destroys nothing: its facts are read again before.
  if ([...state.steps.values()].every(({ attempt }) => attempt === 0)) return [];
  const newer = newerRuns(there, ports.journal);
  const [latest] = newer;
  if (latest && !overNewer)
    throw new FerryError('RUN_OVERTAKEN', { run, newer: namesOf(newer), latest: latest.known === null ? '' : latest.run }, left);
  return newer;
}
