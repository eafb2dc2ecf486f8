import { FerryError } from '../../errors/ferry-error.ts';
import type { Heard } from '../../hosts/host.ts';
import { Secret } from '../../hosts/secret.ts';
import { formatDuration } from '../../lib/duration.ts';
import { lastLines, plural } from '../../lib/text.ts';

/** One answer, and the pattern of the question it is for. */
export interface PromptAnswer {
  readonly expect: string;
  readonly send: string | Secret;
  /** Whether the program may end without asking for it. */
  readonly optional: boolean;
  /** Whether it is given again when the same is asked again. */
  readonly repeat: boolean;
}

/** Who is answered, and how long an unanswered question, silence, and the whole may last. */
export interface DialogueLimits {
  readonly program: string;
  readonly host: string;
  readonly questionMs: number;
  readonly silenceMs: number;
  readonly timeoutMs: number;
}

const QUESTION_LINES = 12;
// A line that is still open and ends like this waits for somebody; one that ends otherwise may be a program at work.
const ASKING = /[:?\])>#$]\s*$/;

/**
 * Knows what to type. An answer is given when its pattern fits what was printed since the answer before, up to within the line the
 * cursor stands in: what stands further up is no question any more. Each is given once, the first in the list that fits.
 */
export class Dialogue {
  readonly #answers: readonly PromptAnswer[];
  readonly #patterns: readonly RegExp[];
  readonly #limits: DialogueLimits;
  readonly #given: { readonly index: number; readonly question: string }[] = [];
  #matched = '';
  /** Whether the program was listened to: one that ended before this Ferry came was not. */
  #hasHeard = false;

  constructor(answers: readonly PromptAnswer[], limits: DialogueLimits) {
    this.#answers = answers;
    this.#patterns = answers.map(({ expect }) => new RegExp(expect, 'gu'));
    this.#limits = limits;
  }

  /** What to type now, if anything. @throws PROMPT_UNEXPECTED, PROMPT_TIMEOUT */
  readonly reply = ({ said, quietMs, tookMs, hasPaused }: Heard): string | Secret | null => {
    this.#hasHeard = true;
    const { program, host, timeoutMs } = this.#limits;
    if (tookMs >= timeoutMs)
      throw new FerryError('PROMPT_TIMEOUT', {
        ...{ program, host, limit: formatDuration(timeoutMs), answered: this.answered },
        question: lastLines(said, 1).trim() || 'nothing',
      });
    if (!hasPaused) return null;
    const index = this.#matched === said ? -1 : this.#next(said);
    this.#matched = said;
    if (index >= 0) {
      this.#given.push({ index, question: lastLines(said, 1).trim() });
      this.#matched = '';
      return this.#answers[index]?.send ?? '';
    }
    this.#refuseSilence(said, quietMs);
    return null;
  };

  #next(said: string): number {
    return this.#answers.findIndex(({ repeat }, index) => (repeat || !this.#isGiven(index)) && this.#fits(index, said));
  }

  #fits(index: number, said: string): boolean {
    const pattern = this.#patterns[index];
    const line = said.lastIndexOf('\n') + 1;
    if (!pattern) return false;
    return [...said.matchAll(pattern)].some(({ index: at, 0: { length } }) => {
      const end = at + length;
      return length > 0 && (end > line || (line === said.length && end === line));
    });
  }

  #isGiven(index: number): boolean {
    return this.#given.some((one) => one.index === index);
  }

  #refuseSilence(said: string, quietMs: number): void {
    const { program, host, questionMs, silenceMs } = this.#limits;
    const open = said.slice(said.lastIndexOf('\n') + 1);
    const isQuestion = ASKING.test(open);
    if (quietMs < (isQuestion ? questionMs : silenceMs)) return;
    const isRepeated = this.#answers.some((_, index) => this.#isGiven(index) && this.#fits(index, said));
    const why = isRepeated
      ? 'its answer was given before; asked again, it was not accepted'
      : isQuestion
        ? 'no pattern fits it'
        : `it has printed nothing for ${formatDuration(silenceMs)}`;
    throw new FerryError('PROMPT_UNEXPECTED', {
      ...{ program, host, why, answered: this.answered },
      question: lastLines(said, QUESTION_LINES).trim() || '(nothing was printed)',
    });
  }

  /** What was answered so far, for a person: questions by their last lines, secrets masked. */
  get answered(): string {
    if (this.#given.length === 0) return 'nothing';
    const list = this.#given.map(({ index, question }) => {
      const send = this.#answers[index]?.send ?? '';
      return `"${question}" with ${send instanceof Secret ? '[secret]' : JSON.stringify(send)}`;
    });
    return `${plural(list.length, 'question')} (${list.join('; ')})`;
  }

  /** @throws PROMPT_NOT_ASKED when the program ended and never asked for an answer that is not optional */
  refuseMissing(code: number): void {
    const missing = this.#answers.filter(({ optional }, index) => !optional && !this.#isGiven(index));
    if (!this.#hasHeard || missing.length === 0) return;
    const { program, host } = this.#limits;
    throw new FerryError('PROMPT_NOT_ASKED', {
      ...{ program, host, code, answered: this.answered },
      missing: missing.map(({ expect }) => `/${expect}/`).join(', '),
    });
  }
}
