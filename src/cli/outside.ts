import type { ErrorReport } from '../engine/events.ts';
import { carryHint, type Places } from '../errors/carry-places.ts';
import { jsonText } from '../lib/json.ts';
import type { Page } from '../renderers/paint.ts';
import type { Wire } from './contract.ts';

/** Everything the command line has around it; `main.ts` gives the process, tests give their own. */
export interface Outside {
  readonly stdin: NodeJS.ReadStream;
  /** For results. */
  readonly stdout: NodeJS.WriteStream;
  /** For progress, questions and errors. */
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where SIGINT and SIGTERM are heard. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  /** Loaded when a verb needs it: help must not wait for it. */
  loadWire(): Promise<Wire>;
  /** Ends the process at once. */
  leave(exitCode: number): void;
  /** What the commands carry that this one tells. */
  readonly places: Places;
}

/** Width and colour of a stream: NO_COLOR and what is no terminal are respected, FORCE_COLOR overrides. */
export function pageOf(outside: Outside, to: 'stdout' | 'stderr'): Page {
  const { env, places, [to]: stream } = outside;
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== '';
  const plain = Boolean(env.NO_COLOR) || env.TERM === 'dumb' || !stream.isTTY;
  // Text in a pipe or file has no edge; a fixed one keeps it readable and the same everywhere.
  const width = stream.isTTY ? Math.max(60, stream.columns ?? 80) : 120;
  return { width, colour: forced || !plain, places };
}

/** Whether somebody sits there who can be asked. */
export function canAsk(outside: Outside): boolean {
  return Boolean(outside.stdin.isTTY && outside.stderr.isTTY);
}

/** Writes a result and its newline. */
export function print(outside: Outside, text: string): void {
  outside.stdout.write(`${text}\n`);
}

/** Writes an error to stderr, as JSON where the verb was asked for JSON. */
export async function printError(outside: Outside, error: ErrorReport, json: boolean): Promise<void> {
  if (json) {
    outside.stderr.write(`${jsonText({ error: carryHint(error, outside.places) })}\n`);
    return;
  }
  const { errorText } = await import('../renderers/error.ts');
  outside.stderr.write(`${errorText(error, pageOf(outside, 'stderr'))}\n`);
}
