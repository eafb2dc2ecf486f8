import type { ActingHost, Host, HostInfo, Progress } from './host.ts';
import type { KeepRequest } from './keep.ts';
import type { AttemptId, Attempts } from './layout.ts';
import type { Lease } from './lease.ts';

/** What an attempt did on a host, by the evidence in its folder. */
export interface Effect {
  readonly name: string;
  readonly detached: boolean;
  readonly state: 'exited' | 'running' | 'lost';
  /** Why it left no exit code, when it is lost and its host can tell. */
  readonly why?: string;
}

/** The hosts of a run, by inventory name: all the engine sees of machines. One connection each, opened when first used. */
export interface Fleet {
  info(host: string): HostInfo;
  host(host: string): Host;
  /** The machine within one attempt; the attempt must be open there. */
  acting(host: string, id: AttemptId, signal: AbortSignal, report: (progress: Progress) => void): ActingHost;
  /** Makes the attempt folder with the intent in it. False when it is there already. */
  openAttempt(host: string, id: AttemptId, intent: string): Promise<boolean>;
  /** Null when the attempt was never opened on that host. */
  effects(host: string, id: AttemptId): Promise<Effect[] | null>;
  /** What a command has ended with, in each of these attempts in which it did. */
  exitCodes(host: string, attempts: Attempts, effect: string): Promise<number[]>;
  /**
   * Ends the attempt's detached commands that still run, with everything they started, and returns when nothing of it is left.
   * @throws COMMAND_FAILED when something cannot be ended
   */
  endDetached(host: string, id: AttemptId): Promise<void>;
  /** Keeps bytes on a host before an attempt's first command. @throws EPOCH_STALE */
  keep(
    host: string,
    id: AttemptId,
    requests: readonly KeepRequest[],
    generation?: number,
  ): Promise<{ name: string; sha256: string }[]>;
  /** Whether the machine behind a host's name is one on which this run took the lease under that name. */
  knowsRun(host: string, run: string): Promise<boolean>;
  /** Null when taken; the other run's lease when held. @throws RUN_SHUT_OUT when this run was given up there, HOST_FOLDER_UNSAFE */
  takeLease(host: string, lease: Lease, epoch: number): Promise<Lease | null>;
  releaseLease(host: string, run: string): Promise<void>;
  /** Gives the host back and makes every further command of that run there refuse, whoever gives it. */
  fenceRun(host: string, run: string): Promise<void>;
  lease(host: string): Promise<Lease | null>;
  close(): Promise<void>;
}
