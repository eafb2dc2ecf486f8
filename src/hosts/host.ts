import type { Duplex } from 'node:stream';
import type { LogPiece } from './log-follower.ts';
import type { Secret } from './secret.ts';
import type { Sh } from './sh.ts';

/** What a command left: its exit code (0-255) and what it printed, bounded to 8 MiB each. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What plans and facts know of a host without touching it. */
export interface HostInfo {
  /** The name in the inventory. */
  readonly name: string;
  /** The name or address under which other hosts reach it. */
  readonly address: string;
  /** The user Ferry logs in as. */
  readonly user: string;
  readonly port: number;
}

export interface RunOptions {
  /** The user the script runs as; root when absent. Working directory `/`, LC_ALL=C. */
  readonly as?: string;
  readonly timeoutMs?: number;
  /** Bytes for the script's standard input; sent on a channel of its own, never through argv. */
  readonly stdin?: string | Uint8Array | Secret;
}

/** A machine as facts and checks see it: it can be asked, not changed. */
export interface Host extends HostInfo {
  /**
   * Runs a short script that changes nothing and returns what it left; a non-zero exit code is an answer, not an error.
   * @throws HOST_UNREACHABLE when the connection is lost and cannot be had again
   * @throws COMMAND_TIMEOUT when `timeoutMs` (default 60 s) has passed
   */
  run(script: Sh, options?: RunOptions): Promise<RunResult>;
  /**
   * Opens a TCP connection from this host to an address, as the host itself would reach it.
   * @throws CONNECT_REFUSED when nothing listens there or it cannot be reached
   */
  connect(address: string, port: number, timeoutMs?: number): Promise<Duplex>;
  /** The host key seen and checked at connect, as it stands in a known_hosts line: type and base64 blob. Null for the local machine. */
  hostKey(): Promise<{ type: string; blob: string } | null>;
}

export interface ChangeOptions extends RunOptions {
  /** Exit codes that are an answer and not a failure; 0 alone by default. */
  readonly okCodes?: readonly number[];
}

export interface Progress {
  /** What is happening, in a few words: `dumping`, `restoring`. */
  readonly note?: string;
  readonly bytes?: number;
  readonly totalBytes?: number;
  /** What it has printed since the last report, with the secrets in it. */
  readonly log?: LogPiece;
  /** It has shown no progress for so long, and why, in sentences; null when it moves again. */
  readonly stall?: { readonly ms: number; readonly why: readonly string[] | null };
}

/** What a long command may take of its host beside others; 100 is the weight of what has none. */
export interface Limits {
  readonly cpuWeight?: number;
  readonly ioWeight?: number;
  readonly memoryMaxBytes?: number;
}

/** On what terms the long commands of a step run. */
export interface Terms {
  readonly limits?: Limits;
  /** For how long they may show no progress before that is told. */
  readonly stallAfterMs?: number;
}

export interface DetachedOptions extends ChangeOptions {
  /** A script that prints how many bytes are done; asked about once a second while the command runs. */
  readonly progress?: Sh;
  readonly totalBytes?: number;
  readonly note?: string;
  /** A script that prints what it knows of why there is no progress, a sentence a line; asked when there is none. Reads only. */
  readonly diagnose?: Sh;
  /**
   * Files the script finds in the folder named by `$FERRY_SECRETS` (0700, on a tmpfs); gone when the script ends.
   * Keys are file names.
   */
  readonly secrets?: Readonly<Record<string, string | Secret>>;
  /** Whoever ends it kills it at once, unasked: for a program whose own clean-up destroys more than its death. */
  readonly kill?: boolean;
}

/** What a program at a terminal has printed since the last answer, and for how long it has been silent and running. */
export interface Heard {
  readonly said: string;
  readonly quietMs: number;
  readonly tookMs: number;
  /** Whether it has paused: what it prints in one go is there whole. */
  readonly hasPaused: boolean;
}

/** What to type, without the Enter, or null to go on listening. Called again and again; what it throws ends the program. */
export type Reply = (heard: Heard) => string | Secret | null;

export interface ConverseOptions {
  readonly as?: string;
  readonly okCodes?: readonly number[];
  readonly reply: Reply;
  /** As in `DetachedOptions`; a connection that is lost hangs up all the same. */
  readonly kill?: boolean;
}

/**
 * A machine as `apply` and `rollback` see it. Each mutating command has a name, unique in its attempt, and runs at most
 * once per attempt: called again with the same name after a crash, it returns what the first call left.
 */
export interface ActingHost extends Host {
  /**
   * Runs a short script that changes something; durable evidence of it stays in the attempt folder.
   * @throws COMMAND_FAILED on an exit code not in `okCodes`
   * @throws COMMAND_LOST when an earlier call of this attempt died without leaving an exit code
   */
  change(name: string, script: Sh, options?: ChangeOptions): Promise<RunResult>;
  /**
   * Runs a script that may last long as a unit of its own, which outlives Ferry; waits for it, or re-attaches to it.
   * Its stdout and stderr are one log, returned (bounded) as stdout.
   * @throws COMMAND_FAILED, COMMAND_LOST
   */
  detached(name: string, script: Sh, options?: DetachedOptions): Promise<RunResult>;
  /**
   * Runs a program at a terminal and answers it. It cannot outlive the connection: whoever answers is gone then. So a lost connection ends
   * it, with everything it started, and so does whatever else ends this call early; when this returns or throws, nothing of it runs
   * any more, unless its host cannot be reached. stdout is empty: what it prints goes to the log.
   * @throws COMMAND_FAILED; COMMAND_LOST when it was cut off, also in an earlier call of this attempt; TERMINAL_UNSUPPORTED; what `reply` throws
   */
  converse(name: string, script: Sh, options: ConverseOptions): Promise<RunResult>;
}
