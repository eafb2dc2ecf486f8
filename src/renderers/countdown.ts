import { nowMs } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration.ts';
import { moment } from './layout.ts';

/** Says every so often how long it is until a run is rolled back by itself. It keeps no process alive. */
export class Countdown {
  readonly #say: (text: string) => void;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(say: (text: string) => void, everyMs: number) {
    this.#say = say;
    this.#everyMs = everyMs;
  }

  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  start(rollbackAt: string): void {
    this.stop();
    const tell = () => {
      const seconds = Math.max(0, Math.round((Date.parse(rollbackAt) - nowMs()) / 1000));
      const left = seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
      this.#say(`rolls back at ${moment(rollbackAt)}, in ${left}, unless somebody goes on with it; Ctrl-C leaves it paused`);
    };
    tell();
    this.#timer = setInterval(tell, this.#everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
