/** The steps before another one. */
export interface Earlier {
  has(id: string): boolean;
}

/**
 * Which step comes after which, as steps are added in an order in which they can be done. For each step it holds a bit for
 * every step before it: sets of names would take gigabytes for a runbook of some thousand steps.
 */
export class StepOrder {
  readonly #index = new Map<string, number>();
  readonly #before: Uint32Array[] = [];
  readonly #needs = new Map<string, readonly string[]>();
  readonly #places = new Map<string, string>();

  /** Adds a step after those in `needs`; needs that follow from others are dropped. */
  add(id: string, needs: readonly string[], place: string): void {
    const before = this.#union(needs, true);
    this.#needs.set(id, this.lastOf(needs));
    this.#index.set(id, this.#before.push(before) - 1);
    if (!this.#places.has(id)) this.#places.set(id, place);
  }

  /** Where a step was added from; undefined when there is none of that id. */
  placeOf(id: string): string | undefined {
    return this.#places.get(id);
  }

  needsOf(id: string): readonly string[] {
    return this.#needs.get(id) ?? [];
  }

  /** All steps that are done before this one begins. */
  before(id: string): Earlier {
    return this.#earlier(this.#before[this.#index.get(id) ?? -1] ?? new Uint32Array());
  }

  /** Whether `a` is over before `b` begins. */
  isBefore(a: string, b: string): boolean {
    return hasBit(this.#before[this.#index.get(b) ?? -1], this.#index.get(a) ?? -1);
  }

  /** These steps and all that come before them. */
  beforeAll(ids: readonly string[]): Earlier {
    return this.#earlier(this.#union(ids, true));
  }

  /** Those among `ids` that come before no other of them, each once. */
  lastOf(ids: readonly string[]): readonly string[] {
    const unique = [...new Set(ids)];
    const early = this.#earlier(this.#union(unique, false));
    return unique.filter((id) => !early.has(id));
  }

  #earlier(bits: Uint32Array): Earlier {
    return { has: (id) => hasBit(bits, this.#index.get(id) ?? -1) };
  }

  #union(ids: readonly string[], withThemselves: boolean): Uint32Array {
    const union = new Uint32Array((this.#before.length >> 5) + 1);
    for (const index of ids.map((id) => this.#index.get(id) ?? -1)) {
      for (const [word, bits] of (this.#before[index] ?? []).entries()) union[word] = (union[word] ?? 0) | bits;
      if (withThemselves && index >= 0) union[index >> 5] = (union[index >> 5] ?? 0) | (1 << (index & 31));
    }
    return union;
  }
}

function hasBit(bits: Uint32Array | undefined, index: number): boolean {
  return (((bits?.[index >> 5] ?? 0) >>> (index & 31)) & 1) === 1;
}
