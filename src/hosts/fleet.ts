import type { Leftover, RunTraces } from './clean-scripts.ts';
import type { DeadMan, DeadManState } from './dead-man.ts';
import type { ActingHost, Host, HostInfo, Progress, Terms } from './host.ts';
import type { RecordsAfter } from './journal-copy.ts';
import type { KeepRequest } from './keep.ts';
import type { AttemptId, Attempts } from './layout.ts';
import type { Lease } from './lease.ts';
import type { Ended, RunThere } from './runs-here.ts';

/** What an attempt did on a host, by the evidence in its folder. */
export interface Effect {
  readonly name: string;
  readonly detached: boolean;
  readonly state: 'exited' | 'running' | 'lost';
  /** Why it left no exit code, when it is lost and its host can tell. */
  readonly why?: string;
  /** Its exit code, when it left one. */
  readonly code?: number;
}

/** What a host that was given to another controller told. */
export interface Raised {
  /** Whether the run had left anything there; where it had not, the host can be taken for no epoch before all the same. */
  readonly isThere: boolean;
  /** Whether it has the lease. */
  readonly isHeld: boolean;
  /** Whether a short command of the former controller is still under way. */
  readonly isBusy: boolean;
}

/** The hosts of a run, by inventory name: all the engine sees of machines. One connection each, opened when first used. */
export interface Fleet {
  info(host: string): HostInfo;
  host(host: string): Host;
  /** The machine within one attempt; the attempt must be open there. */
  acting(host: string, id: AttemptId, signal: AbortSignal, report: (progress: Progress) => void, terms?: Terms): ActingHost;
  /**
   * Makes the attempt folder with the intent in it, after the run's records, which the host then has all of. False when it is
   * there already.
   * @throws EPOCH_STALE when another controller has the run; JOURNAL_FORKED when the host has records that are not this run's
   */
  openAttempt(host: string, id: AttemptId, intent: string, records?: RecordsAfter): Promise<boolean>;
  /** Null when the attempt was never opened on that host. */
  effects(host: string, id: AttemptId): Promise<Effect[] | null>;
  /** What a command has ended with, in each of these attempts in which it did. */
  exitCodes(host: string, attempts: Attempts, effect: string): Promise<number[]>;
  /**
   * Ends the attempt's detached commands that still run, with everything they started, and returns when nothing of it is left.
   * @throws COMMAND_FAILED when something cannot be ended; EPOCH_STALE
   */
  endDetached(host: string, id: AttemptId): Promise<void>;
  /** Keeps bytes on a host before an attempt's first command. @throws EPOCH_STALE */
  keep(
    host: string,
    id: AttemptId,
    requests: readonly KeepRequest[],
    generation?: number,
  ): Promise<{ name: string; sha256: string }[]>;
  /**
   * Lets a host put back by itself what an open attempt is about to change, unless that is confirmed in time. Armed once, however
   * often this is called. @throws DEAD_MAN_UNARMED, EPOCH_STALE
   */
  armDeadMan(host: string, id: AttemptId, deadMan: DeadMan): Promise<DeadManState>;
  /**
   * Asks how the switch of an attempt stands, or ends its wait: by `confirm`, after which what was applied stays, or by `revert`,
   * which puts back at once. Whichever of the host and Ferry comes first wins; the state that is returned is final then.
   * @throws EPOCH_STALE; COMMAND_FAILED when it could not be put back
   */
  deadMan(host: string, id: AttemptId, ask: 'look' | 'confirm' | 'revert'): Promise<DeadManState>;
  /** Logs in once more, beside any connection there is, and logs out. @throws HOST_UNREACHABLE and what else a login may end with */
  logIn(host: string): Promise<void>;
  /** What the machine behind a host's name tells of this run; null when it is none on which the run took the lease under that name. */
  knowsRun(host: string, run: string): Promise<RunThere | null>;
  /**
   * Brings the run's records, and takes the host. Null when taken; the other run's lease when held.
   * @throws RUN_SHUT_OUT when this run was given up there; EPOCH_STALE, JOURNAL_FORKED, HOST_FOLDER_UNSAFE
   */
  takeLease(host: string, lease: Lease, epoch: number, records?: RecordsAfter): Promise<Lease | null>;
  /**
   * Gives the host back, whatever the epoch unless told, and says there how the run ended when it left nothing.
   * @throws EPOCH_STALE when a later controller of the run has it
   */
  releaseLease(host: string, run: string, epoch?: number, ended?: Ended | null): Promise<void>;
  /**
   * Makes every command of an epoch before refuse, waits for short ones under way, and puts the new holder into the lease, where the run has it.
   * @throws EPOCH_STALE when a later controller was here first; RUN_SHUT_OUT
   */
  raiseEpoch(host: string, lease: Lease, epoch: number): Promise<Raised>;
  /** The host's copy of a run's records, as it stands there; null when it has none. */
  journalCopy(host: string, run: string): Promise<string | null>;
  /** Gives the host back and makes every further command of that run there refuse, whoever gives it. */
  fenceRun(host: string, run: string): Promise<void>;
  lease(host: string): Promise<Lease | null>;
  /** What a run has on a host, and whether it may be removed. */
  traces(host: string, run: string): Promise<RunTraces>;
  /** Removes what a run has on a host, where that may be; the bytes are those that were. */
  cleanRun(host: string, run: string): Promise<RunTraces>;
  /** What dead runs left outside their folders, removed when told to; those in `alive` are none. */
  leftovers(host: string, alive: readonly string[], isRemoved: boolean): Promise<Leftover[]>;
  /** Closes the connections nothing goes through right now; each is opened again when it is needed. */
  rest(): void;
  close(): Promise<void>;
}
