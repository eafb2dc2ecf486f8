import type { Event } from '../engine/events.ts';
import { carryPlaces } from '../errors/carry-places.ts';
import { askLine } from './ask.ts';
import { canAsk, type Outside } from './outside.ts';

/** What Ctrl-C means before a run and while it goes on. */
export interface Interrupt {
  /** Aborted at the first Ctrl-C: no run is begun, and no new step starts. */
  readonly signal: AbortSignal;
  /** Aborted when the person wants what runs to be ended on its hosts. */
  readonly cancel: AbortSignal;
  /** Stops listening. */
  done(): void;
}

interface Screen {
  suspend(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

/** What goes on: nothing but a plan, steps, the wait of a failed run for its rollback, or one, which is not left half way by itself. */
export type Underway = 'plan' | 'steps' | 'countdown' | 'rollback';

/** What goes on after an event. */
export function nextStage(before: Underway, { type }: Event): Underway {
  if (type === 'rollback.due' || (before === 'countdown' && ['note', 'rollback.called-off'].includes(type))) return 'countdown';
  return type === 'rollback.started' || before === 'rollback' ? 'rollback' : 'steps';
}

const TOLD = {
  steps: 'No new step starts. The command that runs now goes on on its host, unless you cancel it.',
  rollback: 'The rollback goes on.',
};
const QUESTION = {
  steps: 'Wait for it (Enter), detach (d) or cancel it (c)? ',
  rollback: 'Wait for it (Enter) or detach (d)? ',
};
const CANCELLED = 'Ending what runs on its hosts. Short commands come to their end.';
const DETACHED = 'Detached. The command that runs goes on;  ferry resume  joins it.';

/**
 * Hears Ctrl-C and SIGTERM: the first lets the running step end and then pauses, detaches or cancels when the person says so; a
 * second Ctrl-C detaches with exit code 130. While a plan is made, which writes nothing anywhere, the first leaves at once;
 * while a failed run waits to be rolled back, the first leaves it paused.
 */
export function listenForInterrupt(outside: Outside, screen: Screen, underway: () => Underway): Interrupt {
  const stop = new AbortController();
  const cancel = new AbortController();
  const over = new AbortController();

  const detach = async () => {
    over.abort();
    // The picture gives the cursor back; a terminal that hangs must not hold anybody here.
    await Promise.race([screen.close(), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    outside.stderr.write(`${carryPlaces(DETACHED, outside.places)}\n`);
    outside.leave(130);
  };
  const first = async () => {
    stop.abort();
    const what = underway() === 'rollback' ? 'rollback' : 'steps';
    await screen.suspend();
    try {
      outside.stderr.write(`\n${TOLD[what]}\n`);
      if (!canAsk(outside)) return;
      const answer = await askLine(outside, QUESTION[what], {
        signal: over.signal,
        onInterrupt: () => void detach(),
      });
      if (answer?.toLowerCase().startsWith('d')) await detach();
      if (what === 'rollback' || !answer?.toLowerCase().startsWith('c')) return;
      outside.stderr.write(`${CANCELLED}\n`);
      cancel.abort();
    } finally {
      screen.resume();
    }
  };
  const leave = () => {
    stop.abort();
    outside.stderr.write('\nNothing was changed.\n');
    outside.leave(130);
  };
  const press = () => {
    if (underway() === 'plan') leave();
    else if (underway() === 'countdown') stop.abort();
    else void (stop.signal.aborted ? detach() : first());
  };
  const terminate = () => (underway() === 'plan' ? leave() : stop.abort());
  outside.signals.on('SIGINT', press);
  outside.signals.on('SIGTERM', terminate);
  return {
    signal: stop.signal,
    cancel: cancel.signal,
    done() {
      over.abort();
      outside.signals.off('SIGINT', press);
      outside.signals.off('SIGTERM', terminate);
    },
  };
}
