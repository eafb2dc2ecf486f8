import { masked, type Redactor, type Span } from './redactor.ts';

/**
 * Takes secrets out of text that comes in pieces, as the log of a command does: what could be the beginning of a secret is held back
 * until the next piece tells, everything else is given at once. What comes out is what `redact` makes of the whole.
 */
export class RedactingStream {
  readonly #redactor: Redactor;
  readonly #decoder = new TextDecoder();
  #held = '';
  /** How much of what is held is known to be of a secret whose mask was given already, or whose beginning was cut off. */
  #covered = 0;
  /** Whether the text begins behind something that was left out, and what it begins with is not known yet. */
  #afterCut: boolean;
  /** What came before what is held, one letter of it. */
  #before = '';

  /** Of text that begins `afterCut`, the end of a secret at its beginning is left out. */
  constructor(redactor: Redactor, { afterCut = false }: { afterCut?: boolean } = {}) {
    this.#redactor = redactor;
    this.#afterCut = afterCut;
  }

  /** What may be shown by now. Bytes may end within a letter. */
  push(chunk: string | Uint8Array): string {
    this.#held += typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true });
    if (this.#afterCut && this.#redactor.mayBeWithin(this.#held)) return '';
    this.#begin();
    return this.#give(this.#redactor.openFrom(this.#held), true);
  }

  /** The rest. */
  end(): string {
    this.#held += this.#decoder.decode();
    if (this.#afterCut && this.#redactor.mayBeWithin(this.#held)) return '';
    this.#begin();
    return this.#give(this.#held.length, false);
  }

  #begin(): void {
    if (this.#afterCut) this.#covered = this.#redactor.restAtBeginning(this.#held);
    this.#afterCut = false;
  }

  /** Gives what stands before a place. A secret across it is masked now, and its rest is remembered as covered. */
  #give(to: number, more: boolean): string {
    let covered = this.#covered;
    const own: Span[] = [];
    for (const [from, end] of this.#redactor.spansOf(this.#held, this.#before, more)) {
      // What overlaps with one that was masked already brings no mask of its own.
      if (from < covered) covered = Math.max(covered, end);
      else if (from < to) own.push([from, end]);
    }
    const begins = Math.min(covered, to);
    const given = masked(
      this.#held.slice(begins, to),
      own.map(([from, end]) => [from - begins, Math.min(end, to) - begins]),
    );
    this.#covered = Math.max(0, Math.max(covered, own.at(-1)?.[1] ?? 0) - to);
    this.#before = this.#held.slice(0, to).at(-1) ?? this.#before;
    this.#held = this.#held.slice(to);
    return given;
  }
}
