import type { Event } from '../engine/events.ts';
import { formatDuration } from '../lib/duration.ts';

type Of<T extends Event['type']> = Extract<Event, { type: T }>;

/** Listens to a run and says, at any moment, when it will be done and until when it can still be taken back in time. */
export interface Forecast {
  hear(event: Event): void;
  /** `about 3 min left, done by 02:41:10Z; last moment to go back 03:58:20Z`; '' when there is nothing to say. */
  text(atMs: number): string;
  /** True once a rollback would not end within the window any more. */
  isLate(atMs: number): boolean;
}

export function createForecast(): Forecast {
  let estimated: Of<'run.estimated'> | undefined;
  const done = new Set<string>();
  const begun = new Map<string, number>();
  /** What is left of a running step by its own progress, which knows better than any earlier run. */
  const ahead = new Map<string, { readonly atMs: number; readonly ms: number }>();

  const leftMs = (atMs: number): number => {
    const steps = estimated?.steps ?? [];
    const path = new Set(estimated?.criticalPath);
    return steps
      .filter(({ step }) => path.has(step) && !done.has(step))
      .reduce((sum, { step, ms }) => sum + leftOf(step, ms, atMs), 0);
  };
  const leftOf = (step: string, ms: number, atMs: number): number => {
    const measured = ahead.get(step);
    if (measured) return Math.max(0, measured.ms - (atMs - measured.atMs));
    return Math.max(0, ms - (atMs - (begun.get(step) ?? atMs)));
  };
  /** What would have to be undone now. */
  const backMs = (): number =>
    (estimated?.steps ?? []).filter(({ step }) => done.has(step) || begun.has(step)).reduce((sum, { undoMs }) => sum + undoMs, 0);
  const lastMoment = (): number | null => (estimated?.windowEndsAt ? Date.parse(estimated.windowEndsAt) - backMs() : null);

  return {
    hear(event) {
      if (event.type === 'run.estimated') estimated = event;
      else if (event.type === 'run.started') for (const step of event.done) done.add(step);
      else if (event.type === 'step.started') begun.set(event.step, Date.parse(event.at));
      else if (event.type === 'step.progressed') {
        const atMs = Date.parse(event.at);
        const spentMs = atMs - (begun.get(event.step) ?? atMs);
        const { bytes, totalBytes } = event;
        if (bytes && totalBytes && totalBytes > bytes && spentMs > 2000)
          ahead.set(event.step, { atMs, ms: (spentMs * (totalBytes - bytes)) / bytes });
      } else if (event.type === 'step.ended' && event.outcome !== 'failed') done.add(event.step);
    },
    text(atMs) {
      if (!estimated) return '';
      const left = leftMs(atMs);
      const guess = estimated.isGuess ? ' (a guess)' : '';
      const end = `about ${roughly(left)} left${guess}, done by ${clock(atMs + left)}`;
      const last = lastMoment();
      if (last === null || !estimated.windowEndsAt) return end;
      if (last > atMs) return `${end}; last moment to go back ${clock(last)}`;
      return `${end}; too late to be back by ${clock(Date.parse(estimated.windowEndsAt))}: a rollback takes about ${roughly(backMs())}`;
    },
    isLate: (atMs) => (lastMoment() ?? Number.POSITIVE_INFINITY) <= atMs,
  };
}

/** Whole seconds under a minute, tens of seconds under ten minutes, else minutes: no more than an estimate knows. */
export function roughly(ms: number): string {
  const stepMs = ms < 60_000 ? 1000 : ms < 600_000 ? 10_000 : 60_000;
  const rounded = Math.max(1000, Math.round(ms / stepMs) * stepMs);
  return rounded < 60_000 ? `${rounded / 1000} s` : formatDuration(rounded);
}

function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(11, 19)}Z`;
}
