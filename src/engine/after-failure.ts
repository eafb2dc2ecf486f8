import { isFerryError } from '../errors/ferry-error.ts';
import { isoTime, nowMs, poll } from '../lib/clock.ts';
import { rollBackFailed } from './rollback.ts';
import type { Ending } from './run.ts';
import type { RunContext } from './run-context.ts';

const LOOK_EVERY_MS = 1000;

/**
 * What becomes of a run that failed: it stays as it is, is rolled back, or is rolled back after a while unless somebody takes
 * it on. Meanwhile nothing is held but the leases: no connection, and not the lock of the run, so that a resume or a rollback
 * from another terminal simply goes ahead. Should this process die, nothing happens by itself.
 */
export async function afterFailure(context: RunContext, end: Ending, rollBackAfterMs: number | null): Promise<Ending> {
  if (end.outcome !== 'failed' || rollBackAfterMs === null) return end;
  if (rollBackAfterMs === 0) return rollBackFailed(context, end);
  const { rollbackAt } = context.state.pause ?? {};
  if (!rollbackAt) return end;
  const taken = await waitAlone(context, Date.parse(rollbackAt));
  const text = taken === null ? 'Nobody took it on: it is rolled back now.' : `Not rolled back by itself: ${taken}.`;
  context.emit({ type: 'note', text });
  return taken === null ? rollBackFailed(context, end) : end;
}

/** When a run that fails now is rolled back by itself, null for not at all: it never is across the write line. */
export function rollbackDue({ state }: RunContext, rollBackAfterMs: number | null | undefined): string | null {
  return rollBackAfterMs && !state.writeLine?.isCrossed ? isoTime(nowMs() + rollBackAfterMs) : null;
}

/** Waits until the moment and takes the lock of the run again; or gives back, in words, what came in between. */
async function waitAlone(context: RunContext, dueMs: number): Promise<string | null> {
  const { journal, fleet, signal } = context.ports;
  const { run, seq: since } = context.state;
  journal.release(run);
  fleet.rest();
  const look = async (): Promise<string | undefined> => {
    const others = othersDid(context, since);
    if (others !== null) return others;
    if (journal.isOpen(run)) return 'another Ferry works on the run';
    return nowMs() >= dueMs ? 'due' : undefined;
  };
  const limits = {
    timeoutMs: Number.POSITIVE_INFINITY,
    intervalMs: Math.min(LOOK_EVERY_MS, Math.max(20, dueMs - nowMs())),
    signal,
  };
  const found = await poll(look, limits).catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown;
    return 'it was told to leave the run paused';
  });
  if (found !== 'due') return found ?? null;
  try {
    journal.open(run);
  } catch (thrown) {
    if (!isFerryError(thrown, 'RUN_BUSY')) throw thrown;
    return 'another Ferry works on the run';
  }
  // Somebody may have come and gone between the last look and the lock.
  const others = othersDid(context, since);
  if (others !== null) journal.release(run);
  return others;
}

/** What others have put on record since; that a message of Ferry itself did not arrive is none of it. */
function othersDid({ ports, state }: RunContext, since: number): string | null {
  const [first] = ports.journal.readAfter(state.run, since).filter(({ type }) => type !== 'notify.failed');
  if (!first) return null;
  return first.epoch > state.epoch
    ? `${first.body.by ?? 'another controller'} took it over`
    : `somebody took it on (${first.type})`;
}
