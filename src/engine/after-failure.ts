import { isFerryError } from '../errors/ferry-error.ts';
import { isoTime, nowMs, poll } from '../lib/clock.ts';
import { callOffRollback } from './call-off.ts';
import { rollBackFailed } from './rollback.ts';
import type { Ending } from './run.ts';
import type { RunContext } from './run-context.ts';

const LOOK_EVERY_MS = 1000;
const STOPPED = 'it was told to leave the run paused';

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
  const { taken, isOurs } = await waitAlone(context, Date.parse(rollbackAt));
  if (taken === null) {
    context.emit({ type: 'note', text: 'Nobody took it on: it is rolled back now.' });
    return rollBackFailed(context, end);
  }
  callOffRollback(context, taken, isOurs);
  if (isOurs) context.ports.journal.release(context.state.run);
  return end;
}

/**
 * When a run that fails now is rolled back by itself; or why it is not: it never is across the write line, nor when somebody
 * has told it to stop. Both null where nobody wanted it.
 */
export function rollbackDue(
  { state, ports }: RunContext,
  rollBackAfterMs: number | null | undefined,
): { rollbackAt: string | null; whyNot: string | null } {
  if (!rollBackAfterMs) return { rollbackAt: null, whyNot: null };
  if (state.writeLine?.isCrossed) return { rollbackAt: null, whyNot: 'the write line is crossed' };
  if (ports.signal.aborted) return { rollbackAt: null, whyNot: 'it was told to stop' };
  return { rollbackAt: isoTime(nowMs() + rollBackAfterMs), whyNot: null };
}

/**
 * Waits until the moment; or gives back, in words, what came in between. The lock of the run is `isOurs` again, unless somebody
 * else has it or has put something on record.
 */
async function waitAlone(context: RunContext, dueMs: number): Promise<{ taken: string | null; isOurs: boolean }> {
  const { journal, fleet, signal } = context.ports;
  const { run, seq: since } = context.state;
  journal.release(run);
  fleet.rest();
  // Who merely has the lock may only look, as `ferry status` does, or be asked for a password and give up.
  const look = async (): Promise<string | undefined> => othersDid(context, since) ?? (nowMs() >= dueMs ? 'due' : undefined);
  const limits = {
    timeoutMs: Number.POSITIVE_INFINITY,
    intervalMs: Math.min(LOOK_EVERY_MS, Math.max(20, dueMs - nowMs())),
    signal,
  };
  const found = await poll(look, limits).catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown;
    return STOPPED;
  });
  const told = signal.aborted ? STOPPED : null;
  if (found !== 'due' && told === null) return { taken: found ?? null, isOurs: false };
  try {
    journal.open(run);
  } catch (thrown) {
    if (!isFerryError(thrown, 'RUN_BUSY')) throw thrown;
    return { taken: told ?? 'another Ferry works on the run', isOurs: false };
  }
  // Somebody may have come and gone between the last look and the lock.
  const others = othersDid(context, since);
  if (others !== null) journal.release(run);
  return { taken: others ?? told, isOurs: others === null };
}

/** What others have put on record since; that a message of Ferry itself did not arrive is none of it. */
function othersDid({ ports, state }: RunContext, since: number): string | null {
  const [first] = ports.journal.readAfter(state.run, since).filter(({ type }) => type !== 'notify.failed');
  if (!first) return null;
  return first.epoch > state.epoch
    ? `${first.body.by ?? 'another controller'} took it over`
    : `somebody took it on (${first.type})`;
}
