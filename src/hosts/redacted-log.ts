import type { LogPiece } from './log-follower.ts';
import { RedactingStream } from './redacting-stream.ts';
import type { Redactor } from './redactor.ts';

/**
 * Takes secrets out of the logs of an attempt's commands, whatever piece a secret begins in and wherever a log was cut: what could be the
 * beginning of one is held back until the next piece of that log tells.
 */
export class RedactedLog {
  readonly #redactor: Redactor;
  readonly #logs = new Map<string, { stream: RedactingStream; line: string }>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  /** The lines that can be shown by now, without the end of the last; null for none. */
  take({ of, text, after }: LogPiece): string | null {
    const known = after === 'last' ? this.#logs.get(of) : undefined;
    // What was held back before something was left out may be half a secret, and so may what comes after it.
    const log = known ?? { stream: new RedactingStream(this.#redactor, { afterCut: after !== 'nothing' }), line: '' };
    const given = log.line + log.stream.push(text);
    const end = text.endsWith('\n') ? given.lastIndexOf('\n') + 1 : given.length;
    this.#logs.set(of, { stream: log.stream, line: given.slice(end) });
    return given.slice(0, end).replace(/\n+$/, '') || null;
  }
}
