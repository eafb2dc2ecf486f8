import type { Event } from '../engine/events.ts';
import { isoTime } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import { plural } from '../lib/text.ts';
import { answerLines } from './by-hand.ts';
import { Countdown } from './countdown.ts';
import { errorLines } from './error.ts';
import { evidenceLines } from './evidence.ts';
import { createForecast } from './forecast.ts';
import { answerWords, waitingWords } from './gate.ts';
import { moment, oneLine } from './layout.ts';
import { createMeter, type Meter } from './meter.ts';
import { createPaint, type Look } from './paint.ts';
import type { Renderer } from './renderer.ts';
import { runbookDiffLines } from './runbook-diff.ts';
import { shown } from './shown.ts';

type Progressed = Extract<Event, { type: 'step.progressed' }>;

/** Tells a run line by line, each with its moment: for logs and where there is no terminal. */
export function createLines(write: (text: string) => void, look: Look = { colour: false }): Renderer {
  const page = { ...look, width: 110 };
  const paint = createPaint(page);
  const running = new Map<string, { meter: Meter; toldMs: number; toldShare: number }>();

  /** At most every five seconds or ten per cent of the way; judged by the events' own time. */
  const isDue = (event: Progressed): boolean => {
    const told = running.get(keyOf(event));
    if (!told) return false;
    const atMs = Date.parse(event.at);
    const share = event.bytes !== null && event.totalBytes ? event.bytes / event.totalBytes : told.toldShare;
    if (atMs - told.toldMs < 5000 && share - told.toldShare < 0.1) return false;
    told.toldMs = atMs;
    told.toldShare = share;
    return true;
  };

  const forecast = createForecast();
  let wasLate = false;

  const tell = (event: Event): string[] => {
    forecast.hear(event);
    const atMs = Date.parse(event.at);
    const outlook = (): string[] => [forecast.text(atMs)].filter((text) => text !== '');
    switch (event.type) {
      case 'run.estimated':
        return [];
      case 'run.started':
        return [
          event.resumed
            ? `run ${event.run} of ${event.plan.runbook.name} goes on: ${new Set(event.done).size} of ${plural(event.plan.lines.length, 'step')} done before`
            : `run ${event.run} of ${event.plan.runbook.name} started: ${plural(event.plan.lines.length, 'step')}`,
          ...outlook(),
        ];
      case 'step.started': {
        running.set(keyOf(event), { meter: createMeter(), toldMs: Date.parse(event.at), toldShare: 0 });
        const again = event.reattached ? ' (joined again)' : event.attempt > 1 ? ` (attempt ${event.attempt})` : '';
        return [`${whoOf(event)}: ${oneLine(event.summary)}${again}`];
      }
      case 'step.progressed': {
        // The meter learns from every event, also from those that are not told.
        const words = running.get(keyOf(event))?.meter.words(event) ?? '';
        return words !== '' && isDue(event) ? [`${whoOf(event)}: ${words}`] : [];
      }
      case 'step.stalled':
        return [
          paint.warn(`${whoOf(event)}: no progress for ${formatDuration(event.ms)}; it goes on`),
          ...event.why.map(oneLine),
        ];
      case 'step.moved':
        return [`${whoOf(event)}: moves again, after ${formatDuration(event.ms)}`];
      case 'step.settled':
        return [`${whoOf(event)}: begun before; this is how it stands`, ...evidenceLines(event, page)];
      case 'step.ended':
        running.delete(keyOf(event));
        return [
          `${whoOf(event)}: ${OUTCOME_WORDS[event.outcome]} ${formatDuration(event.ms)}`,
          ...(event.error ? errorLines(event.error, page) : []),
        ];
      case 'gate.waiting':
        return waitingWords(event, `${event.host}  ${event.step}: `, look.places);
      case 'gate.answered':
        return [`${whoOf(event)}: ${answerWords(event)}`];
      case 'failure.answered': {
        const [first = '', ...more] = answerLines(event);
        return [`${whoOf(event)}: ${first}`, ...more];
      }
      case 'run.revised':
        return ['the run goes on with the edited runbook:', ...runbookDiffLines(event.changes, page)];
      case 'checkpoint.reached':
        return [`----- checkpoint: ${event.checkpoint} -----`, ...outlook()];
      case 'run.paused':
        return [`run paused: ${event.reason}${event.step ? ` at ${event.step}` : ''}`];
      // The dialogue is on the screen itself.
      case 'failure.asked':
      case 'rollback.due':
        return [];
      case 'rollback.called-off':
        return [paint.warn(oneLine(event.error.message))];
      case 'run.finished':
        return [`run finished: ${plural(event.steps, 'step')} in ${formatDuration(event.ms)}`];
      case 'rollback.started':
        return [
          `rollback started${event.to ? ` to checkpoint ${event.to}` : ''}: ${plural(event.steps.length, 'step')}, last first`,
          ...event.irreversible.map(({ step, host, why }) => `${host} ${step}: cannot be taken back: ${oneLine(why)}`),
        ];
      case 'undo.started':
        return [`${whoOf(event)}: undo: ${oneLine(event.summary)}`];
      case 'undo.ended':
        return [
          `${whoOf(event)}: undo ${undoWords(event)}`,
          ...[...new Set(event.kept)].map((kept) => `  kept: ${oneLine(kept)}`),
          ...(event.error ? errorLines(event.error, page) : []),
        ];
      case 'run.rolled-back':
        return [`rolled back${event.to ? ` to checkpoint ${event.to}` : ''} in ${formatDuration(event.ms)}`];
      case 'note':
        return [oneLine(event.text)];
    }
  };

  let held: string[] | undefined;
  const countdown = new Countdown((text) => {
    const line = `${paint.quiet(moment(isoTime()))}  ${text}\n`;
    if (held) held.push(line);
    else write(line);
  }, 60_000);
  const flush = () => {
    for (const text of held ?? []) write(text);
    held = undefined;
  };
  return {
    emit(told) {
      const event = shown(told);
      if (event.type === 'rollback.due') countdown.start(event.rollbackAt);
      else if (event.type !== 'note') countdown.stop();
      const [first = '', ...more] = tell(event);
      if (first === '') return;
      if (!wasLate && forecast.isLate(Date.parse(event.at))) {
        wasLate = true;
        more.push(paint.warn(forecast.text(Date.parse(event.at))));
      }
      const text = [`${paint.quiet(moment(event.at))}  ${first}`, ...more.map((line) => `    ${line}`), ''].join('\n');
      if (held) held.push(text);
      else write(text);
    },
    suspend() {
      held ??= [];
      return Promise.resolve();
    },
    resume: flush,
    close() {
      countdown.stop();
      flush();
      return Promise.resolve();
    },
  };
}

const OUTCOME_WORDS = {
  ok: 'done in',
  'no-change': 'nothing to change, seen in',
  failed: 'failed after',
  skipped: 'skipped after',
  unknown: 'not known how it ended, after',
} as const;

function undoWords({ outcome, ms, waitsFor }: Extract<Event, { type: 'undo.ended' }>): string {
  if (outcome === 'ok') return `done in ${formatDuration(ms)}`;
  return outcome === 'blocked' ? `not tried: it waits for ${waitsFor.join(', ')}` : outcome;
}

const keyOf = (event: { step: string; host: string }) => `${event.step}\n${event.host}`;
const whoOf = (event: { step: string; host: string }) => `${event.host}  ${event.step}`;
