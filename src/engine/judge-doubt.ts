import type { Planned } from '../actions/action.ts';

/** A command of an attempt, by what it left in its folder on a host. */
export interface CommandSeen {
  readonly name: string;
  readonly detached: boolean;
  /** `lost`: it left no exit code and does not run. */
  readonly state: 'running' | 'exited' | 'lost';
  /** Its exit code; null when it left none. */
  readonly code: number | null;
  /** Why it left none, when it is lost. */
  readonly why: string | null;
}

/** What an attempt left on one host; `commands` is null where the attempt was never opened. */
export interface HostSeen {
  readonly host: string;
  readonly commands: readonly CommandSeen[] | null;
}

/** A state fact of a step before its first attempt, as the step was to make it, and now; each for a person. */
export interface FactSeen {
  readonly host: string;
  readonly key: string;
  readonly before: string;
  /** Null when the step does not change it, or only apply could tell what it becomes. */
  readonly planned: string | null;
  readonly now: string;
  readonly stands: 'as-planned' | 'as-before' | 'otherwise';
}

/** What tells how a step stands that was begun and not finished. */
export interface Evidence {
  readonly hosts: readonly HostSeen[];
  readonly facts: readonly FactSeen[];
}

/** How such a step stands. `ended`: all its commands have ended, and what they left is all there is. `untold`: nothing tells. */
export type Verdict = 'running' | 'ended' | 'done' | 'not-done' | 'partly' | 'untold' | 'blocked';

/** What follows: join what runs, gather what commands left, check what was done, call it done, try anew, or stop. */
export type Settling = 'join' | 'gather' | 'verify' | 'close' | 'new-attempt' | 'stop';

/** A step in doubt with all that is known of it. */
export interface Doubt extends Evidence {
  readonly phase: 'doubt' | 'applied' | 'failed';
  /** False for a step that acts each time it runs: that a plan has something to do says nothing of what was done. */
  readonly converges: boolean;
  /** What the step would do on what is there now; null when nobody planned it, and the facts alone must tell. */
  readonly now: Planned['kind'] | null;
}

/**
 * How a step stands that was begun and not finished, and what follows from it. Pure. Commands come first, because what ended is
 * not to be run again; where one died or none was begun, the facts decide.
 */
export function judgeDoubt(doubt: Doubt): { readonly verdict: Verdict; readonly settling: Settling } {
  const commands = doubt.hosts.flatMap((host) => host.commands ?? []);
  const isLost = commands.some(({ state }) => state === 'lost');
  const runs = commands.some(({ detached, state }) => detached && state === 'running');
  const hasDetached = commands.some(({ detached }) => detached);
  if (doubt.phase === 'applied') return { verdict: 'done', settling: 'verify' };
  if (runs && !isLost) return { verdict: 'running', settling: 'join' };
  // A command that failed has ended too; it is done again only where its failure is on record.
  if (commands.length > 0 && !isLost && doubt.phase === 'doubt' && (hasDetached || !doubt.converges))
    return { verdict: 'ended', settling: 'gather' };
  const planned = doubt.facts.filter((fact) => fact.planned !== null);
  const now = doubt.now ?? (planned.length > 0 && planned.every(isAsPlanned) ? 'no-change' : 'change');
  if (now === 'blocked') return { verdict: 'blocked', settling: 'stop' };
  if (now !== 'change') return { verdict: 'done', settling: 'close' };
  return { verdict: halfWay(commands.length > 0, planned), settling: 'new-attempt' };
}

function halfWay(isBegun: boolean, planned: readonly FactSeen[]): 'not-done' | 'partly' | 'untold' {
  if (!isBegun) return 'not-done';
  if (planned.length === 0) return 'untold';
  return planned.every(({ stands }) => stands === 'as-before') ? 'not-done' : 'partly';
}

function isAsPlanned({ stands }: FactSeen): boolean {
  return stands === 'as-planned';
}
