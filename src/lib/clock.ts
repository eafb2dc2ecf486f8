import { setTimeout as delay } from 'node:timers/promises';

/** A length of time as a timer of Node takes it: whole, and about 24 days at most, for a longer one ends at once. */
export function timerMs(ms: number): number {
  return Math.min(Math.ceil(ms), 2 ** 31 - 1);
}

/** The present moment in milliseconds since 1970. The one home of `Date.now`. */
export function nowMs(): number {
  return Date.now();
}

/** The present moment, or a given one, as ISO 8601 text in UTC. */
export function isoTime(ms: number = nowMs()): string {
  return new Date(ms).toISOString();
}

/**
 * Waits until `probe` answers something other than undefined and returns that; undefined when `timeoutMs` has passed.
 * The first probe is immediate, pauses grow from 20 ms to `intervalMs`.
 */
export async function poll<T>(
  probe: () => Promise<T | undefined>,
  limits: { timeoutMs: number; intervalMs?: number; signal?: AbortSignal },
): Promise<T | undefined> {
  const deadline = nowMs() + limits.timeoutMs;
  let pauseMs = 20;
  for (;;) {
    limits.signal?.throwIfAborted();
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (nowMs() + pauseMs > deadline) return undefined;
    await delay(pauseMs, undefined, limits.signal ? { signal: limits.signal } : {});
    pauseMs = Math.min(pauseMs * 2, limits.intervalMs ?? 500);
  }
}
