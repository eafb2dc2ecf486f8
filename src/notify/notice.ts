import type { ErrorReport, Event } from '../engine/events.ts';

/** What a notify hook is told: one JSON object. New fields and types may be added. */
export interface Notice {
  readonly version: 1;
  /**
   * `gate`: a person is asked before a step. `failed`: a step failed, or facts were moved by other hands. `paused`: it was told to,
   * or somebody said no. `rollback-stopped`: a rollback could not take all of it back. `refused`: nothing was begun.
   */
  readonly type: 'gate' | 'failed' | 'paused' | 'rolled-back' | 'rollback-stopped' | 'finished' | 'refused';
  readonly at: string;
  readonly run: string;
  readonly runbook: string;
  /** `user@machine` of the Ferry that tells. */
  readonly by: string;
  readonly step: string | null;
  readonly host: string | null;
  readonly question: string | null;
  readonly error: ErrorReport | null;
  /** When it is rolled back by itself, unless somebody takes it on. */
  readonly rollbackAt: string | null;
  /** Commands that lead on. */
  readonly goOn: readonly string[];
}

/** A notice before it is said of which run it is. */
export type NoticeBody = Pick<Notice, 'type'> &
  Partial<Pick<Notice, 'step' | 'host' | 'question' | 'error' | 'rollbackAt' | 'goOn'>>;

/** How a piece of work on a run ended. */
export interface NoticedEnd {
  readonly outcome: 'finished' | 'already-done' | 'paused' | 'failed' | 'rolled-back' | 'refused';
  readonly error: ErrorReport | null;
}

type Paused = Extract<Event, { type: 'run.paused' }>;

/** Tells from the events of a run, and from its end, what there is to notify of: each thing once. */
export class NoticeWriter {
  readonly #run: string;
  readonly #hosts = new Map<string, string>();
  #failure: Paused | undefined;
  #toldFailure = false;
  #toldGate = false;

  constructor(run: string) {
    this.#run = run;
  }

  hear(event: Event): NoticeBody[] {
    const before = event.type === 'rollback.due' ? [] : this.#pendingFailure(null);
    switch (event.type) {
      case 'gate.waiting': {
        const { step, host, question, digest, isHeld } = event;
        // A Ferry that waits and then gives up has something new to say: that a resume is needed.
        this.#toldGate = !isHeld;
        const answers = [
          `ferry approve ${this.#run} ${step} --digest ${digest.slice(0, 16)}`,
          `ferry reject ${this.#run} ${step}`,
        ];
        return [
          ...before,
          { type: 'gate', step, host, question, goOn: isHeld ? answers : [...answers, `ferry resume ${this.#run}`] },
        ];
      }
      case 'step.ended':
        this.#hosts.set(event.step, event.host);
        return before;
      case 'run.paused':
        // Whether it is rolled back by itself is told by the event after it.
        if (event.reason === 'failure' || event.reason === 'drift') this.#failure = event;
        return before;
      case 'rollback.due':
        return this.#pendingFailure(event.rollbackAt);
      default:
        return before;
    }
  }

  ended({ outcome, error }: NoticedEnd): NoticeBody[] {
    const before = this.#pendingFailure(null);
    const run = this.#run;
    const onOrBack = [`ferry resume ${run}`, `ferry rollback ${run} --plan`];
    switch (outcome) {
      case 'already-done':
        return before;
      case 'finished':
        return [...before, { type: 'finished', goOn: [`ferry rollback ${run} --plan`] }];
      case 'rolled-back':
        return [...before, { type: 'rolled-back', error }];
      case 'refused':
        return [...before, { type: 'refused', error }];
      case 'failed':
        return this.#toldFailure ? before : [...before, { type: 'failed', error, goOn: onOrBack }];
      case 'paused':
        if (error?.code === 'GATE_WAITS' && this.#toldGate) return before;
        if (error?.code.startsWith('UNDO_'))
          return [...before, { type: 'rollback-stopped', error, goOn: [`ferry rollback ${run}`] }];
        return [...before, { type: 'paused', error, goOn: onOrBack }];
    }
  }

  #pendingFailure(rollbackAt: string | null): NoticeBody[] {
    if (!this.#failure) return [];
    const { step, error, reason } = this.#failure;
    this.#failure = undefined;
    this.#toldFailure = true;
    const again = `ferry resume ${this.#run}${reason === 'drift' ? ' --replan' : ''}`;
    const host = this.#hosts.get(step ?? '') ?? null;
    return [{ type: 'failed', step, host, error, rollbackAt, goOn: [again, `ferry rollback ${this.#run} --plan`] }];
  }
}
