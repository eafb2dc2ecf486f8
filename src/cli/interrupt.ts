import { askLine } from './ask.ts';
import { canAsk, type Outside } from './outside.ts';

/** What Ctrl-C means before a run and while it goes on. */
export interface Interrupt {
  /** Aborted at the first Ctrl-C: no run is begun, and no new step starts. */
  readonly signal: AbortSignal;
  /** Stops listening. */
  done(): void;
}

interface Screen {
  suspend(): Promise<void>;
  resume(): void;
  close(): Promise<void>;
}

const TOLD = 'No new step starts. The command that runs now goes on on its host, whatever you choose.';
const DETACHED = 'Detached. The command that runs goes on;  ferry resume  joins it.';

/**
 * Hears Ctrl-C and SIGTERM: the first lets the running step end and then pauses, or detaches when the person says so; a
 * second Ctrl-C detaches with exit code 130. While `isPlanning`, which writes nothing anywhere, the first leaves at once.
 */
export function listenForInterrupt(outside: Outside, screen: Screen, isPlanning: () => boolean): Interrupt {
  const stop = new AbortController();
  const over = new AbortController();

  const detach = async () => {
    over.abort();
    // The picture gives the cursor back; a terminal that hangs must not hold anybody here.
    await Promise.race([screen.close(), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    outside.stderr.write(`${DETACHED}\n`);
    outside.leave(130);
  };
  const first = async () => {
    stop.abort();
    await screen.suspend();
    try {
      outside.stderr.write(`\n${TOLD}\n`);
      if (!canAsk(outside)) return;
      const answer = await askLine(outside, 'Wait for it (Enter) or detach (d)? ', {
        signal: over.signal,
        onInterrupt: () => void detach(),
      });
      if (answer?.toLowerCase().startsWith('d')) await detach();
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
    if (isPlanning()) leave();
    else void (stop.signal.aborted ? detach() : first());
  };
  const terminate = () => (isPlanning() ? leave() : stop.abort());
  outside.signals.on('SIGINT', press);
  outside.signals.on('SIGTERM', terminate);
  return {
    signal: stop.signal,
    done() {
      over.abort();
      outside.signals.off('SIGINT', press);
      outside.signals.off('SIGTERM', terminate);
    },
  };
}
