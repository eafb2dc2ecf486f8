import { vi } from 'vitest';

/** Waits for what is usually there in a moment, for long enough that a busy machine fails no test. */
export function soon<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: 10_000 });
}
