import type { ErrorReport, Event } from '../engine/events.ts';

/** What a notify hook is told: one JSON object. New fields and types may be added. */
export interface Notice {
  readonly version: 1;
  /**
   * `gate`: a person is asked before a step. `failed`: a step failed, or facts were moved by other hands; with a question, somebody
   * is asked what becomes of it. `paused`: it was told to, or somebody said no. `rollback-stopped`: a rollback was stopped, could
   * not take all of it back, or does not come although it was to. `refused`: nothing was begun.
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
  /** Whether the run is one that goes back now, by its records. */
  readonly goesBack: boolean;
}

type Paused = Extract<Event, { type: 'run.paused' }>;

/** Tells from the events of a run, and from its end, what there is to notify of: each thing once. */
export class NoticeWriter {
  readonly #run: string;
  readonly #hosts = new Map<string, string>();
  #failure: Paused | undefined;
  /** The code of the failure that was told last, as long as the run stands at it. */
  #told: string | null = null;
  /** The step of which a person is asked what becomes of it: its failure is told. */
  #asked: string | null = null;
  /** Whether a rollback was announced that has neither begun nor been called off. */
  #isDue = false;
  #toldGate = false;

  constructor(run: string) {
    this.#run = run;
  }

  hear(event: Event): NoticeBody[] {
    const before = event.type === 'rollback.due' ? [] : this.#pendingFailure(null);
    const run = this.#run;
    switch (event.type) {
      case 'gate.waiting': {
        const { step, host, question, digest, isHeld } = event;
        // A Ferry that waits and then gives up has something new to say: that a resume is needed.
        this.#toldGate = !isHeld;
        const answers = [`ferry approve ${run} ${step} --digest ${digest.slice(0, 16)}`, `ferry reject ${run} ${step}`];
        return [...before, { type: 'gate', step, host, question, goOn: isHeld ? answers : [...answers, `ferry resume ${run}`] }];
      }
      case 'step.ended':
        this.#hosts.set(event.step, event.host);
        return before;
      case 'failure.asked': {
        const { step, host, error } = event;
        this.#asked = step;
        this.#told = error.code;
        const question = `${step} on ${host} failed. What becomes of it? It is asked in the terminal that runs it.`;
        return [
          ...before,
          { type: 'failed', step, host, error, question, goOn: [`ferry takeover ${run}`, `ferry resume ${run}`] },
        ];
      }
      case 'failure.answered':
        // What fails from here on is another failure.
        this.#asked = null;
        this.#told = null;
        return before;
      case 'rollback.started':
        this.#isDue = false;
        return before;
      case 'rollback.called-off':
        this.#isDue = false;
        return [...before, { type: 'rollback-stopped', error: event.error, goOn: [`ferry status ${run}`, ...onOrBack(run)] }];
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

  ended({ outcome, error, goesBack }: NoticedEnd): NoticeBody[] {
    const before = this.#pendingFailure(null);
    const run = this.#run;
    // Whatever stopped it: it can only be gone on with as a rollback.
    if (goesBack) return [...before, { type: 'rollback-stopped', error, goOn: [`ferry rollback ${run}`] }];
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
        if (this.#isDue) return [...before, { type: 'rollback-stopped', error, goOn: onOrBack(run) }];
        return this.#told !== null && this.#told === error?.code
          ? before
          : [...before, { type: 'failed', error, goOn: onOrBack(run) }];
      case 'paused':
        if (error?.code === 'GATE_WAITS' && this.#toldGate) return before;
        return [...before, { type: 'paused', error, goOn: onOrBack(run) }];
    }
  }

  #pendingFailure(rollbackAt: string | null): NoticeBody[] {
    if (!this.#failure) return [];
    const { step, error, reason } = this.#failure;
    this.#failure = undefined;
    this.#told = error?.code ?? null;
    this.#isDue = rollbackAt !== null;
    if (step !== null && step === this.#asked && rollbackAt === null) return [];
    const [again, back] = onOrBack(this.#run);
    const host = this.#hosts.get(step ?? '') ?? null;
    const goOn = [reason === 'drift' ? `${again} --replan` : again, back];
    return [{ type: 'failed', step, host, error, rollbackAt, goOn }];
  }
}

const onOrBack = (run: string): [string, string] => [`ferry resume ${run}`, `ferry rollback ${run} --plan`];
