/** How long a long command may show no progress before that is told, unless its step says otherwise. */
export const STALL_AFTER_MS = 300_000;

/** Notices when something stands still, once each time, and when it moves again. */
export class StallWatch {
  readonly #afterMs: number;
  #mark: string | undefined;
  #sinceMs = 0;
  #isStalled = false;

  constructor(afterMs: number) {
    this.#afterMs = afterMs;
  }

  /** Sees how far it is at a moment. `ms` is for how long it has stood still, or had when it moved on. */
  see(mark: string, atMs: number): { readonly is: 'stalled' | 'moved'; readonly ms: number } | null {
    const ms = atMs - this.#sinceMs;
    if (mark !== this.#mark) {
      const wasStalled = this.#isStalled;
      this.#mark = mark;
      this.#sinceMs = atMs;
      this.#isStalled = false;
      return wasStalled ? { is: 'moved', ms } : null;
    }
    if (this.#isStalled || ms < this.#afterMs) return null;
    this.#isStalled = true;
    return { is: 'stalled', ms };
  }
}
