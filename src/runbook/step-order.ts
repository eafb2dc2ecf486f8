/** Which step comes after which, as steps are added in an order in which they can be done. */
export class StepOrder {
  readonly #before = new Map<string, ReadonlySet<string>>();
  readonly #needs = new Map<string, readonly string[]>();
  readonly #places = new Map<string, string>();

  /** Adds a step after those in `needs`; needs that follow from others are dropped. */
  add(id: string, needs: readonly string[], place: string): void {
    this.#before.set(id, this.beforeAll(needs));
    this.#needs.set(id, this.lastOf(needs));
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
  before(id: string): ReadonlySet<string> {
    return this.#before.get(id) ?? new Set();
  }

  /** These steps and all that come before them. */
  beforeAll(ids: readonly string[]): ReadonlySet<string> {
    const all = new Set(ids);
    for (const id of ids) for (const earlier of this.before(id)) all.add(earlier);
    return all;
  }

  /** Those among `ids` that come before no other of them, each once. */
  lastOf(ids: readonly string[]): readonly string[] {
    const unique = [...new Set(ids)];
    const early = new Set(unique.flatMap((id) => [...this.before(id)]));
    return unique.filter((id) => !early.has(id));
  }
}
